"""`textcentric ARGUMENTS` in this process: exit code and what went to which stream."""

from __future__ import annotations

from dataclasses import dataclass

from typer.testing import CliRunner

from textcentric.cli.app import app
from textcentric.errors import TextCentricError, in_flags


@dataclass
class Said:
    """How a command ended and what it said; `err` ends with the line of an error of ours."""

    code: int
    out: str
    err: str


def textcentric(*arguments: object) -> Said:
    """Run a command as `textcentric.cli.main` does; any other error is raised."""
    with in_flags():
        result = CliRunner().invoke(app, [str(one) for one in arguments])
    error = result.exception
    if isinstance(error, TextCentricError):
        return Said(error.exit_code, result.stdout, f"{result.stderr}textcentric: {error}\n")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Said(result.exit_code, result.stdout, result.stderr)
