"""What tokens cost: a price for a million of them, in whatever money the user counts in."""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a million tokens read and of a million written; cached ones cost like others."""

    input: float = 0.0
    output: float = 0.0

    def __bool__(self) -> bool:
        """Say whether anything costs anything."""
        return bool(self.input or self.output)

    def of(self, read: float, written: float) -> float:
        """Return what so many tokens cost, `read` and `written`.

        >>> Prices(input=0.5, output=2.0).of(2_000_000, 500_000)
        2.0
        """
        return (read * self.input + written * self.output) / MILLION


def money(amount: float) -> str:
    """Return an amount as people read it, small ones to two figures.

    >>> money(1234.5), money(0.00123)
    ('1,234.50', '0.0012')
    """
    return f"{amount:,.2f}" if amount >= 0.1 or not amount else f"{amount:.2g}"
