"""Replies turned odd: any value of a good one replaced by any other JSON, or taken out."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.one_of(
    st.integers(), st.just(10**400), st.floats(allow_nan=True, allow_infinity=True), st.booleans()
)
TEXTS = st.one_of(st.text(max_size=20), st.just("\ud800"), st.just("\x1b[2J"), st.just("12"))
ANYTHING: Any = st.recursive(
    st.one_of(st.none(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def mutated(draw: Any, reply: Any, most: int = 3) -> Any:
    """Draw `reply` with up to `most` of its values replaced or taken out."""
    whole = {"": copy.deepcopy(reply)}
    for _ in range(draw(st.integers(1, most))):
        holder, key = draw(st.sampled_from(list(_places(whole))))
        if key not in (holder if isinstance(holder, dict) else range(len(holder))):
            continue  # went with what held it
        if holder is not whole and draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = draw(ANYTHING)
    return whole[""]


def _places(value: Any) -> Any:
    """Yield each dict or list with each of its keys, at every depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
