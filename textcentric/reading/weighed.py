"""Pairs of which the weights of the verdict decide: what rules refuse, no weight can save.

The unit is a whole variant, true where all its edits are; a variant that a rule refuses in one
place, or that nobody can judge, teaches no weights and is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textcentric.checks.edit import Edit, Embed, Facts
from textcentric.checks.verdict import by_rules, judge
from textcentric.reading.agreement import truths
from textcentric.reading.answers import read_answers
from textcentric.reading.belief import edits_of, held_to
from textcentric.reading.drawing import FOLDERS
from textcentric.reading.items import ACCEPTED, Item
from textcentric.reading.sheet import Sheet
from textcentric.reading.yields import yields_of
from textcentric.runs.columns import read_rows
from textcentric.runs.shard_files import shard_files


@dataclass(frozen=True)
class Weighed:
    """A variant that was read: the parts of the edits that are weighed, and whether it is true.

    It stands for `share` outputs of the run; `source` is its row.
    """

    group: str
    facts: Facts
    source: str
    true: bool
    share: float
    parts: Sequence[Mapping[str, float]]


def weighed_pairs(run: Path, drawn: Sequence[Sheet], encoder: Embed | None) -> list[Weighed]:
    """Return the pairs of the sheets `drawn` of `run` that were read and that weights decide."""
    read = [
        (item, true)
        for sheet in drawn
        for number, true in truths(sheet, read_answers(run, sheet)).items()
        for item in [sheet.by_id()[number]]
    ]
    groups = {name: group for sheet in drawn for name, group in sheet.groups.items()}
    totals, strata = yields_of(run, groups), Counter((i.group, i.kind) for i, _ in read)
    held, likely = held_to(run), _likelihoods(run, {item.output for item, _ in read})
    pairs = []
    for item, true in read:
        facts, legible = held.get(_prompt(item), (None, True))
        edits = _left_to_weights(item, facts, legible, likely) if facts else []
        if facts and edits:
            parts = [verdict.parts for verdict in judge(edits, facts, encoder=encoder)]
            share = _outputs(item, totals[item.group]) / strata[item.group, item.kind]
            pairs.append(Weighed(item.group, facts, item.source_id, true, share, parts))
    return pairs


def _prompt(item: Item) -> str:
    """Return the prompt of an output `row/prompt/sample`."""
    return item.output.removeprefix(f"{item.source_id}/").rpartition("/")[0]


def _outputs(item: Item, counts: Mapping[str, int]) -> int:
    accepted = counts["accepted"]
    return accepted if item.kind == ACCEPTED else counts["drafted"] - accepted


def _left_to_weights(
    item: Item, facts: Facts, legible: bool, likely: Mapping[str, Mapping[str, float]]
) -> list[Edit]:
    """Return the edits of a pair that no rule decides; none where a rule refuses one of them."""
    said = likely.get(item.output, {})
    edits = [
        replace(edit, logprob=said.get("forward"), back=said.get("back"))
        for edit in edits_of(item.source, item.variant)
    ]
    ruled = [by_rules(edit, facts, legible) for edit in edits]
    if any(verdict is not None and not verdict.true for verdict in ruled):
        return []
    return [edit for edit, verdict in zip(edits, ruled, strict=True) if verdict is None]


def _likelihoods(run: Path, outputs: set[str]) -> dict[str, dict[str, float]]:
    """Return the scores of outputs: of several edits those are means, which each is given."""
    import pyarrow.dataset as ds

    scores: dict[str, dict[str, float]] = {}
    for folder in FOLDERS.values():
        if shards := shard_files(run, folder):
            chosen = ds.field("id").isin(sorted(outputs))
            table = ds.dataset(shards, format="parquet").to_table(["id", "scores"], chosen)
            scores |= {row["id"]: row["scores"] for row in read_rows(table)}
    return scores
