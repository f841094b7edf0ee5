"""Lines of a source that give no row: how many, why, and the first of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from textcentric.values import Json

EXAMPLES = 3
LONGEST = 60  # characters of a line in a message


@dataclass
class LeftOut:
    """Counts of lines by reason; `examples` has the first three of each reason, with their numbers.

    `as_it_stands` counts lines that are read although their quotation marks do not pair.
    """

    lines: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    as_it_stands: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, number: int | None = None, text: str = "", lines: int = 1) -> None:
        """Count `lines` lines that give no row, the first of them at line `number` (from 1)."""
        self.lines[reason] += lines
        self._keep(reason, number, text)

    def mend(self, reason: str, number: int, text: str) -> None:
        """Count a line that is read, but not as it seems to have been meant."""
        self.as_it_stands[reason] += 1
        self._keep(reason, number, text)

    def _keep(self, reason: str, number: int | None, text: str) -> None:
        kept = self.examples.setdefault(reason, [])
        if len(kept) < EXAMPLES and (number or text):
            cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
            kept.append(f"line {number}: {cut!r}" if number else repr(cut))

    def to_dict(self) -> dict[str, Json]:
        """Return the counts as JSON-ready dicts and lists."""
        counts = {"lines": dict(self.lines), "as_it_stands": dict(self.as_it_stands)}
        return {**counts, "examples": dict(self.examples)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> LeftOut:
        """Return what `to_dict` made a dict of."""
        counts = [Counter(dict(values[name])) for name in ("lines", "as_it_stands")]
        return cls(counts[0], dict(values["examples"]), counts[1])

    @classmethod
    def sum(cls, counts: Iterable[LeftOut]) -> LeftOut:
        """Return several counts as one."""
        total = cls()
        for count in counts:
            total.lines.update(count.lines)
            total.as_it_stands.update(count.as_it_stands)
            for reason, examples in count.examples.items():
                kept = total.examples.setdefault(reason, [])
                kept += examples[: EXAMPLES - len(kept)]
        return total

    def total(self) -> int:
        """Return how many lines give no row."""
        return self.lines.total()

    def notes(self) -> Iterator[str]:
        """Yield one line for each reason.

        >>> left = LeftOut()
        >>> left.add("line(s) without exactly 2 fields", 3, "a,b,c")
        >>> list(left.notes())
        ["left out 1 line(s) without exactly 2 fields (line 3: 'a,b,c')"]
        """
        counts = [("left out", self.lines), ("read as they stand,", self.as_it_stands)]
        for what, reasons in counts:
            for reason, count in reasons.items():
                yield f"{what} {count} {reason} ({'; '.join(self.examples[reason])})"
