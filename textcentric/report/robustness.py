"""One HTML page that says whether the augmentation helped: verdict, scores, curves, cost, rows.

It shows the figures of `results.json` and computes none of them; where the verdict and the
figures do not agree, it says so. Beside the page lies `robustness.json` with the same figures
and without any row's text, so that it may be kept where the rows may not.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.folders import write_text
from textcentric.metrics.intervals import FEW
from textcentric.report import curves, differences
from textcentric.report.curves import Frame, Line, Style
from textcentric.report.page import render
from textcentric.report.results_file import Changed, Results, read_results
from textcentric.report.tables import (
    DECIBEL,
    Scores,
    exact,
    percent,
    percents,
    signed,
    signed_to,
    span,
    to,
    written,
)
from textcentric.values import Json

if TYPE_CHECKING:
    from markupsafe import Markup

PAGE, FIGURES = "robustness.html", "robustness.json"
MOST_CHANGED = 12  # rows shown of one arm and corruption
LONGEST_TEXT = 2_000  # characters shown per part
WRITERS = {
    "exact": exact,
    "to": to,
    "signed": signed,
    "signed_to": signed_to,
    "percent": percent,
    "percents": percents,
    "span": span,
}


def write_robustness_report(results: Path, folder: Path | None = None) -> Path:
    """Write `robustness.html` and `robustness.json`, and return the path of the page.

    `results` is a `results.json` or the folder that holds one; the page goes beside it unless
    another `folder` is given. Raises DataError where the results are absent or broken.

    >>> write_robustness_report(Path("runs/compare"))  # doctest: +SKIP
    PosixPath('runs/compare/robustness.html')
    """
    results = Path(results)
    read = read_results(results)
    folder = Path(folder) if folder else results if results.is_dir() else results.parent
    folder.mkdir(parents=True, exist_ok=True)
    figures = json.dumps(read.model_dump(mode="json", exclude={"changed"}), indent=1)
    write_text(folder / FIGURES, figures + "\n")
    page = render(
        "robustness.html.jinja",
        _view(read, figures),
        styles=("page.css", "robustness.css"),
        scripts=["robustness.js"],
        pictures=True,
    )
    write_text(folder / PAGE, page)
    return folder / PAGE


def _view(results: Results, figures: str) -> dict[str, object]:
    """Gather everything that the page shows."""
    scores = Scores(results)
    styles = curves.styles({name: arm.llm for name, arm in results.arms.items()})
    changed, left_out = _changed(results.changed)
    orders_rows = sorted({order.rows for order in results.orders if order.rows})
    return {
        **WRITERS,
        "results": results,
        "scores": scores,
        "styles": styles,
        "dataset": _dataset(results),
        "metric": results.metric.replace("_", " "),
        "cheap_wins": results.verdict.cheap_wins,
        "notices": scores.disagreements(),
        "tables": [scores.table(name) for name in scores.corruptions],
        "others": list(dict.fromkeys(name for one in scores.clean.values() for name in one.other)),
        "orders_rows": orders_rows,
        "few_orders": any(rows < FEW for rows in orders_rows),
        "curves": _curves(scores, styles),
        "heat_map": _heat_map(scores),
        "removed": scores.removed(),
        "differences": scores.differences(),
        "costs": scores.costs(),
        "shared_cost": scores.shared_cost(),
        "changed": changed,
        "left_out": left_out,
        "arms_changed": list(dict.fromkeys(one["arm"] for one in changed)),
        "damages": list(dict.fromkeys(one["corruption"] for one in changed)),
        "figures": _script_safe(figures),
        "figures_name": FIGURES,
    }


def _dataset(results: Results) -> str:
    """Name the data set; the built-in sample is never called by the real set's name alone."""
    name = str(results.dataset.get("name") or "a data set")
    sample = "sample" in str(results.dataset.get("origin", "")).lower()
    return f"{name} (built-in sample)" if sample and "sample" not in name.lower() else name


def _curves(scores: Scores, styles: dict[str, Style]) -> list[dict[str, str]]:
    """Draw one picture for every corruption with levels, all with the same score axis."""
    drawn = {name: _lines(scores, styles, name) for name in scores.corruptions}
    drawn = {name: lines for name, lines in drawn.items() if lines}
    if not drawn:
        return []
    every = [line for lines in drawn.values() for line in lines]
    values = [value for line in every for point in line.points for value in point[1:]]
    values += [value for name in drawn if (value := scores.constant(name)) is not None]
    ends, letters = curves.limits(values), max(len(line.name) for line in every)
    return [
        {
            "name": name,
            "picture": _address(
                curves.score_curves(
                    lines, _frame(scores, name, ends, letters), scores.constant(name)
                )
            ),
            "arms": ", ".join(line.name for line in lines),
        }
        for name, lines in drawn.items()
    ]


def _frame(scores: Scores, name: str, ends: tuple[float, float], letters: int) -> Frame:
    level = "signal to noise in dB" if name == DECIBEL else "level of the damage"
    ticks = tuple(scores.ticks(name).values())
    return Frame(ends, scores.results.metric, ticks, level, letters)


def _lines(scores: Scores, styles: dict[str, Style], corruption: str) -> list[Line]:
    """Return the arms that were scored on `corruption` and clean rows, the constant left out."""
    ticks, lines = scores.ticks(corruption), []
    for arm in scores.results.arms:
        cells = [scores.clean.get(arm), *scores.levels_of(arm, corruption)]
        points = [
            (ticks[cell.level if cell.corruption == corruption else None][0], cell.score)
            + (cell.interval or (cell.score, cell.score))
            for cell in cells
            if cell and cell.score is not None
        ]
        if len(points) > 1 and arm != curves.CONSTANT:
            lines.append(Line(arm, styles[arm], tuple(points)))
    return lines


def _heat_map(scores: Scores) -> str:
    """Draw the scores with modalities missing, and the clean one first; '' without any."""
    removed = scores.removed()
    if not removed:
        return ""
    names = list(dict.fromkeys(arm for by in removed.values() for arm in by))
    cells = {(arm, subset): cell for subset, by in removed.items() for arm, cell in by.items()}
    cells |= {(arm, ()): scores.clean[arm] for arm in names if arm in scores.clean}
    values = {place: cell.score for place, cell in cells.items() if cell.score is not None}
    if not values:
        return ""
    worst = [cell.constant for cell in cells.values() if cell.constant is not None]
    every = [*values.values(), *worst]
    subsets = [(), *removed]
    ends = (min(every), max(every))
    better = scores.results.higher_is_better
    return _address(curves.heat_map(names, subsets, values, ends, better))


def _changed(rows: Sequence[Changed]) -> tuple[list[dict[str, Json]], int]:
    """Return the rows to show, `MOST_CHANGED` of each arm and corruption, and how many more."""
    shown: list[dict[str, Json]] = []
    times: dict[tuple[str, str], int] = {}
    for row in rows:
        kind = (row.arm, row.corruption)
        times[kind] = times.get(kind, 0) + 1
        if times[kind] <= MOST_CHANGED:
            shown.append(_row(row))
    return shown, len(rows) - len(shown)


def _row(row: Changed) -> dict[str, Json]:
    """Return one row with its corrupted text compared with its clean one."""
    clean = {name: _cut(text) for name, text in row.clean_parts.items()}
    damaged = {name: _cut(text) for name, text in row.corrupted_parts.items()}
    whole = sum(map(len, (*row.clean_parts.values(), *row.corrupted_parts.values())))
    return {
        "id": str(row.id),
        "arm": row.arm,
        "corruption": row.corruption,
        "level": written(row.corruption, row.level),
        "target": row.target,
        "before": row.clean_prediction,
        "after": row.corrupted_prediction,
        "clean": clean,
        "damaged": damaged,
        "change": differences.compare(clean, damaged),
        "cut": whole - sum(map(len, (*clean.values(), *damaged.values()))),
    }


def _cut(text: str) -> str:
    """Return at most `LONGEST_TEXT` characters, cut between words where there are any."""
    short = text[:LONGEST_TEXT]
    return text if len(text) <= LONGEST_TEXT else short.rpartition(" ")[0] or short


def _address(picture: bytes) -> str:
    """Return an SVG picture as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"


def _script_safe(figures: str) -> Markup:
    """Return JSON that cannot end the script element that holds it."""
    from markupsafe import Markup

    return Markup(figures.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))
