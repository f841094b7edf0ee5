"""Labels that came with the data set, in place of a picture expert of our own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from textcentric.data.media.digests import digest_value
from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.experts.clean import clean_line
from textcentric.experts.pixels import colour_words, name_colour
from textcentric.experts.protocol import MEASURED, Description, silence

_MOST_LABELS = 6
GUESSED_LEAST = 0.5
# Labels that may be said, and from which score on: those of which what people declared tells
# whether they are right, and 8 of 10 are (the reported half of `python -m benchmarks experts`, see
# docs/experts.md). A breed is right in 0.08 from 0.5 on and too rarely sure to be measured above
# 0.95, so the kind is said, which the service gives beside it. Of all other labels (fauna, floor,
# face) nobody said whether they are right.
SURE_LABELS = {"dog": 0.5, "cat": 0.5, "puppy": 0.5, "kitten": 0.5, "black cat": 0.5}


class LabelsExpert:
    """Turn a row's photo labels into words; over several photos the best score of a label counts.

    With `guesses` all labels of half a score are told, as earlier versions did, not those alone
    that were measured to be right.

    >>> photos = (PhotoLabels("1.jpg", (("cat", 0.99), ("eye", 0.8))),
    ...           PhotoLabels("2.jpg", (("cat", 0.97),)))
    >>> LabelsExpert().describe([photos])[0].text
    '2 photos. Seen: cat (0.99).'
    >>> LabelsExpert(guesses=True).describe([photos])[0].text
    '2 photos. Seen: cat (0.99), eye (0.80).'
    """

    modality = "image"
    reads = "image_labels"  # the key of Record.inputs that holds its values
    name = "labels"

    def __init__(self, *, guesses: bool = False):
        self.version = "1" if guesses else f"2-{MEASURED}"
        self._sure = None if guesses else SURE_LABELS

    def describe(self, values: Sequence[Sequence[PhotoLabels]]) -> list[Description]:
        """Return one description a row of labelled photos."""
        told = [_describe(photos, self._sure) for photos in values]
        return told if self._sure is None else [_noted(one) for one in told]

    def digest(self, value: Sequence[PhotoLabels]) -> str:
        """Return a digest of the labels and colours."""
        return digest_value([[photo.labels, photo.colors] for photo in value])


def _describe(photos: Sequence[PhotoLabels], sure: Mapping[str, float] | None) -> Description:
    best: dict[str, float] = {}
    for name, score in (pair for photo in photos for pair in photo.labels):
        best[name] = max(score, best.get(name, 0.0))
    least = {name: GUESSED_LEAST if sure is None else sure.get(name, inf) for name in best}
    ranked = sorted(best.items(), key=lambda item: -item[1])
    shown = [(name, score) for name, score in ranked if score >= least[name]][:_MOST_LABELS]
    colours = _colours(photos)
    if not shown and not colours:
        what = f"with a score of {GUESSED_LEAST} or more" if sure is None else "that may be said"
        return Description("", notes=(f"no label {what}",))
    count = "1 photo." if len(photos) == 1 else f"{len(photos)} photos."
    words = ", ".join(f"{clean_line(name, 60)} ({score:.2f})" for name, score in shown)
    parts = [count, f"Seen: {words}." if words else "", colours]
    return Description(" ".join(filter(None, parts)), shown[0][1] if shown else None)


def _noted(told: Description) -> Description:
    """Return a description with the note that no label may be said, where only colours are told."""
    silent = bool(told.text) and told.confidence is None
    return replace(told, notes=(*told.notes, silence("image"))) if silent else told


def _colours(photos: Sequence[PhotoLabels]) -> str:
    """Name the photos' colours; the shares given are of some pixels only, so they are scaled."""
    shares: defaultdict[str, float] = defaultdict(float)
    for code, share in (pair for photo in photos for pair in photo.colors):
        shares[name_colour(code)] += share
    total = sum(shares.values())
    if not total:
        return ""
    return f"Colours: {colour_words({name: share / total for name, share in shares.items()})}."
