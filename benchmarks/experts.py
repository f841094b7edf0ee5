"""How much of what the experts say of pictures and sounds is right, by the confidence they give.

    python -m benchmarks experts --data DIR
    python -m benchmarks.experts --data DIR --audio-expert openai/whisper-base

Photographs and recordings of known content (a folder of real data, which is not part of the
project), and drawn, noisy and silent ones in which nothing may be recognised. Every second one
chooses the thresholds, the others are reported on. Shares are with 95 % Wilson intervals.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from benchmarks.expert_labels import label_lines
from benchmarks.expert_pictures import (
    ANIMALS,
    Claim,
    claims,
    drawn,
    group_of,
    grouped,
    photographs,
)
from benchmarks.expert_sounds import (
    Known,
    digits,
    noisy,
    recordings,
    right_words,
    sentences,
    voiceless,
    words_of,
)
from benchmarks.figure import Bar, Figure, keep, show
from benchmarks.truth import wilson
from textcentric.cli.terminal import columns
from textcentric.data.media.sounds import RATE
from textcentric.experts import classifier
from textcentric.experts.audio import Listener
from textcentric.experts.image import Sight
from textcentric.experts.picture_kinds import WIDE_KINDS
from textcentric.experts.speech import WHISPER_LEAST, Sphinx, Whisper
from textcentric.experts.voice import has_voice
from textcentric.models.packaged_whisper import FULL_NAME, packaged_whisper

DATA = Path(os.environ.get("TEXTCENTRIC_DATA", Path(__file__).parents[2] / "shared/data"))
BAR = Bar("experts", ">=", 0.8, unit="of what is said")
PICTURE_STEPS = (0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9)
WORD_STEPS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ALL = "all"
WIDE_BOUND = 0.7  # of wider kinds, which are rarer: 8 of 10, at least 7
LEAST_CLAIMS = 10  # fewer say nothing of a threshold
QUICK = {"data": Path("nowhere"), "drawn_pictures": 2, "most": 2}
Row = list[str | int | float]


@dataclass
class Told:
    """What default thresholds let an expert say, and how often it was to be silent and was not."""

    right: int = 0
    said: int = 0
    false_alarms: int = 0
    lines: list[str] = field(default_factory=list)


def measure(
    data: Path = DATA,
    *,
    most: int = 1000,
    drawn_pictures: int = 40,
    spoken: int = 200,
    audio_expert: str = "packaged",
) -> Figure:
    """Measure the packaged experts, or the speech model named; the figure: what is right of all."""
    pictures = picture_figures(data, most, drawn_pictures)
    sounds = sound_figures(data, min(most, spoken), open_listener(audio_expert), WHISPER_LEAST)
    right, said = pictures.right + sounds.right, pictures.said + sounds.said
    alarms = pictures.false_alarms + sounds.false_alarms
    return BAR.figure(
        "labels and words right at the default thresholds, reported half",
        (right / said if said else 1.0, wilson(right, said)),
        also=alarms == 0,
        raw={"right": right, "said": said, "false_alarms": alarms},
        notes=(*pictures.lines, "", *label_lines(data / "petfinder"), "", *sounds.lines),
    )


def picture_figures(data: Path, most: int, drawn_pictures: int) -> Told:
    """Return what the packaged classifier says of photographs and of drawn pictures."""
    see = _seen
    photos = photographs(data, most)
    found = grouped(claims(photos, see))
    told = Told()
    rows: list[Row] = []
    for group in (*classifier.SURE_KINDS, "other", *WIDE_KINDS):
        for step in PICTURE_STEPS:
            rows.append([group, step, *_shares(found.get(group, []), step)])
    told.lines += [f"labels of {len(photos)} photographs", *_table(rows, "label from")]
    for group, held in found.items():
        least = limit(group)
        said = [claim for claim in held if claim.confidence >= least and claim.picture % 2]
        told.right += sum(claim.right for claim in said)
        told.said += len(said)
        least_right = chosen([claim for claim in held if claim.picture % 2 == 0])
        told.lines.append(f"{group}: said from {least}; chosen by the first half: {least_right}")
    labelled = {c.picture for of in found.values() for c in of if c.confidence >= limit(c.group)}
    told.lines.append(f"photographs with a label: {share(len(labelled), len(photos))}")
    told.lines += ["", *_drawn_lines(see, drawn_pictures, told)]
    return told


def limit(group: str) -> float:
    """Return the share from which the classifier says a label."""
    never = group in ANIMALS and group not in classifier.SURE_KINDS
    return float("inf") if never else classifier.least_share(group)


def chosen(held: Sequence[Claim]) -> float | None:
    """Return the least step at which 8 of 10 are right, as a lower bound and in every origin.

    Of wider kinds the lower bound is `WIDE_BOUND`.
    """
    for step in PICTURE_STEPS:
        said = [claim for claim in held if claim.confidence >= step]
        origins = [[c for c in said if c.origin == origin] for origin in {c.origin for c in said}]
        known = [of for of in origins if len(of) >= LEAST_CLAIMS]
        wide = any(claim.group in WIDE_KINDS for claim in said)
        bound = WIDE_BOUND if wide else BAR.bound
        sure = wilson(sum(c.right for c in said), len(said))[0] >= bound
        if sure and all(sum(c.right for c in of) >= BAR.bound * len(of) for of in known):
            return step
    return None


def _seen(picture: object) -> list[Sight]:
    (shares,) = classifier._albums([[picture]])  # type: ignore[list-item]
    return classifier.candidates(shares)


def _shares(held: Sequence[Claim], step: float) -> Iterator[str]:
    """Yield the share that is right of both halves, then of the second half of each origin."""
    said = [claim for claim in held if claim.confidence >= step]
    halves = ([claim for claim in said if claim.picture % 2 == half] for half in (0, 1))
    yield from (share(sum(claim.right for claim in half), len(half)) for half in halves)
    for origin in ("pets", "scenes", "products"):
        of = [claim for claim in said if claim.origin == origin and claim.picture % 2]
        yield f"{sum(claim.right for claim in of)}/{len(of)}" if of else "-"


def share(right: int, n: int) -> str:
    """Return a share with its interval.

    >>> share(9, 10)
    '0.90 [0.60, 0.98] of 10'
    """
    low, high = wilson(right, n)
    return f"{right / n:.2f} [{max(0.0, low):.2f}, {high:.2f}] of {n}" if n else "-"


def _table(rows: list[Row], first: str) -> list[str]:
    header = [*first.split(), "choosing half", "reported half", "pets", "scenes", "products"]
    return columns(rows, header).splitlines()


def _drawn_lines(see: Callable[[object], list[Sight]], most: int, told: Told) -> list[str]:
    """Return the highest shares in drawn pictures, and count those that would be said."""
    best: dict[str, list[tuple[float, str]]] = {}
    for origin, picture in drawn(sample_pictures(most), most):
        sights = [sight for sight in see(picture) if limit(group_of(sight.phrase)) < 1]
        over = [(s.confidence or 0.0) >= limit(group_of(s.phrase)) for s in sights]
        told.false_alarms += any(over)
        best.setdefault(origin, []).append(
            max((s.confidence or 0.0, s.phrase) for s in sights) if sights else (0.0, "")
        )
    rows: list[Row] = [
        [origin, len(of), f"{max(of)[0]:.2f} {max(of)[1]}"] for origin, of in best.items()
    ]
    table = columns(rows, ["drawn", "n", "highest"]).splitlines()
    return [*table, f"drawn pictures with a label: {told.false_alarms}"]


def sample_pictures(most: int) -> list[Path]:
    """Return drawn pictures of the built-in sample."""
    from textcentric.data import load

    found = []
    for name in ("petfinder", "airbnb"):
        paths = [Path(file) for row in load(name) for file in row.inputs.get("image", ())[:1]]
        found += paths[: max(1, most // 2)]
    return found


def open_listener(name: str) -> Listener:
    """Return the packaged Whisper, `pocketsphinx`, or a speech model by name or folder."""
    if name == "pocketsphinx":
        return Sphinx()
    return Whisper(str(packaged_whisper()), FULL_NAME) if name == "packaged" else Whisper(name)


def sound_figures(data: Path, most: int, listener: Listener, least: float) -> Told:
    """Return what `listener` says of known sounds, and what passes for a voice."""
    with tempfile.TemporaryDirectory() as folder:
        known = [
            *digits(data, most),
            *islice(recordings(), most),
            *sentences(data, Path(folder), most // 4),
        ]
    known += [noisy(one, 10.0, place) for place, one in enumerate(known[::4])]
    known += [one for seed in range(max(1, most // 10)) for one in voiceless(seed)]
    told = Told(lines=_voice_lines(known))
    voices = [one for one in known if has_voice(one.sound.samples, RATE)]
    heard = [(one, *listener.hear(one.sound)) for one in voices]
    told.lines += ["", f"words heard by {listener.name}, right of those said", *_word_lines(heard)]
    told.lines.append(f"said from {least}")
    for place, (one, words, confidence) in enumerate(heard):
        if (confidence or 0.0) < least:
            continue
        said = words_of(words)
        told.false_alarms += bool(said) and not one.words
        if place % 2 and one.words:
            told.said += len(said)
            told.right += right_words(said, one.words)
    told.lines.append(f"sounds without a voice of which words are said: {told.false_alarms}")
    return told


Heard = tuple[Known, str, float | None]


def _word_lines(heard: Sequence[Heard]) -> list[str]:
    """Return the share of right words by origin and confidence, and where nobody speaks."""
    rows: list[Row] = []
    spoken = [one for one in heard if one[0].words]
    for origin in (*dict.fromkeys(one.origin for one, _, _ in spoken), ALL):
        of = [one for one in spoken if origin in (ALL, one[0].origin)]
        for step in WORD_STEPS:
            sure = sum((confidence or 0.0) >= step for _, _, confidence in of)
            rows.append([origin, step, *_right_of(of, step), f"{sure}/{len(of)}"])
    silent = [(one, words, sure) for one, words, sure in heard if words_of(words) and not one.words]
    lines = columns(rows, ["sound", "from", "choosing half", "reported half", "heard"]).splitlines()
    for step in WORD_STEPS:
        origins = Counter(one.origin for one, _, sure in silent if (sure or 0.0) >= step)
        lines.append(f"heard where nobody speaks, from {step}: {dict(origins) or 0}")
    return lines


def _right_of(heard: Sequence[Heard], step: float) -> Iterator[str]:
    for half in (0, 1):
        said = [
            (right_words(words_of(words), one.words), len(words_of(words)))
            for place, (one, words, confidence) in enumerate(heard)
            if place % 2 == half and (confidence or 0.0) >= step
        ]
        yield share(sum(right for right, _ in said), sum(n for _, n in said))


def _voice_lines(known: Sequence[Known]) -> list[str]:
    """Return the share of sounds that pass for a voice by origin."""
    rows: list[Row] = []
    for origin in dict.fromkeys(one.origin for one in known):
        of = [one for one in known if one.origin == origin]
        rows.append([origin, share(sum(has_voice(o.sound.samples, RATE) for o in of), len(of))])
    return columns(rows, ["sound", "taken for a voice"]).splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder of real pictures and sounds"
    )
    parser.add_argument("--spoken", type=int, default=200, help="recordings that are listened to")
    parser.add_argument(
        "--audio-expert", default="packaged", help="packaged, pocketsphinx, a speech model's name"
    )
    flags = parser.parse_args()
    figure = measure(flags.data, spoken=flags.spoken, audio_expert=flags.audio_expert)
    keep([figure])
    show([figure])


if __name__ == "__main__":
    main()
