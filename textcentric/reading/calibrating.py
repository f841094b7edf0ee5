"""From a sheet that was read to a calibration: what it says, of what, and for how long.

Once prompts, checks or threshold were changed after a sheet was read, the sheet is what they were
made by: its figures are of the training data, and others need a new sheet of a new run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from textcentric.checks import verdict
from textcentric.errors import PromptError, RunError, option
from textcentric.prompts.calibration import (
    BANK,
    CALIBRATION,
    Calibration,
    Reading,
    read_calibration,
    write_calibration,
)
from textcentric.prompts.library import open_library
from textcentric.reading.agreement import Figures, figures
from textcentric.reading.answers import read_answers
from textcentric.reading.sheet import Sheet, check_of_this_run, sheets
from textcentric.reading.yields import yields_of

# Pairs that were read, of which at least so many true and so many false.
THRESHOLD_FROM, WEIGHTS_FROM = (100, 30), (300, 60)


@dataclass(frozen=True)
class Calibrated:
    """The newest sheet of a run, what it came to, and what is to be said of it."""

    sheet: Sheet
    figures: Figures
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        found = self.figures
        return {
            "sheet": self.sheet.digest,
            "pairs": len(self.sheet.items),
            "readings": [
                {**reading.model_dump(mode="json"), "words": dict(found.words[reading.prompt])}
                for reading in found.readings
            ],
            "readers": [asdict(reader) for reader in found.readers],
            "kappa_words": found.kappa_words,
            "kappa_true": found.kappa_true,
        }


def calibrated(run: Path, prompt_dir: str | None = None) -> Calibrated:
    """Return what was read of `run` and write it into the run; raises RunError where nothing was.

    What is written is shown by its report, and used only once it is kept.
    """
    drawn = sheets(run)
    if not drawn:
        raise RunError(f"nothing of {run} was read yet; `textcentric review {run}` begins")
    found = figures_of(run, drawn[-1])
    if found.readings:
        write_calibration(run / CALIBRATION, found.readings)
    notes = (*stale(found.readings, prompt_dir), *_enough(found))
    return Calibrated(drawn[-1], found, notes)


def figures_of(run: Path, sheet: Sheet) -> Figures:
    """Return what was read of a sheet of `run`, and how much of each prompt the run accepted.

    Raises RunError where the sheet is of another run that stood in the folder.
    """
    check_of_this_run(run, sheet)
    found = figures(sheet, read_answers(run, sheet))
    counts = yields_of(run, sheet.groups) if found.readings else {}
    readings = (r.model_copy(update={"run": sheet.run, **counts[r.prompt]}) for r in found.readings)
    return replace(found, readings=tuple(readings))


def published(run: Path, found: Calibrated) -> None:
    """Write card and report of `run` anew, which show what was read of it."""
    from textcentric.report.run import write_report
    from textcentric.report.run_card import write_card

    if found.figures.readings:
        write_card(run)
        write_report(run)


def brought_along(run: Path) -> Calibration:
    """Return the calibration that `run` brings: to be shown, never used."""
    path = run / CALIBRATION
    return read_calibration(path) if path.is_file() else Calibration()


def stale(readings: Sequence[Reading], prompt_dir: str | None = None) -> list[str]:
    """Say of which readings prompt or checks are others today: those are training data now."""
    library = open_library(prompt_dir)
    notes = []
    for reading in readings:
        if reading.prompt in library.prompts and not reading.prompt.startswith(BANK):
            now = library[reading.prompt].digest
            if now != reading.digest:
                notes.append(
                    f"{reading.prompt} was changed after it was read ({reading.digest}, now {now}):"
                    " this sheet is training data for it; figures need a new sheet of a new run"
                )
    checks = {reading.checks for reading in readings} - {verdict.DIGEST}
    if checks:
        notes.append(
            f"the checks were changed after this run ({', '.join(sorted(checks)) or 'none'}, now"
            f" {verdict.DIGEST}): this sheet is training data for them; figures need a new sheet of"
            " a new run"
        )
    return notes


def _enough(found: Figures) -> list[str]:
    """Say how many more must be read before a threshold or weights of its own can be had."""
    read = sum(r.read + r.refused_read for r in found.readings)
    true = sum(r.true + r.refused_true for r in found.readings)
    least, each = THRESHOLD_FROM
    if read >= least and min(true, read - true) >= each:
        return []
    return [
        f"{read} pairs were read, {true} of them true: a threshold of its own takes {least},"
        f" weights {WEIGHTS_FROM[0]} ({each} and {WEIGHTS_FROM[1]} true, and as many false)"
    ]


def check_keep(found: Figures, notes: Sequence[str]) -> None:
    """Raise PromptError where there is nothing to keep, or what would be kept is stale."""
    if not found.readings:
        raise PromptError("nothing of this sheet was read yet: there is nothing to keep")
    if any("training data" in note for note in notes):
        why = next(note for note in notes if "training data" in note)
        raise PromptError(f"{option('keep', True)} keeps nothing that no longer holds: {why}")
