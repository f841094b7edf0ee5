"""Why outputs failed, in words: of each kind of failure the commonest sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

from textcentric.errors import DataError
from textcentric.runs.shard_files import readable_shards
from textcentric.security.foreign import foreign

MOST_SENTENCES = 1000  # that are told apart; what comes later is counted by its kind alone
MOST_KINDS, LONGEST = 20, 300  # that are kept; characters of a sentence
OWN_OF_A_ROW = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")  # what equal sentences may differ in
QUOTED_MOST = 20_000  # characters that are looked through for it


class Said(TypedDict):
    """A sentence, with how many failures say it, figures and quoted words aside."""

    sentence: str
    times: int


def commonest_sentences(run: Path) -> dict[str, Said]:
    """Return by kind what the failures in a run's folder say most; those of most kinds first."""
    times, first = Counter[tuple[str, str]](), dict[tuple[str, str], str]()
    for kind, message in _failures(run):
        said = (kind, OWN_OF_A_ROW.sub("", message[:QUOTED_MOST]))
        if said in times or len(times) < MOST_SENTENCES:
            times[said] += 1
            first.setdefault(said, " ".join(message.split())[:LONGEST])
    commonest: dict[str, Said] = {}
    for said, number in times.most_common():
        if len(commonest) < MOST_KINDS:
            commonest.setdefault(said[0], {"sentence": first[said], "times": number})
    return commonest


def _failures(run: Path) -> Iterator[tuple[str, str]]:
    """Yield kind and message of every failure; a shard that cannot be read yields none."""
    for path in readable_shards(run, "errors", []):
        try:
            with foreign(str(path)):
                yield from list(_of_shard(path))
        except DataError:
            continue  # the report says which one it is


def _of_shard(path: Path) -> Iterator[tuple[str, str]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(1024, columns=["error_type", "message"]):
            kinds, messages = (column.to_pylist() for column in batch.columns)
            yield from zip(map(str, kinds), map(str, messages), strict=True)


def failure_lines(said: Mapping[str, Said], errors: Mapping[str, int]) -> list[str]:
    """Return what people read of failures, the most frequent first.

    >>> said = {"http_400": {"sentence": "HTTP 400: seed is not supported", "times": 7}}
    >>> failure_lines(said, {"http_400": 8})
    ['7 x HTTP 400: seed is not supported (1 other http_400)']
    """
    ranked = sorted(said.items(), key=lambda item: (-item[1]["times"], item[0]))
    lines = []
    for kind, one in ranked:
        others = errors.get(kind, 0) - one["times"]
        more = f" ({others} other {kind})" if others > 0 else ""
        lines.append(f"{one['times']} x {one['sentence']}{more}")
    return lines
