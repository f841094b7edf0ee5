"""One HTML page about a run: what came out, why the rest did not, twenty rows first, then all.

The page is one file without any outside resource, beside it the texts of large runs
(`run_pages.py`); `page.py` says how it is kept so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textcentric.folders import write_text
from textcentric.prompts.calibration import UNREAD
from textcentric.report import charts, differences
from textcentric.report import run_files as rundir
from textcentric.report import run_rows as shards
from textcentric.report.formats import count, duration, figure, share
from textcentric.report.page import is_page, render
from textcentric.report.run_files import RunFiles, number, section
from textcentric.report.run_pages import MOST_INSIDE, browser_data
from textcentric.report.run_rows import Output, Source, Tally
from textcentric.rows import DERIVED
from textcentric.runs.failures import commonest_sentences
from textcentric.runs.prices import money
from textcentric.runs.shards import NOTHING
from textcentric.security.outputs import check_ours
from textcentric.values import Json

STATUSES = ("accepted", "rejected", "failed", "pending")
SHOWN_SOURCES = 20


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into `run_dir` from its files alone, and return its path.

    Works for a run in progress and with files absent; raises ConfigError where there is no
    such folder. Memory stays flat however many rows there are.

    >>> write_report(Path("runs/petfinder-1f3a"))  # doctest: +SKIP
    PosixPath('runs/petfinder-1f3a/report.html')
    """
    run_dir = Path(run_dir)
    path = run_dir / "report.html"
    check_ours(path, "a report", is_page)
    view = {**_view(run_dir), "chart_size": charts, "statuses": STATUSES}
    page = render(
        "page.html.jinja",
        view,
        styles=["page.css", "rows.css"],
        scripts=["page.js", "rows.js", "differences.js"],
        pictures=False,
        loads=view["outputs"] > MOST_INSIDE,
    )
    write_text(path, page)
    return path


def _view(run_dir: Path) -> dict[str, Any]:
    """Gather everything that the page shows."""
    from markupsafe import Markup

    run = rundir.read_run(run_dir)
    seed = int(number(run.manifest.get("seed")))
    found = shards.tally(run_dir, seed, SHOWN_SOURCES)
    sources = [_source(source) for source in shards.fetch(run_dir, found.sources)]
    outputs = sum(sum(counts.values()) for counts in found.counts.values())
    prompts = _prompts(run.manifest, found)
    read = rundir.read_words(run_dir, run.manifest)
    for line in prompts:
        line["read"] = read.get(line["name"], UNREAD).replace(UNREAD, "")
    totals = _totals(run.manifest, prompts)
    return {
        "run": run,
        "manifest": run.manifest,
        "section": lambda name: section(run.manifest, name),
        "seed": seed,
        "dataset": _dataset(run.manifest),
        "model": str(section(run.manifest, "engine").get("model") or "").rstrip("/\\"),
        "prompts": prompts,
        "unread": rundir.never_read(read),
        "derived": rundir.derived_lines(run.manifest, read),
        "totals": totals,
        "variants": _variants(prompts, totals),
        "clean": next((line for line in prompts if line["name"] == shards.CLEAN), None),
        "reasons": _reasons(run.manifest, found),
        "errors": _ranked(section(run.manifest, "errors") or found.errors),
        "said": commonest_sentences(run_dir),
        "charts": _charts(run),
        "window": charts.smoothing(run.readings),
        "figures": _figures(run, totals),
        "identity": _identity(run.manifest),
        "sources": sources,
        "outputs": outputs,
        "browser": Markup(browser_data(run_dir, outputs)),
        "drawn": sorted({one["prompt"] for source in sources for one in source["variants"]}),
        "notices": [*run.notices, *found.notices, *_disagreements(run.manifest, totals, found)],
    }


def _dataset(manifest: Mapping[str, Json]) -> str:
    """Name the data set; the built-in sample is never called by the real set's name alone."""
    dataset = section(manifest, "dataset")
    name = str(dataset.get("name") or "a data set")
    sample = "sample" in str(dataset.get("origin", "")).lower() and "sample" not in name.lower()
    return f"{name} (built-in sample)" if sample else name


def _prompts(manifest: Mapping[str, Json], found: Tally) -> list[dict[str, Any]]:
    """Return one line a prompt; the files are counted where the manifest has no counts yet."""
    known = section(manifest, "prompts")
    counts = section(manifest, "counts") or {
        name: {"requested": sum(by.values()), **by} for name, by in found.counts.items()
    }
    lines = []
    for name in sorted(counts, key=lambda one: (one != shards.CLEAN, one)):
        line = {key: number(counts[name].get(key)) for key in ("requested", *STATUSES)}
        about = known.get(name)
        label = about.get("label") if isinstance(about, Mapping) else None
        lines.append({"name": name, "label": label, "bar": _bar(line), **line})
    return lines


def _bar(line: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Return (status, start, width) in percent; a part that exists is never thinner than 1.5."""
    whole = max(line["requested"], sum(line[status] for status in STATUSES)) or 1
    start, bar = 0.0, []
    for status in STATUSES:
        width = max(100 * line[status] / whole, 1.5) if line[status] else 0
        if width:
            bar.append((status, round(start, 2), round(min(width, 100 - start), 2)))
        start = min(start + width, 98.5)
    return bar


def _totals(manifest: Mapping[str, Json], prompts: list[dict[str, Any]]) -> dict[str, Any]:
    given = section(manifest, "totals")
    totals: dict[str, float] = {
        key: number(given[key]) if key in given else sum(line[key] for line in prompts)
        for key in ("requested", *STATUSES)
    }
    return {**totals, "bar": _bar(totals)}


def _variants(prompts: list[dict[str, Any]], totals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of the headline: variants alone, or all outputs where none is owed."""
    written = [line for line in prompts if line["name"] != shards.CLEAN]
    if not any(line["requested"] for line in written):
        return {**totals, "of": "outputs"}
    counts = {key: sum(line[key] for line in written) for key in ("requested", *STATUSES)}
    return {**counts, "of": "variants", "bar": _bar(counts)}


def _reasons(manifest: Mapping[str, Json], found: Tally) -> list[dict[str, Any]]:
    """Return the reasons of rejection over all prompts, with the prompts they came from."""
    by_prompt = section(manifest, "reasons") or found.reasons
    sums: dict[str, dict[str, float]] = {}
    for prompt, reasons in by_prompt.items():
        for reason, times in reasons.items() if isinstance(reasons, Mapping) else ():
            sums.setdefault(str(reason), {})[prompt] = number(times)
    pieces = _pieces(manifest)
    lines = [
        {
            "reason": reason,
            "times": sum(by.values()),
            "prompts": _ranked(by)[:4],
            "pieces": _ranked(pieces if reason == NOTHING else {})[:6],
        }
        for reason, by in sums.items()
    ]
    return sorted(lines, key=lambda line: (-line["times"], line["reason"]))


def _pieces(manifest: Mapping[str, Json]) -> dict[str, float]:
    """Return why pieces were refused of the variants in which nothing changed, over all prompts."""
    sums: dict[str, float] = {}
    for reasons in section(manifest, "pieces").values():
        for reason, times in reasons.items() if isinstance(reasons, Mapping) else ():
            sums[str(reason)] = sums.get(str(reason), 0) + number(times)
    return sums


def _ranked(times: Mapping[str, Json]) -> list[tuple[str, float]]:
    pairs = [(str(name), number(value)) for name, value in times.items()]
    return sorted((pair for pair in pairs if pair[1]), key=lambda pair: (-pair[1], pair[0]))


def _charts(run: RunFiles) -> list[charts.Chart]:
    window = charts.smoothing(run.readings)
    outputs = charts.rate(run.readings, ["accepted", "rejected", "failed"], window)
    tokens = charts.rate(run.readings, ["output_tokens"], window)
    full = charts.level(run.readings, "in_flight")
    capacity = max((one.get("capacity", 0) for one in run.readings), default=0)
    drawn = [
        charts.line_chart("Output tokens", "tokens a second", tokens, run.resumed),
        charts.line_chart("Finished outputs", "outputs a second", outputs, run.resumed),
        charts.line_chart(
            "Engine fill", "requests in flight", full, run.resumed, capacity, "capacity"
        ),
    ]
    return [chart for chart in drawn if chart]


def _figures(run: RunFiles, totals: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the key figures as (name, value, what it is made of); unknown ones are left out."""
    tokens, requests = section(run.manifest, "tokens"), section(run.manifest, "requests")
    last = run.readings[-1] if run.readings else {}
    seconds = number(run.manifest.get("seconds")) or last.get("t", 0)
    prompt = number(tokens.get("prompt", last.get("prompt_tokens")))
    cached = number(tokens.get("cached", last.get("cached_tokens")))
    output = number(tokens.get("output", last.get("output_tokens")))
    sent = number(requests.get("sent", last.get("sent")))
    reused = number(requests.get("reused", last.get("reused")))
    cost = number(run.manifest.get("cost"))
    done = totals["accepted"] + totals["rejected"] + totals["failed"]
    filled = sum(one.get("in_flight", 0) for one in run.readings)
    room = sum(one.get("capacity", 0) for one in run.readings)
    made_of = (
        [
            ("Time", duration(seconds), f"{figure(done / seconds)} outputs a second", seconds),
            (
                "Output tokens",
                count(output),
                f"{figure(output / seconds)} a second",
                output and seconds,
            ),
            ("Prompt tokens", count(prompt), f"{count(cached)} came from the cache", prompt),
            ("Cost", money(cost), _prices(run.manifest), cost),
            ("Cache-hit share", share(cached, prompt), "of all prompt tokens", prompt),
            ("Reused answers", share(reused, sent + reused), _reuse(reused, sent), sent + reused),
            ("Engine fill", share(filled, room), "requests in flight over its capacity", room),
        ]
        if seconds
        else []
    )
    return [(name, value, parts) for name, value, parts, known in made_of if known]


def _identity(manifest: Mapping[str, Json]) -> dict[str, Json]:
    """Return the few values that decide the run's texts."""
    dataset, engine = section(manifest, "dataset"), section(manifest, "engine")
    values = {
        "fingerprint": manifest.get("fingerprint"),
        "seed": manifest.get("seed"),
        "code": manifest.get("git"),
        "data digest": dataset.get("digest"),
        "model": engine.get("model"),
        "model revision": engine.get("model_revision"),
        "weights of the checks": manifest.get("weights") or "shipped",
        "chat template digest": engine.get("template_digest"),
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _prices(manifest: Mapping[str, Json]) -> str:
    prices = section(manifest, "prices")
    read, written = number(prices.get("input")), number(prices.get("output"))
    return f"a million tokens: {money(read)} read, {money(written)} written"


def _reuse(reused: float, sent: float) -> str:
    return f"{count(reused)} from the journal, {count(sent)} sent"


def _disagreements(
    manifest: Mapping[str, Json], totals: Mapping[str, Any], found: Tally
) -> list[str]:
    """Check the books: requested = the sum of the rest, and the files hold what is claimed."""
    notices = []
    ended = sum(totals[status] for status in STATUSES)
    if ended != totals["requested"]:
        notices.append(
            f"The books do not balance: {count(totals['requested'])} outputs were requested, but"
            f" accepted, rejected, failed and pending add up to {count(ended)}."
        )
    if manifest.get("status") != "finished":
        return notices
    for status in shards.FOLDERS:
        held = sum(counts[status] for counts in found.counts.values())
        if held != totals[status]:
            notices.append(
                f"manifest.json says {count(totals[status])} {status}, but"
                f" {shards.FOLDERS[status]}/ holds {count(held)} rows."
            )
    return notices


def _source(source: Source) -> dict[str, Any]:
    """Return one source with its variants compared with it."""
    first = source.clean or next((one for one in source.variants if one.source_text), None)
    parts = dict(source.clean.parts) if source.clean else {}
    notes = source.clean.notes if source.clean else ""
    return {
        "id": source.id,
        "row": first.row if first else {},
        "parts": parts or {"": first.source_text if first else ""},
        "cut": source.clean.cut if source.clean else 0,
        "clean": source.clean,
        "notes": notes,
        "variants": [_variant(_own(parts, one), one, notes) for one in source.variants],
        "more": source.more,
    }


def _own(parts: Mapping[str, str], variant: Output) -> dict[str, str]:
    """Return the parts that `variant` can have: not what a model wrote into the clean row."""
    return {name: t for name, t in parts.items() if name in variant.parts or name not in DERIVED}


def _variant(parts: Mapping[str, str], output: Output, of_row: str) -> dict[str, object]:
    comparable = bool(parts) and not parts.keys().isdisjoint(output.parts)
    change = (
        differences.compare(parts, output.parts)
        if comparable
        else differences.compare({"": output.source_text}, {"": output.text})
    )
    return {
        "prompt": output.prompt,
        "status": output.status,
        "output": output,
        "change": change,
        "notes": shards.own_notes(output.notes, of_row),
    }
