"""What a run may spend: tokens, minutes, money, rows, variants."""

from __future__ import annotations

from dataclasses import dataclass, field

from textcentric.runs.counters import Metrics
from textcentric.runs.prices import Prices, money


@dataclass(frozen=True)
class Budget:
    """When to send no further request, and with `rows` when to admit no further row.

    What is at the engine then is still awaited; not so when the minutes are over.
    """

    tokens: int | None = None
    minutes: float | None = None
    accept: int | None = None
    rows: int | None = None
    accepted: int = 0  # by earlier processes
    cost: float | None = None
    prices: Prices = field(default_factory=Prices)

    def spent(self, metrics: Metrics) -> str:
        """Return which limit is reached, empty while none is."""
        tokens = metrics.prompt_tokens + metrics.output_tokens
        if self.tokens is not None and tokens >= self.tokens:
            return f"the budget of {self.tokens:,} tokens is spent"
        cost = self.prices.of(metrics.prompt_tokens, metrics.output_tokens)
        if self.cost is not None and cost >= self.cost:
            return f"it has cost {money(self.cost)}, which is the limit"
        if self.minutes is not None and metrics.seconds >= 60 * self.minutes:
            return f"the budget of {self.minutes:g} minutes is spent"
        if self.enough(metrics):
            return f"{self.accepted + metrics.accepted} variants are accepted"
        if self.rows is not None and metrics.admitted >= self.rows:
            return f"{self.rows} rows are done"
        return ""

    def enough(self, metrics: Metrics, coming: float = 0.0) -> bool:
        """Say whether as many variants are accepted as were asked for, or will be with `coming`."""
        accepted = self.accepted + metrics.accepted + coming
        return self.accept is not None and accepted >= self.accept

    def seconds_left(self, metrics: Metrics) -> float | None:
        """Return the seconds until the minutes are over, None where they are not limited."""
        return None if self.minutes is None else 60 * self.minutes - metrics.seconds
