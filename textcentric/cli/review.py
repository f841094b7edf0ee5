"""`textcentric review` and `calibrate`: variants read by people, and what that says of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textcentric.cli.options import AsJson, Quiet, configured, of_output
from textcentric.cli.terminal import columns, say, show, show_json
from textcentric.reading.config import ReviewConfig

if TYPE_CHECKING:
    from textcentric.errors import Say
    from textcentric.reading.agreement import Figures
    from textcentric.reading.sheet import Sheet

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or its name in runs/.")]


@configured("reading.config")
def review(config: ReviewConfig, run: Run, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Read variants beside their sources, on a page of this machine or in a file.

    A sheet is drawn once and frozen; answers are appended to the run. Nothing leaves this machine.

    Example: textcentric review runs/first --reader anna
    """
    tell = (lambda line: None) if quiet else say
    raise typer.Exit(review_command(config, run, as_json=as_json, tell=tell))


def calibrate(
    run: Run,
    keep: Annotated[
        bool,
        of_output(
            "--keep", about="Use it from now on: plans of this model, prompts and checks read it."
        ),
    ] = False,
    prompt_dir: Annotated[
        str | None,
        typer.Option(
            "--prompt-dir", metavar="PATH", help="Folder that adds prompts or overrides them."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say of each prompt how many variants were read and how many were true.

    Example: textcentric calibrate runs/first --keep
    """
    calibrate_command(run, keep=keep, prompt_dir=prompt_dir, as_json=as_json)


def review_command(config: ReviewConfig, name: str, *, as_json: bool, tell: Say) -> int:
    """Do what `review` is asked for; return the exit code."""
    from textcentric.reading.exchange import export_sheet, import_answers
    from textcentric.reading.sheet import growth, open_sheet
    from textcentric.runs.listing import find_run

    folder = find_run(name)
    if config.import_ is not None:
        taken, pairs = import_answers(folder, config.import_, config.reader, who=config.who)
        tell(f"{taken} answers of {config.reader} taken, {pairs - taken} of {pairs} pairs unread")
    else:
        sheet = open_sheet(
            folder,
            accepted=config.accepted,
            refused=config.refused,
            seed=config.seed,
            new=config.new_sheet,
        )
        if grown := growth(folder, sheet):
            tell(grown)
        tell(_about(sheet))
        if config.export is not None:
            written = export_sheet(folder, sheet, config.reader, config.export)
            tell(f"{written} pairs written to {config.export}; fill in `word`, then --import it")
        else:
            _read(config, folder, sheet, tell)
    _print_figures(folder, as_json)
    return 0


def _read(config: ReviewConfig, folder: Path, sheet: Sheet, tell: Say) -> None:
    """Let the reader read, in the terminal or on the page, until they have done."""
    from textcentric.reading.server import Desk, PageServer
    from textcentric.reading.terminal import read_in_terminal

    desk = Desk(folder, sheet, config.reader, config.who)
    if config.terminal:
        read_in_terminal(desk, input, say)
        return
    with PageServer(desk, config.port) as server:
        say(f"open {server.address}  (this machine alone; Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")


def _about(sheet: Sheet) -> str:
    from textcentric.reading.answers import KEYS

    keys = ", ".join(f"{key} {word}" for key, word in KEYS.items())
    return f"sheet {sheet.digest}: {len(sheet.items)} pairs of run {sheet.run}; {keys}"


def calibrate_command(name: str, *, keep: bool, prompt_dir: str | None, as_json: bool) -> None:
    """Print what was read of a run, a prompt a line; keep it where that is asked for."""
    from textcentric.reading.calibrating import (
        brought_along,
        calibrated,
        kept,
        published,
        with_weights,
    )
    from textcentric.reading.sheet import growth, sheets
    from textcentric.runs.listing import find_run

    folder = find_run(name)
    if not sheets(folder) and (brought := brought_along(folder)).readings:
        for reading in brought.readings:
            show(f"{reading.prompt}: {reading.words()}")
        for weights in brought.fitted:
            show(f"{weights.words()}, for {', '.join(weights.prompts)}")
        say("the run brought this calibration along: it is shown, not used; read it yourself")
        return
    found = calibrated(folder, prompt_dir)
    found = with_weights(folder, found)
    if as_json:
        show_json(found.as_dict())
    else:
        show("\n".join([as_text(found.figures), *found.outcomes.values()]))
    for note in filter(None, (growth(folder, found.sheet), *found.changed)):
        say(note)
    published(folder, found)
    if keep:
        path, said = kept(found)
        say(f"kept in {path}")
        if said:
            say(said)


def _print_figures(folder: Path, as_json: bool) -> None:
    from textcentric.reading.calibrating import calibrated

    found = calibrated(folder)
    if as_json:
        show_json(found.as_dict())
    else:
        show(as_text(found.figures))


def as_text(found: Figures) -> str:
    """Return figures as a table by prompt, and a line for each reader."""
    from textcentric.prompts.calibration import wilson

    if not found.readings:
        return "nothing of this sheet was read yet"
    rows: list[list[object]] = []
    for reading in found.readings:
        cells: list[object] = [reading.prompt]
        for read, true in (
            (reading.read, reading.true),
            (reading.refused_read, reading.refused_true),
        ):
            low, high = wilson(true, read)
            cells += [read, true, f"[{low:.2f}, {high:.2f}]" if read else ""]
        rows.append([*cells, *found.words[reading.prompt].values()])
    head = "prompt,accepted read,true,,refused read,true,,same,less,changed,garbled".split(",")
    lines = [columns(rows, head), ""]
    lines += [reader.words() for reader in found.readers]
    return "\n".join([*lines, *_agreement(found)])


def _agreement(found: Figures) -> list[str]:
    if len(found.readers) == 1:
        return ["one reader alone decides what is true; a second one makes it sure"]
    said = [
        f"kappa {value:.2f} on {what}"
        for value, what in (
            (found.kappa_words, "the four words"),
            (found.kappa_true, "true or not"),
        )
        if value is not None
    ]
    alone = f"{found.alone} pairs were read by one reader alone" if found.alone else ""
    return ["; ".join(filter(None, [*said, alone]))]
