"""The report's pictures, drawn by matplotlib: score against level, and a heat map.

Colours are those of Okabe and Ito (2008), told apart by colour-blind readers too, and every
line is labelled where it ends; methods that need no LLM are dashed. The pictures are SVG with
letters as outlines, so they look the same everywhere, and the same figures give the same bytes.
They turn dark with the reader's screen.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textcentric.report.formats import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Okabe and Ito without their yellow, which is too pale on white, and with Tol's wine and olive.
COLOURS = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #882255 #777733".split()
CONSTANT = "constant"  # the arm that is a dotted line in every picture
GREY = "#6f746b"
INK, SOFT, GRID = "#20231f", "#62675f", "#e2e0d9"
# What stands behind a picture, and letters in coloured squares: unlike white and black, which are
# also letters and a line, so that the dark picture can tell them apart.
PAPER, SQUARE_INK = "#fefefe", "#101010"
DARK = {
    **{PAPER: "#1c1f1c", INK: "#e6e8e3", SOFT: "#a0a69c", GRID: "#323630"},
    **{"#000000": "#e6e8e3", "#882255": "#c4588b", "#0072b2": "#2b8fd0"},
}
MARKERS = "osD^vPX*p"
SIZE = (4.3, 3.3)  # inches; about as wide as a phone, so that letters keep their size there
LETTER = 0.073  # inches; mean width of a letter at the font size below
LONGEST_NAME = 26  # characters
SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "svg.fonttype": "path",
    "svg.hashsalt": "textcentric",
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
}


@dataclass(frozen=True, slots=True)
class Style:
    """How one method is drawn, everywhere."""

    colour: str
    marker: str
    dashed: bool


PLAIN = Style(GREY, "", True)  # of the constant predictor


@dataclass(frozen=True, slots=True)
class Line:
    """One method's scores: `points` are (place on the level axis, score, low, high)."""

    name: str
    style: Style
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds the lines; `ends` and `letters` are common to all pictures of a report."""

    ends: tuple[float, float]  # of the score axis
    metric: str
    ticks: tuple[tuple[float, str], ...]  # (place on the level axis, what is written there)
    level: str  # the level axis' name
    letters: int  # of the longest name in any of the pictures


def styles(arms: Mapping[str, bool]) -> dict[str, Style]:
    """Give every arm (name -> whether it needs an LLM) its own colour and mark.

    >>> styles({"plain-text": False})["plain-text"]
    Style(colour='#0072B2', marker='o', dashed=True)
    """
    looks = {
        name: Style(COLOURS[i % len(COLOURS)], MARKERS[(i + i // len(COLOURS)) % 9], not llm)
        for i, (name, llm) in enumerate((name, arms[name]) for name in arms if name != CONSTANT)
    }
    return looks | {name: PLAIN for name in arms if name == CONSTANT}


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Return the common ends of all small multiples: the values with a tenth of room."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 0.1
    return low - room, high + room


def score_curves(lines: Sequence[Line], frame: Frame, constant: float | None) -> bytes:
    """Draw score against level as SVG, one labelled line a method with its shaded interval.

    `constant`, the constant predictor's score, is a dotted line.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=SIZE)
        room = LETTER * min(max(frame.letters, len(CONSTANT)), LONGEST_NAME) + 0.24
        axes = figure.add_axes((0.13, 0.125, 0.87 - room / SIZE[0], 0.86))
        for line in lines:
            _draw(axes, line)
        if constant is not None:
            axes.axhline(constant, color=GREY, linewidth=1, linestyle=":")
        _dress(axes, frame)
        _label(axes, lines, frame.ends, constant)
        return svg(figure)


def heat_map(
    names: Sequence[str],
    subsets: Sequence[tuple[str, ...]],
    scores: Mapping[tuple[str, tuple[str, ...]], float],
    ends: tuple[float, float],
    higher_is_better: bool,
) -> bytes:
    """Draw one square for each name and removed `subset` as SVG, best scores lightest.

    Below the squares a dot stands for every modality that was kept, a ring for one removed.
    """
    import matplotlib
    from matplotlib.figure import Figure

    modalities = list(dict.fromkeys(name for subset in subsets for name in subset))
    left = LETTER * max(len(short(name)) for name in (*names, *modalities)) + 0.15
    width = left + 0.41 * len(subsets) + 0.04
    height = 0.31 * (len(names) + 0.78 * len(modalities)) + 0.1
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((left / width, 0.01, 1 - (left + 0.04) / width, 0.98))
        shade = matplotlib.colormaps["cividis" if higher_is_better else "cividis_r"]
        for row, name in enumerate(names):
            axes.text(-0.62, row, short(name), ha="right", va="center")
            for column, subset in enumerate(subsets):
                _square(axes, column, row, scores.get((name, subset)), ends, shade)
        _kept(axes, modalities, subsets, len(names))
        return svg(figure)


def short(name: str) -> str:
    """Return `name` on one line, without hidden characters, at most `LONGEST_NAME` long."""
    name = str(visible(" ".join(name.split())))
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart until neighbours are `gap` away, in order, between `low` and `high`.

    Positions that fit stay where they are; where not all fit, they share the room evenly.

    >>> spread([1.0, 1.0, 5.0], 1.0, 0.0, 10.0)
    [0.5, 1.5, 5.0]
    """
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    blocks: list[tuple[float, int]] = []  # (lowest position, members)
    for i in order:
        blocks.append((min(max(wanted[i], low), high), 1))
        while len(blocks) > 1 and blocks[-2][0] + gap * blocks[-2][1] > blocks[-1][0]:
            (b, m), (a, k) = blocks.pop(), blocks.pop()
            start = (k * a + m * (b - gap * k)) / (k + m)
            blocks.append((min(max(start, low), high - gap * (k + m - 1)), k + m))
    placed = [start + gap * j for start, members in blocks for j in range(members)]
    return [position for _, position in sorted(zip(order, placed, strict=True))]


def _draw(axes: Axes, line: Line) -> None:
    levels, scores, low, high = zip(*line.points, strict=True)
    style = line.style
    axes.fill_between(levels, low, high, color=style.colour, alpha=0.1, linewidth=0)
    axes.plot(
        levels,
        scores,
        color=style.colour,
        marker=style.marker,
        markersize=3.6,
        linewidth=1.5,
        linestyle=(0, (4, 1.8)) if style.dashed else "-",
    )


def _dress(axes: Axes, frame: Frame) -> None:
    """Give the axes their limits, ticks and names."""
    places = [place for place, _ in frame.ticks]
    axes.set_xlim(-0.02 * max(places), 1.01 * max(places))
    axes.set_xticks(places, [text for _, text in frame.ticks])
    axes.set_ylim(*frame.ends)
    axes.set_xlabel(frame.level, labelpad=2)
    axes.set_ylabel(frame.metric.replace("_", " "), labelpad=3)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5, pad=2)


def _label(
    axes: Axes, lines: Sequence[Line], ends: tuple[float, float], constant: float | None
) -> None:
    """Write every name beside its line's end, moved apart where they would touch."""
    labels = [(short(line.name), line.style, *line.points[-1][:2]) for line in lines]
    right = max(level for _, _, level, _ in labels)
    if constant is not None:
        labels.append((CONSTANT, PLAIN, right, constant))
    gap = (ends[1] - ends[0]) * 12 / (72 * SIZE[1] * 0.86)  # 12 points hold a line of letters
    heights = spread([label[3] for label in labels], gap, *ends)
    for (name, style, level, score), height in zip(labels, heights, strict=True):
        ahead: dict[str, Any] = {"color": style.colour, "clip_on": False}
        axes.plot([level, 1.07 * right], [score, height], linewidth=0.6, **ahead)
        axes.plot([1.07 * right], [height], style.marker or "_", markersize=3.6, **ahead)
        axes.text(1.11 * right, height, name, va="center")


def _square(
    axes: Axes,
    column: int,
    row: int,
    score: float | None,
    ends: tuple[float, float],
    shade: Colormap,
) -> None:
    from matplotlib.patches import Rectangle

    low, high = ends
    place = (column - 0.48, row - 0.46)
    if score is None:
        axes.add_patch(Rectangle(place, 0.96, 0.92, facecolor="none", edgecolor=GRID))
        axes.text(column, row, "–", ha="center", va="center", color=SOFT)
        return
    share = min(1.0, max(0.0, (score - low) / ((high - low) or 1.0)))
    red, green, blue, _ = shade(share)
    light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    axes.add_patch(Rectangle(place, 0.96, 0.92, facecolor=(red, green, blue), linewidth=0))
    text = f"{score:.2f}" if abs(score) < 100 else f"{score:.0f}"
    axes.text(column, row, text, ha="center", va="center", color=SQUARE_INK if light else "white")


def _kept(
    axes: Axes, modalities: Sequence[str], subsets: Sequence[tuple[str, ...]], below: int
) -> None:
    """Draw which modalities each column kept, and set the limits of the drawing."""
    for i, modality in enumerate(modalities):
        y = below + 0.15 + 0.78 * i
        axes.text(-0.62, y, short(modality), ha="right", va="center", color=SOFT)
        for column, subset in enumerate(subsets):
            face = "none" if modality in subset else SOFT
            axes.plot([column], [y], "o", markersize=6, markeredgecolor=SOFT, markerfacecolor=face)
    axes.set_xlim(-0.5, len(subsets) - 0.5)
    axes.set_ylim(below + 0.78 * len(modalities) - 0.2, -0.5)
    axes.axis("off")


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG, the same bytes for the same figure."""
    drawn = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # names in any script
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue().replace(b"</style>", f"{_dark()}</style>".encode(), 1)


def _dark() -> str:
    """Return the rules that give a drawn picture its colours on dark screens."""
    rules = "".join(
        f'[style*="{kind}: {light}"]{{{kind}: {dark} !important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme: dark){{{rules}}}"
