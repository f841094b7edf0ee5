"""`textcentric doctor`: is this machine able to run `augment`, and what to do if not."""

from __future__ import annotations

import typer

from textcentric.cli.options import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Check Python, packages, models, GPU, memory and disk; ends with 2 where augment cannot run.

    Packages are imported in processes of their own, which takes up to a minute.
    """
    from textcentric.cli.checkup import doctor_command

    raise typer.Exit(doctor_command(as_json=as_json))
