"""Line charts as plain geometry; the page turns it into inline SVG.

All charts share one small drawing area, so that three of them stand side by side on a desk
screen and one fills the width of a phone with the same size of letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 350, 14, 152
MOST_POINTS = 120

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One line chart: where to draw what, in the units of the drawing area."""

    title: str
    unit: str
    time_unit: str
    line: str
    area: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    marks: tuple[float, ...] = ()
    ceiling: float | None = None
    ceiling_label: str = ""
    peak: float = 0.0


def rate(readings: Sequence[Mapping[str, float]], names: Sequence[str], window: float) -> Points:
    """Return (seconds, growth per second over the last `window` seconds) of the sum of `names`."""
    points: Points = []
    first = 0
    thin = _spread(readings)
    for after in thin[1:]:
        while after["t"] - thin[first + 1]["t"] >= window:
            first += 1
        before = thin[first]
        grown = sum(after.get(name, 0) - before.get(name, 0) for name in names)
        if after["t"] > before["t"]:
            points.append((after["t"], max(0.0, grown) / (after["t"] - before["t"])))
    return points


def smoothing(readings: Sequence[Mapping[str, float]]) -> float:
    """Return the seconds over which rates are averaged: a fortieth of the run, 5 at least."""
    return max(5.0, round(readings[-1]["t"] / 40)) if readings else 0.0


def level(readings: Sequence[Mapping[str, float]], name: str) -> Points:
    """Return (seconds, mean level of `name` since the point before)."""
    size = max(1, ceil(len(readings) / MOST_POINTS))
    groups = [readings[i : i + size] for i in range(0, len(readings), size)]
    return [
        (group[-1]["t"], sum(one.get(name, 0) for one in group) / len(group)) for group in groups
    ]


def line_chart(
    title: str,
    unit: str,
    points: Points,
    marks: Sequence[float] = (),
    ceiling: float | None = None,
    ceiling_label: str = "",
) -> Chart | None:
    """Lay out `points` (seconds, value >= 0); None where there are fewer than two.

    `ceiling` draws a labelled line at that value, `marks` upright lines at those seconds.
    """
    if len(points) < 2:
        return None
    longest = points[-1][0]
    peak = max(value for _, value in points)
    steps = nice_steps(max(peak, ceiling or 0) or 1)

    def x(seconds: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * seconds / (longest or 1), 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * value / steps[-1], 1)

    line = " ".join(f"{x(seconds)},{y(value)}" for seconds, value in points)
    scale, time_unit = _time_scale(longest)
    times = [step for step in nice_steps(longest / scale, most=5) if step * scale <= longest]
    return Chart(
        title=title,
        unit=unit,
        time_unit=time_unit,
        line=line,
        area=f"{x(points[0][0])},{BOTTOM} {line} {x(longest)},{BOTTOM}",
        x_ticks=tuple((x(step * scale), _label(step)) for step in times),
        y_ticks=tuple((y(step), _label(step)) for step in steps),
        marks=tuple(x(mark) for mark in marks),
        ceiling=None if ceiling is None else y(ceiling),
        ceiling_label=ceiling_label,
        peak=peak,
    )


def nice_steps(top: float, most: int = 4) -> list[float]:
    """Return round numbers from 0 to at least `top`, at most `most` + 1 of them.

    >>> nice_steps(87)
    [0.0, 25.0, 50.0, 75.0, 100.0]
    """
    rough = top / most if top > 0 else 1.0
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    return [round(index * step, 10) for index in range(ceil(top / step - 0.001) + 1)]


def _spread(readings: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """Return at most about `MOST_POINTS` readings, the first and the last among them."""
    size = max(1, ceil(len(readings) / MOST_POINTS))
    thin = list(readings[::size])
    if readings and thin[-1] is not readings[-1]:
        thin.append(readings[-1])
    return thin


def _time_scale(seconds: float) -> tuple[float, str]:
    if seconds < 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if seconds < 3 * 3600 else (3600.0, "hours")


def _label(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:,.6g}k"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
