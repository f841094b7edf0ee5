"""Meaning: cosines of sentence embeddings, of the whole and of the part that was written.

Slips of the hand are undone first: an encoder takes a misspelt word for another one.
"""

from __future__ import annotations

from collections.abc import Sequence

from textcentric.checks.edit import Edit, Embed
from textcentric.checks.slips import without_slips


def tails(edit: Edit) -> tuple[str, str]:
    """Return what follows the shared first words, of source and of variant; all where none are."""
    begin = edit.begin
    if not begin or not (edit.source.startswith(begin) and edit.variant.startswith(begin)):
        return edit.source, edit.variant
    source, variant = edit.source[len(begin) :].strip(), edit.variant[len(begin) :].strip()
    return (source, variant) if source and variant else (edit.source, edit.variant)


def texts_to_embed(edits: Sequence[Edit]) -> list[str]:
    """Return the texts whose vectors `cosines` needs, each once."""
    read = map(without_slips, edits)
    texts = (text for e in read for text in (e.source, e.variant, *tails(e)))
    return list(dict.fromkeys(texts))


def cosines(edits: Sequence[Edit], encoder: Embed) -> list[tuple[float, float]]:
    """Return (cosine of the whole, cosine of the tails) of each edit, each in [-1, 1]."""
    edits = [without_slips(edit) for edit in edits]
    texts = texts_to_embed(edits)
    if not texts:
        return []
    vectors = dict(zip(texts, encoder(texts), strict=True))
    held = []
    for edit in edits:
        source, variant = tails(edit)
        whole = float(vectors[edit.source] @ vectors[edit.variant])
        held.append((round(whole, 4), round(float(vectors[source] @ vectors[variant]), 4)))
    return held
