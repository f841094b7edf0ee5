"""How much of what a prompt wrote the checks of a run accepted, over all of its outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from textcentric.reading.drawing import FOLDERS, rows_of
from textcentric.reading.groups import Group, bank_of
from textcentric.rows import CLEAN


def yields_of(run: Path, groups: Mapping[str, Group]) -> dict[str, dict[str, int]]:
    """Return of each group how many variants were `drafted`, and how many `accepted`.

    A prompt that writes into clean rows, a summary say, drafts one for each of them.
    """
    bank = bank_of(run)
    derived = {name: group.part for name, group in groups.items() if group.part}
    drafted, accepted = Counter[str](), Counter[str]()
    for passed, prompt, parts in _outputs(run):
        if prompt == CLEAN:
            drafted.update(list(derived))
            accepted.update(name for name, part in derived.items() if parts.get(part))
        else:
            name = bank.group(prompt)
            drafted[name] += 1
            accepted[name] += passed
    return {name: {"drafted": drafted[name], "accepted": accepted[name]} for name in groups}


def _outputs(run: Path) -> Iterator[tuple[bool, str, Mapping[str, str]]]:
    for passed, folder in FOLDERS.items():
        for row in rows_of(run, folder):
            yield passed, row["prompt"], row["parts"]
