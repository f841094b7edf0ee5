"""`textcentric check`: whether variants say what their sources say, whoever wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Unpack

import typer

from textcentric.checks.config import CheckConfig
from textcentric.cli.options import Shown, configured
from textcentric.cli.terminal import columns, say, show, show_json, telling
from textcentric.folders import writing, written
from textcentric.security.outputs import only_writer

if TYPE_CHECKING:
    from textcentric.checks.pairs import Checking


@configured("checks.config")
def check(
    config: CheckConfig,
    pairs: Annotated[
        str, typer.Argument(metavar="PAIRS", help="Table or JSON lines of source and variant.")
    ],
    **shown: Unpack[Shown],
) -> None:
    """Say which variants say what their source says, of any tool or people.

    A line for each pair, in their order: verdict (true, false, or null where it cannot judge),
    score, the parts of the score, and the reason.

    Example: textcentric check pairs.jsonl --facts same --min-true 0.9 -o verdicts.jsonl
    """
    raise typer.Exit(check_command(config, **shown))


def check_command(config: CheckConfig, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Check pairs; return the exit code, 3 where too few are true."""
    from textcentric.checks.opening import opened_checking

    with telling(quiet=quiet, verbose=verbose) as tell:
        with opened_checking(config, tell) as checking, _output(config.output) as lines:
            for line in checking:
                if as_json:
                    show_json(line)
                if lines is not None:
                    lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        tell(columns(checking.table, ["verdict", "pairs"]))
        tell(_sentence(checking))
    if config.output is not None and not as_json:
        show(f"verdicts  {config.output}")
    return _verdict(checking, config.min_true)


@contextmanager
def _output(output: Path | None) -> Iterator[IO[str] | None]:
    """Open the file of verdicts, which is there in one step when all of them are."""
    from textcentric.checks.verdicts_file import VERDICTS, is_verdicts

    if output is None:
        yield None
        return
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
    with (
        only_writer(output, VERDICTS, is_verdicts),
        written(output) as draft,
        draft.open("w", encoding="utf-8") as lines,
    ):
        yield lines


def _sentence(checking: Checking) -> str:
    judged = checking.true + checking.false
    left = [f"{checking.unjudged:,} not judged"] * bool(checking.unjudged)
    left += [f"{checking.broken:,} broken lines"] * bool(checking.broken)
    return "; ".join([f"{checking.true:,} of {judged:,} variants are true", *left])


def _verdict(checking: Checking, least: float | None) -> int:
    """Return the exit code by the share of true variants; say it where there are too few."""
    if least is None or checking.true_share >= least:
        return 0
    say(f"{checking.true_share:.3f} of the variants are true, below --min-true {least:g}")
    return 3
