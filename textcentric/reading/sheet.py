"""The sheet: the pairs that are read of a run, drawn once by seed and frozen.

For each prompt accepted and refused variants, beside them decoys that code made and whose answer is
known, and repeats that show how steady a reader is. A sheet is a file in the run's folder
`reading`; its digest stands in every answer, so that no answer can be taken for one of other pairs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from textcentric.command_line import command
from textcentric.errors import RunError
from textcentric.folders import write_text, writing
from textcentric.reading.decoys import decoy
from textcentric.reading.drawing import Wanted, draw_outputs
from textcentric.reading.groups import Group, groups_of
from textcentric.reading.items import ACCEPTED, DECOY, READ, REFUSED, REPEAT, Item
from textcentric.runs.manifest import read_manifest
from textcentric.runs.shard_files import shard_files
from textcentric.security.files import need_real, open_real, read_text

FOLDER = "reading"
DECOYS, REPEATS = 0.10, 0.05  # of the pairs of the run
VERSION = 1


@dataclass(frozen=True)
class Sheet:
    """The pairs of a run that are read, and what the run was when they were drawn.

    `totals` are outputs by prompt then: a run that has grown since has more.
    """

    run: str
    seed: int
    groups: Mapping[str, Group]
    totals: Mapping[str, int]
    items: Sequence[Item]
    made: str = ""

    @property
    def digest(self) -> str:
        """Return sixteen hex digits that stand for all of it."""
        text = json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()

    def as_json(self) -> dict[str, object]:
        """Return the sheet as its file holds it."""
        return {
            "version": VERSION,
            "run": self.run,
            "seed": self.seed,
            "groups": {name: asdict(group) for name, group in self.groups.items()},
            "totals": dict(self.totals),
            "items": [asdict(item) for item in self.items],
        }

    def by_id(self) -> dict[str, Item]:
        """Return the pairs by their number."""
        return {item.item: item for item in self.items}


def open_sheet(
    run: Path, *, accepted: int = 30, refused: int = 10, seed: int = 0, new: bool = False
) -> Sheet:
    """Return the newest sheet of `run`; draw one where there is none, or where a `new` one is due.

    A new sheet holds no output that a former one holds. Raises RunError where the newest sheet was
    drawn from another run in this folder.
    """
    manifest = read_manifest(run)
    with _alone(run):
        former = sheets(run)
        if former and not new:
            check_of_this_run(run, former[-1])
            return former[-1]
        name = manifest.get("fingerprint", "")
        read = {item.output for sheet in former if sheet.run == name for item in sheet.items}
        groups = groups_of(run, manifest)
        wanted = Wanted(accepted, refused, seed + len(former), frozenset(read))
        drawn = draw_outputs(run, groups, wanted)
        if not any(one.kind == ACCEPTED for one in drawn):
            left = (
                "every accepted variant stands in a former sheet"
                if former
                else "nothing that a prompt wrote was accepted"
            )
            seen = command("runs", "show", run)
            raise RunError(f"{run} has nothing to read: {left}; see `{seen}`")
        sheet = Sheet(
            run=name,
            seed=wanted.seed,
            groups={name: g for name, g in groups.items() if any(d.group == name for d in drawn)},
            totals=totals_of(run),
            items=_items(drawn, wanted.seed),
        )
        path = folder_of(run) / f"sheet-{len(former) + 1:02d}.json"
        write_text(path, json.dumps(sheet.as_json(), ensure_ascii=False, indent=1) + "\n")
    return sheet


def sheets(run: Path) -> list[Sheet]:
    """Return the sheets of `run`, oldest first; raises RunError for one that cannot be read."""
    return [_read(path) for path in sorted(folder_of(run).glob("sheet-*.json"))]


def folder_of(run: Path) -> Path:
    """Return the folder of a run's sheets and answers; raises RunError where a link lies there."""
    folder = run / FOLDER
    if os.path.lexists(folder):
        need_real(folder)
    return folder


def _read(path: Path) -> Sheet:
    try:
        values = json.loads(read_text(path))
        groups = {name: Group(**group) for name, group in values["groups"].items()}
        items = [Item(**item) for item in values["items"]]
        return Sheet(values["run"], values["seed"], groups, values["totals"], items)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(
            f"{path} is no sheet ({error}); restore it, or remove it and read anew: answers to it"
            " cannot be told from answers to other pairs"
        ) from error


def check_of_this_run(run: Path, sheet: Sheet) -> None:
    """Raise RunError where `sheet` was drawn from another run that stood in the folder `run`."""
    if sheet.run != read_manifest(run).get("fingerprint", ""):
        raise RunError(
            f"the sheet in {run / FOLDER} was drawn from another run ({sheet.run}) that stood in"
            f" this folder; `{command('review', run, new_sheet=True)}` draws one from what stands"
            " there now"
        )


def growth(run: Path, sheet: Sheet) -> str:
    """Say by how much `run` has grown since the sheet was drawn, "" where it has not."""
    then, now = sum(sheet.totals.values()), sum(totals_of(run).values())
    if now <= then:
        return ""
    return (
        f"the run has grown since this sheet was drawn ({then} outputs then, {now} now): figures"
        f" are of the first {then}; `{command('review', run, new_sheet=True)}` draws from all"
    )


def totals_of(run: Path) -> dict[str, int]:
    """Return how many outputs the shards of `run` hold, by fate."""
    import pyarrow.parquet as pq

    return {
        fate: sum(pq.read_metadata(path).num_rows for path in shard_files(run, folder))
        for fate, folder in ((ACCEPTED, "data"), (REFUSED, "rejected"))
    }


def _items(drawn: Sequence[Item], seed: int) -> list[Item]:
    """Return pairs in reading order: shuffled, decoys among them, repeats in the later half."""
    rng = random.Random(f"sheet {seed}")
    pairs = list(drawn)
    rng.shuffle(pairs)
    known = [
        item
        for number in range(round(DECOYS * len(pairs)) or 1)
        if (item := _decoy(pairs[rng.randrange(len(pairs))], number, rng))
    ]
    shown = [*pairs, *known]
    rng.shuffle(shown)
    first, second = shown[: len(shown) // 2], shown[len(shown) // 2 :]
    again = [item for item in first if item.kind in READ]
    repeats = rng.sample(again, min(len(again), round(REPEATS * len(pairs)) or 1))
    for repeat in repeats:
        second.insert(rng.randrange(len(second) + 1), replace(repeat, kind=REPEAT, of="?"))
    return _numbered([*first, *second])


def _numbered(items: Sequence[Item]) -> list[Item]:
    width = max(3, len(str(len(items))))
    named = [replace(item, item=f"{n:0{width}d}") for n, item in enumerate(items, 1)]
    first = {(i.output, i.group): i.item for i in named if i.kind in READ}
    return [
        replace(item, of=first[item.output, item.group]) if item.kind == REPEAT else item
        for item in named
    ]


def _decoy(item: Item, number: int, rng: random.Random) -> Item | None:
    """Return a pair of the same row that code wrote, so that its answer is known."""
    made = decoy(item.source, number, rng)
    if made is None:
        return None
    variant, word = made
    return replace(item, kind=DECOY, group="", variant=variant, declared="", expected=word)


@contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Hold the folder of the sheets: two who begin at once draw one sheet."""
    folder = folder_of(run)
    with writing(folder):
        folder.mkdir(exist_ok=True)
        held = open_real(folder / ".lock", os.O_WRONLY | os.O_CREAT)
    with os.fdopen(held, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
