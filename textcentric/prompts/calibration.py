"""What people read of a prompt's variants: for which model, prompt, checks and temperature.

A calibration is a list of readings in a JSON file. Three are looked at: the one that is shipped for
the packaged model, the user's own, and, shown but never used, the one that a run brings along. A
reading counts for a prompt only where model, prompt, checks and temperature are those it was made
with; anything else is said, not used.

    {"version": 1, "readings": [{
        "prompt": "adversarial/noise", "digest": "6d1f...", "model": "SmolLM2-135M-Instruct",
        "revision": "4f1c...", "checks": "90ab...", "temperature": 0.7, "candidates": 1,
        "read": 30, "true": 27, "refused_read": 10, "refused_true": 4,
        "run": "77c1...", "drafted": 82, "accepted": 61,
        "readers": 2, "who": ["a person"], "sheet": "1f3a9c02..."}]}

Beside its readings the user's own holds what they made of the verdict's thresholds and weights.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textcentric.errors import PromptError
from textcentric.folders import write_text
from textcentric.prompts.fitted import Fitted, judged_by
from textcentric.prompts.prompt import digest_texts

if TYPE_CHECKING:
    from textcentric.prompts.library import Instruction

CALIBRATION = "calibration.json"
FEWEST_READ, LEAST_TRUE = 20, 0.7  # below, sets and globs leave a prompt out
FEWEST_DRAFTED, LEAST_ACCEPTED = 40, 0.1  # and below this, since hardly anything comes of it
LEAST_BELIEVED = 0.9  # from here a text that is written takes the place of one that is picked
BANK = "bank/"
UNREAD = "never read with this model"
MOST_NAMED = 12  # prompts
Z = 1.959964  # of a 95 % interval
VERSION = 1


class Reading(BaseModel):
    """How many variants of a prompt were read and how many were true, and what made them.

    `read` and `true` are of those that the checks accepted, `refused_*` of those they refused.
    Of `drafted` variants of the whole `run` (its fingerprint) the checks accepted `accepted`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    prompt: str
    digest: str
    model: str = ""
    revision: str = ""
    checks: str = ""
    temperature: float = 0.0
    candidates: int = 1
    read: int = Field(0, ge=0)
    true: int = Field(0, ge=0)
    refused_read: int = Field(0, ge=0)
    refused_true: int = Field(0, ge=0)
    run: str = ""
    drafted: int = Field(0, ge=0)
    accepted: int = Field(0, ge=0)
    readers: int = 1
    who: tuple[str, ...] = ()
    sheet: str = ""

    @property
    def share(self) -> float:
        """Return the share of accepted variants that were true, 0 where none was read."""
        return self.true / self.read if self.read else 0.0

    @property
    def untrue(self) -> bool:
        """Say whether enough was read and too little was true."""
        return self.read >= FEWEST_READ and self.share < LEAST_TRUE

    @property
    def believed(self) -> bool:
        """Say whether enough was read and true to take the place of what is true by construction.

        >>> Reading(prompt="a", digest="0", read=30, true=27).believed
        True
        """
        return self.read >= FEWEST_READ and self.share >= LEAST_BELIEVED

    @property
    def seldom_accepted(self) -> bool:
        """Say whether enough was drafted and hardly anything accepted."""
        return self.drafted >= FEWEST_DRAFTED and self.accepted < LEAST_ACCEPTED * self.drafted

    @property
    def left_out(self) -> bool:
        """Say whether sets and globs leave this prompt out."""
        return self.untrue or self.seldom_accepted

    def why(self) -> str:
        """Return why sets and globs leave it out."""
        return self.words() if self.untrue else self.yield_words()

    def yield_words(self) -> str:
        """Return the yield as people read it, "" where nobody counted.

        >>> Reading(prompt="a", digest="0", drafted=82, accepted=3).yield_words()
        '3 of 82 accepted'
        """
        return f"{self.accepted} of {self.drafted} accepted" if self.drafted else ""

    def words(self) -> str:
        """Return the reading as people read it.

        >>> Reading(prompt="a", digest="0", read=30, true=27).words()
        'of 30 read 27 true [0.74, 0.97]'
        """
        if not self.read:
            return "none read"
        low, high = wilson(self.true, self.read)
        return f"of {self.read} read {self.true} true [{low:.2f}, {high:.2f}]"


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What writes and judges the variants of a run: the model, the checks, the sampling."""

    model: str = ""
    revision: str = ""
    checks: str = ""
    temperature: float | None = None  # None: as each prompt says
    candidates: int = 1


@dataclass(frozen=True)
class Calibration:
    """Readings from one or several files, and the thresholds and weights beside them."""

    readings: tuple[Reading, ...] = ()
    fitted: tuple[Fitted, ...] = ()

    def weights_of(self, prompt: str, digest: str, made: MadeWith) -> Fitted | None:
        """Return the weights that were made for `prompt`, the last ones; None where none were."""
        fitting = (one for one in self.fitted if not _misfit_of(one, prompt, digest, made))
        return next(reversed([*fitting]), None)

    def checks_now(self, reading: Reading, checks: str) -> str:
        """Return what would judge today where `reading` was made, with the identity `checks`."""
        made = MadeWith(reading.model, reading.revision, checks)
        return judged_by(checks, self.weights_of(reading.prompt, reading.digest, made))

    def weights_misfit(self, prompt: str, digest: str, made: MadeWith) -> str:
        """Say why weights that name `prompt` are not used, "" where none does."""
        whys = {
            _misfit_of(one, prompt, digest, made) for one in self.fitted if prompt in one.prompts
        }
        return "; ".join(sorted(filter(None, whys)))

    def of(
        self, prompt: str, digest: str, temperature: float, made: MadeWith, *, rule: bool = False
    ) -> Reading | None:
        """Return what was read of `prompt`, several sheets added up; None where nothing was.

        A prompt that asks no model (`rule`) is the same with every one and at every temperature.
        """
        at = temperature if made.temperature is None else made.temperature
        fitting = [
            reading
            for reading in self.readings
            if (reading.prompt, reading.digest, reading.checks) == (prompt, digest, made.checks)
            and (rule or _same_model(reading, made))
            and (rule or math.isclose(reading.temperature, at, abs_tol=1e-6))
            and reading.candidates == made.candidates
        ]
        return added(fitting) if fitting else None

    def misfit(self, prompt: str, digest: str, made: MadeWith) -> str:
        """Say why readings of `prompt` are not used, "" where there are none."""
        whys = {
            _misfit(reading, reading.digest, digest, made)
            for reading in self.readings
            if reading.prompt == prompt
        }
        return "; ".join(sorted(filter(None, whys)))


def _misfit_of(fitted: Fitted, prompt: str, digest: str, made: MadeWith) -> str:
    """Say why weights do not hold for `prompt`, "" where they do."""
    if prompt not in fitted.prompts:
        return "never made for it"
    return _misfit(fitted, fitted.prompts[prompt], digest, made)


def _same_model(reading: Reading | Fitted, made: MadeWith) -> bool:
    if reading.revision and made.revision:
        return reading.revision == made.revision
    return bare(reading.model) == bare(made.model)


def bare(model: str) -> str:
    """Return a model's own name: folders differ between machines."""
    return model.rstrip("/\\").replace("\\", "/").rpartition("/")[2]


def _misfit(reading: Reading | Fitted, read: str, digest: str, made: MadeWith) -> str:
    if read != digest:
        return f"read of another version of the prompt ({read}, now {digest})"
    if reading.checks != made.checks:
        return f"read under other checks ({reading.checks}, now {made.checks})"
    if not _same_model(reading, made):
        return f"read with another model ({bare(reading.model) or 'none'})"
    return ""


def added(readings: Sequence[Reading]) -> Reading:
    """Return readings of one prompt as one: each sheet counts once, and so does each run's yield.

    Of several sheets of a run the last says how much was drafted.
    """
    sheets = _last_of("sheet", readings)
    update = _sums(sheets, ("read", "true", "refused_read", "refused_true"))
    update |= _sums(_last_of("run", readings), ("drafted", "accepted"))
    who = tuple(dict.fromkeys(who for reading in sheets for who in reading.who))
    readers = min(reading.readers for reading in sheets)
    return sheets[-1].model_copy(update={**update, "who": who, "readers": readers})


def _last_of(name: str, readings: Sequence[Reading]) -> list[Reading]:
    """Return the last reading of each sheet or run, those that name none all."""
    return list({getattr(one, name) or str(i): one for i, one in enumerate(readings)}.values())


def _sums(readings: Sequence[Reading], counts: Sequence[str]) -> dict[str, int]:
    return {name: sum(getattr(reading, name) for reading in readings) for name in counts}


def wilson(true: int, read: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); of nothing read it is [0, 1].

    >>> [round(end, 2) for end in wilson(27, 30)]
    [0.74, 0.97]
    """
    if not read:
        return 0.0, 1.0
    share, square = true / read, Z * Z / read
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / read + square / (4 * read)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def shipped() -> Path:
    """Return the calibration that is shipped for the packaged model."""
    return Path(__file__).parent / CALIBRATION


def own() -> Path:
    """Return the user's own calibration: `$XDG_CONFIG_HOME/textcentric` or `~/.config`."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "textcentric" / CALIBRATION


def read_calibration(*paths: Path) -> Calibration:
    """Read the calibrations at `paths`, by default the shipped and the user's own.

    A file that is absent holds nothing. Raises PromptError for one that does not fit.
    """
    held = [_read(path) for path in paths or (shipped(), own()) if path.is_file()]
    return Calibration(
        tuple(reading for one in held for reading in one.readings),
        tuple(fitted for one in held for fitted in one.fitted),
    )


def _read(path: Path) -> Calibration:
    expected = 'expected {"version": 1, "readings": [...]}; `textcentric calibrate` writes one'
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PromptError(f"{path} is no calibration ({error}); {expected}") from error
    if not isinstance(values, dict) or values.get("version") != VERSION:
        raise PromptError(f"{path} is no calibration; {expected}")
    try:
        return Calibration(
            tuple(Reading.model_validate(value) for value in values.get("readings", [])),
            tuple(Fitted.model_validate(value) for value in values.get("fitted", [])),
        )
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise PromptError(f"{path}: {where}: {problem['msg']}; {expected}") from error


def keep(
    readings: Iterable[Reading], path: Path | None = None, *, fitted: Fitted | None = None
) -> Path:
    """Add readings to the user's own calibration, in place of former ones of the same sheet.

    Weights take the place of those that the same model had for one of the same prompts.
    """
    path = path or own()
    new = list(readings)
    replaced = {(reading.prompt, reading.sheet) for reading in new}
    former = _read(path) if path.is_file() else Calibration()
    rest = [one for one in former.readings if (one.prompt, one.sheet) not in replaced]
    weights = [one for one in former.fitted if fitted is None or not _replaces(fitted, one)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_calibration(path, [*rest, *new], [*weights, *([fitted] if fitted else [])])
    return path


def _replaces(new: Fitted, former: Fitted) -> bool:
    same_model = bare(new.model) == bare(former.model) and new.revision == former.revision
    return same_model and not new.prompts.keys().isdisjoint(former.prompts)


def write_calibration(
    path: Path, readings: Iterable[Reading], fitted: Iterable[Fitted] = ()
) -> None:
    """Write a calibration, a reading a line."""
    body, weights = _lines(readings), _lines(fitted)
    more = f', "fitted": [{weights}]' if weights else ""
    write_text(path, f'{{"version": {VERSION}, "readings": [{body}]{more}}}\n')


def _lines(values: Iterable[BaseModel]) -> str:
    lines = ",\n  ".join(
        json.dumps(value.model_dump(mode="json"), ensure_ascii=False) for value in values
    )
    return f"\n  {lines}\n" if lines else ""


def unread_words(names: Iterable[str]) -> str:
    """Say once of all `names` that they were never read; a folder stands where it changes.

    >>> unread_words(["own/swap", "adversarial/style", "adversarial/swap", "bank/1", "bank/2"])
    'never read with this model: adversarial/style, swap, the bank, own/swap'
    """
    shown: list[str] = []
    ids = sorted({BANK if name.startswith(BANK) else name for name in names})
    for before, name in pairwise(["", *ids]):
        folder = name.rpartition("/")[0]
        short = name.removeprefix(f"{folder}/") if before.startswith(f"{folder}/") else name
        shown.append("the bank" if name == BANK else short)
    more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
    return f"{UNREAD}: {', '.join(shown[:MOST_NAMED])}{more}"


def group_of(prompt: str, families: Mapping[str, str]) -> str:
    """Return under which name variants are read: instructions of the bank by their family."""
    return f"{BANK}{families.get(prompt, 'other')}" if prompt.startswith(BANK) else prompt


def families_of(bank: Iterable[Instruction]) -> dict[str, str]:
    """Return {id of an instruction as outputs have it: its family}."""
    return {f"{BANK}{entry.id}": entry.family for entry in bank}


def family_digest(carrier: str, family: str, bank: Iterable[Instruction]) -> str:
    """Return the digest of the prompt that carries a family's instructions, and of those."""
    entries = sorted((e for e in bank if e.family == family), key=lambda entry: entry.id)
    texts = [text for e in entries for text in (e.id, e.instruction, e.label, e.writes)]
    return digest_texts(carrier, *texts)
