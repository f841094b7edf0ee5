"""From a sheet that was read to a calibration: what it says, of what, and for how long.

Once prompts, checks or threshold were changed after a sheet was read, the sheet is what they were
made by: its figures are of the training data, and others need a new sheet of a new run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from textcentric.checks.edit import Embed
from textcentric.checks.identity import checks_identity
from textcentric.command_line import command
from textcentric.errors import PromptError, RunError, option
from textcentric.folders import read_yaml
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder
from textcentric.prompts.calibration import (
    BANK,
    CALIBRATION,
    Calibration,
    Reading,
    keep,
    read_calibration,
    write_calibration,
)
from textcentric.prompts.fitted import Fitted
from textcentric.prompts.library import open_library
from textcentric.reading.agreement import Figures, figures
from textcentric.reading.answers import read_answers
from textcentric.reading.own_weights import own_weights
from textcentric.reading.sheet import Sheet, check_of_this_run, sheets
from textcentric.reading.yields import yields_of
from textcentric.runs.directory import CONFIG


@dataclass(frozen=True)
class Calibrated:
    """The newest sheet of a run, what it came to, and what was changed since it was read."""

    sheet: Sheet
    figures: Figures
    stale: tuple[str, ...]
    outcomes: Mapping[str, str] = field(default_factory=dict)  # of each question, what is said
    fitted: Fitted | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """Say what was changed since the sheet was read."""
        return (*self.stale, *reweighed(self.figures.readings))

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what was changed since, and what was made of threshold and weights."""
        return (*self.changed, *self.outcomes.values())

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
            "weights": dict(self.outcomes),
        }


def calibrated(run: Path, prompt_dir: str | None = None) -> Calibrated:
    """Return what was read of `run` and write it into the run; raises RunError where nothing was.

    What is written is shown by its report, and used only once it is kept.
    """
    drawn = sheets(run)
    if not drawn:
        raise RunError(f"nothing of {run} was read yet; `{command('review', run)}` begins")
    found = figures_of(run, drawn[-1])
    if found.readings:
        write_calibration(run / CALIBRATION, found.readings)
    return Calibrated(drawn[-1], found, tuple(stale(found.readings, prompt_dir)))


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
    checks = {one.checks.partition("+")[0] for one in readings if _other_checks(one)}
    if checks:
        notes.append(
            f"the checks were changed after this run ({', '.join(sorted(checks)) or 'none'}, now"
            f" {checks_identity()}): this sheet is training data for them; figures need a new sheet"
            " of a new run"
        )
    return notes


def with_weights(run: Path, found: Calibrated) -> Calibrated:
    """Return `found` with what all sheets of `run` make of the verdict; write that into the run.

    What is written is shown, and used only once it is kept.
    """
    if not found.figures.readings:
        return found
    drawn = [sheet for sheet in sheets(run) if sheet.run == found.sheet.run]
    with _encoder(run) as encoder:
        outcomes, fitted = own_weights(run, drawn, encoder)
    if fitted is not None:
        write_calibration(run / CALIBRATION, found.figures.readings, [fitted])
    return replace(found, outcomes={one.name: one.said for one in outcomes}, fitted=fitted)


@contextmanager
def _encoder(run: Path) -> Iterator[Embed | None]:
    """Yield what compares by meaning, None where the run did not."""
    if not read_yaml(run / CONFIG).get("embeddings", True):
        yield None
        return
    encoder = SentenceEncoder(str(packaged_encoder()))
    try:
        yield encoder.vectors
    finally:
        encoder.close()


def reweighed(readings: Sequence[Reading]) -> list[str]:
    """Say of which readings threshold or weights are others today: they are training data now."""
    calibration = read_calibration()
    names = [
        reading.prompt
        for reading in readings
        if not _other_checks(reading)
        and reading.checks != calibration.checks_now(reading, checks_identity())
    ]
    if not names:
        return []
    return [
        "threshold or weights are not those of this run any more: this sheet is training data for"
        f" {', '.join(names)}; figures need a new sheet of a new run"
    ]


def _other_checks(reading: Reading) -> bool:
    return reading.checks.partition("+")[0] != checks_identity()


def kept(found: Calibrated) -> tuple[Path, str]:
    """Add readings and weights to the user's own; return where they are, and what that changes.

    Raises PromptError where there is nothing to keep, or it no longer holds.
    """
    if not found.figures.readings:
        raise PromptError("nothing of this sheet was read yet: there is nothing to keep")
    if found.stale:
        raise PromptError(
            f"{option('keep', True)} keeps nothing that no longer holds: {found.stale[0]}"
        )
    path = keep(found.figures.readings, fitted=found.fitted)
    if found.fitted is None:
        return path, ""
    return path, (
        f"from now on {found.fitted.words()} judge {', '.join(found.fitted.prompts)}: this sheet is"
        " training data for them; figures need a new sheet of a new run"
    )
