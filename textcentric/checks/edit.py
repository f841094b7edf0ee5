"""A source and what stands for it: what every check reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Facts = Literal["same", "fewer", "beside", "changed"]
Embed: TypeAlias = "Callable[[Sequence[str]], np.ndarray]"  # texts -> unit vectors (B, D)


@dataclass(frozen=True, slots=True)
class Edit:
    """One place that was changed: `source`, and the `variant` in its stead.

    `row` is the text of the whole row, `facts` the values of its table, `begin` the source's own
    first words that the variant goes on from. `logprob` is the mean log-probability (nats a token)
    of what was sampled, `back` that of the source's tail given the variant.
    """

    source: str
    variant: str
    row: str = ""
    facts: tuple[str, ...] = ()
    begin: str = ""
    logprob: float | None = None
    back: float | None = None
