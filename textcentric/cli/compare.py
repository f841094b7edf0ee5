"""`textcentric compare`: methods trained and damaged side by side, with seeds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import typer

from textcentric.cli.options import DryRun, Shown, configured
from textcentric.cli.progress import Progress, duration
from textcentric.cli.results import tell_results
from textcentric.cli.terminal import (
    columns,
    plain_warnings,
    say,
    show,
    show_json,
    silence,
    terminable,
)
from textcentric.evaluation.comparison.config import CompareConfig
from textcentric.machine import require
from textcentric.training.processes import alone

if TYPE_CHECKING:
    from textcentric.engines.protocol import Engine

LOOKS = {"image": "pictures", "audio": "sounds"}


@configured("evaluation.comparison.config")
def compare(config: CompareConfig, dry_run: DryRun = False, **shown: Unpack[Shown]) -> None:
    """Train arms on the same rows, damage the test rows, and say whether augmenting helped.

    The plan comes first, with its hours. What is finished is kept: the same command goes on after
    an interruption. The same as: python pipelines/ablate.py ...

    Example: textcentric compare -c pipelines/petfinder.yaml -o runs/petfinder --dry-run
    """
    require("compare")
    config.check()
    raise typer.Exit(compare_command(config, dry_run=dry_run, **shown))


def compare_command(
    config: CompareConfig,
    *,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    engine: Engine | None = None,
) -> int:
    """Compare, or only show the plan; return the exit code. `engine` stands in for the LLM's."""
    from textcentric.evaluation.comparison.comparison import Comparison
    from textcentric.evaluation.comparison.forecast import planned
    from textcentric.evaluation.comparison.running import compare

    if not alone():  # one process does it, whoever launched more
        return 0
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    try:
        with plain_warnings(tell), terminable():
            plan = planned(config)
            if dry_run:
                if as_json:
                    show_json(plan)
                else:
                    show(as_text(plan))
                return 0
            tell(as_text(plan))
            results = compare(Comparison(config, engine, tell, partial(Progress, quiet=quiet)))
    except KeyboardInterrupt:
        say(f"textcentric: interrupted; the same command goes on in {config.output_dir}")
        return 130
    tell_results(results, config.output_dir, as_json=as_json)
    return 0


def as_text(plan: Mapping[str, Any]) -> str:
    """Return the plan as people read it."""
    rows = plan["rows"]
    lines = [
        f"rows      {rows['train']:,} to train on, {rows['held_out']:,} held out,"
        f" {rows['test']:,} to test, of {plan['dataset']}",
        f"arms      {', '.join(plan['arms'])}; seeds {', '.join(map(str, plan['seeds']))}",
        f"trials    {plan['trials']['all']}, {plan['trials']['left']} of them to be made",
        f"damage    {_damage(plan)}",
        *_asked(plan),
        *_looked_at(plan),
        f"training  {plan['texts_to_train']:,} texts to learn, {plan['texts_to_predict']:,} to"
        f" predict; {_told(plan['rates'])}",
        f"time      {_time(plan['seconds'])}",
        f"into      {plan['output_dir']}",
    ]
    return "\n".join(lines)


def _damage(plan: Mapping[str, Any]) -> str:
    """Return how many cells there are, and at which levels."""
    said = f"{plan['cells']['all']} cells"
    if plan["levels"]:
        said += f", levels {', '.join(f'{level:g}' for level in plan['levels'])}"
    if plan["llm_runs"]:
        said += f"; {plan['cells']['llm']} where an LLM is asked"
    if added := plan["levels_for_llm"]:
        levels = ", ".join(f"{level:g}" for level in added)
        said += f"; level {levels} for --llm-levels, so that arms with and without an LLM share it"
    return said


def _asked(plan: Mapping[str, Any]) -> list[str]:
    """Return the requests to an LLM and its runs, nothing where no arm has any."""
    if not plan["llm_runs"]:
        return []
    llm = plan["llm_rate"]
    runs = [
        [name, run["rows"], run["requests"], run["answered"]]
        for name, run in plan["llm_runs"].items()
    ]
    head = (
        f"LLM       about {plan['llm_requests']:,} requests, {llm['requests_a_second']:g} a second"
        f" ({llm['from']})"
    )
    return [head, *_indented(columns(runs, ["run", "rows", "requests", "answered"]))]


def _looked_at(plan: Mapping[str, Any]) -> list[str]:
    """Return how many rows' files experts look at, nothing where there are none to."""
    looks = plan["files_to_look_at"]
    if not looks:
        return []
    said = ", ".join(f"{LOOKS[name]} of {number:,} rows" for name, number in looks.items())
    return [
        f"experts   {said} to look at, damaged ones too; {plan['rates']['described']:g} a second"
    ]


def _time(seconds: Mapping[str, float]) -> str:
    """Return the whole time and what it is made of, the longest first."""
    parts = sorted(((value, name) for name, value in seconds.items() if value), reverse=True)
    said = ", ".join(f"{name} {duration(value)}" for value, name in parts)
    return f"about {duration(sum(seconds.values()))}" + (f": {said}" if said else "")


def _told(rates: Mapping[str, Any]) -> str:
    if not rates["measured"]:
        return str(rates["why"])
    return f"measured {rates['trained']:g} and {rates['predicted']:g} a second"


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]
