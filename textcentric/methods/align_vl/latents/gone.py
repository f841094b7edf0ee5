"""Rows that give no pair of latents: counted by reason, and one by one with the problem."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from textcentric.data.tables.left_out import LeftOut


@dataclass
class Gone(LeftOut):
    """Rows without latents; `problems` has the id of each, and why."""

    problems: list[tuple[str, str]] = field(default_factory=list)

    def lose(self, row_id: str, reason: str, example: str = "", problem: str = "") -> None:
        """Count a row under `reason`; `problem` says of it what the reason does not."""
        what = reason.removeprefix("row(s) ")
        self.problems.append((row_id, problem or what + (f": {example}" if example else "")))
        self.add(reason, text=example or row_id)

    def as_lines(self) -> str:
        """Return a line of JSON for each row."""
        rows = ({"id": row_id, "problem": problem} for row_id, problem in self.problems)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
