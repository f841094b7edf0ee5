"""`textcentric runs`, `report` and `lineage`: what ran, what came of it, what made a row."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textcentric.augmentation.config import AugmentConfig
from textcentric.cli.options import AsJson, Quiet, Verbose, configured, of_output
from textcentric.cli.progress import duration
from textcentric.cli.running import engine_in_words, run_config
from textcentric.cli.terminal import columns, say, show, show_json
from textcentric.command_line import quoted
from textcentric.errors import ConfigError, RunError
from textcentric.folders import Change, brief, read_yaml
from textcentric.runs.columns import FOLDERS
from textcentric.runs.lock import holder
from textcentric.security.visible import in_line

if TYPE_CHECKING:
    from textcentric.engines.protocol import Engine
    from textcentric.reading.belief import Beliefs
    from textcentric.runs.listing import Listed

RESUMED = (
    *("base_url", "accept", "max_tokens_total", "max_minutes", "max_failed"),
    *("price_input", "price_output", "max_cost"),
)
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or its name in runs/.")]
Parent = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of run directories.")]
MOST_OF_A_PART = 6  # differences that are shown of one part, such as the data's schema
GO_ON = {
    "killed": "it was killed; what was finished is kept",
    "stopped": "it was stopped; what was finished is kept",
    "interrupted": "it was interrupted; what was finished is kept",
}
FATES = dict(zip(FOLDERS, ("accepted", "rejected", "failed"), strict=True))
FIELDS = (
    "source_id dataset split group target prompt sample prompt_digest model model_revision"
    " sampling seed experts scores reason notes stage error_type attempts message read"
    " edited_by edited"
).split()


def list_(parent: Parent = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs of a folder, newest first."""
    list_command(parent, as_json=as_json)


def show_(run: Run, as_json: AsJson = False) -> None:
    """Show what came of a run: counts, reasons, tokens, what limited it, how to go on."""
    show_command(run, as_json=as_json)


def diff(one: Run, two: Run, as_json: AsJson = False) -> None:
    """Show what differs between two runs: configuration, counts, tokens, versions.

    Values are cut to the width of the screen; --json has them whole.
    """
    diff_command(one, two, as_json=as_json)


@configured("augmentation.config", only=RESUMED, file=False)
def resume(
    config: AugmentConfig,
    run: Run,
    retry_failed: Annotated[
        bool,
        of_output("--retry-failed", about="Ask again for what failed; answers are kept."),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Go on with a run as it was configured, with the prompts that were frozen then.

    What is not given stays as the run has it. Paths in the configuration are as they were given:
    go on from the same folder.
    """
    from textcentric.cli.terminal import silence

    silence(verbose)
    given = {name: getattr(config, name) for name in RESUMED if name in config.model_fields_set}
    raise typer.Exit(
        resume_run(run, given, retry_failed=retry_failed, as_json=as_json, quiet=quiet)
    )


def report(run: Run) -> None:
    """Write `report.html` of a run anew and print its path."""
    report_command(run)


def lineage(
    row_id: Annotated[
        str, typer.Argument(metavar="ROW_ID", help="An output (row/prompt/sample), or a row.")
    ],
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="A run directory.", show_default="the newest"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what made an output: row, prompt, model, sampling values, seed, answers and checks.

    With the id of a source row, list the outputs that were made of it.
    """
    lineage_command(row_id, run, as_json=as_json)


def list_command(parent: Path, *, as_json: bool) -> None:
    """Print one line a run, newest first."""
    from textcentric.runs.listing import list_runs, status

    if not parent.is_dir():
        raise ConfigError(f"there is no folder {parent}; name the folder that holds the runs")
    runs = [run | {"status": status(Path(run["path"]), run)} for run in list_runs(parent)]
    if as_json:
        show_json(runs)
    elif runs:
        header = ["run", "status", "started", "rows", "accepted", "rejected", "failed", "model"]
        show(columns([_run_cells(run) for run in runs], header))
    else:
        say(f"no run in {parent}")


def _run_cells(run: Mapping[str, Any]) -> list[object]:
    from textcentric.runs.directory import variants_and_clean

    variants, _ = variants_and_clean(run.get("counts", {}))
    return [
        Path(run["path"]).name,
        run["status"],
        run.get("started", ""),
        run.get("dataset", {}).get("rows", 0),
        *(variants[name] for name in ("accepted", "rejected", "failed")),
        run.get("engine", {}).get("model") or "",
    ]


def show_command(name: str, *, as_json: bool) -> None:
    """Print a summary of one run."""
    from textcentric.reading.belief import known_beliefs
    from textcentric.runs.listing import find_run, summary

    folder = find_run(name)
    shown: dict[str, Any] = {**summary(folder), "believed": known_beliefs(folder)}
    if as_json:
        show_json(shown)
    else:
        show(_as_text(folder, shown))


def _as_text(folder: Path, shown: Any) -> str:
    from textcentric.runs.directory import variants_and_clean
    from textcentric.runs.manifest import STATUSES, derived_words

    lines = [in_line(f"{folder}: {_status_text(folder, shown)}")]
    dataset, engine = shown.get("dataset", {}), shown.get("engine", {})
    finished = f"{shown['finished_rows']} of " if "finished_rows" in shown else ""
    about = [
        f"data    {finished}{dataset.get('rows')} rows of {dataset.get('name')}"
        f" ({dataset.get('origin')}, {dataset.get('path')})",
        f"engine  {engine_in_words(engine).removeprefix('engine ')}",
        f"time    {duration(shown.get('seconds', 0))}, started {shown.get('started')},"
        f" seed {shown.get('seed')}",
    ]
    lines += map(in_line, about)
    counts = shown.get("counts", {})
    if counts:
        rows = [[name, *(entry.get(s, 0) for s in STATUSES)] for name, entry in counts.items()]
        variants, _ = variants_and_clean(counts)
        rows.append(["variants", *(variants[s] for s in STATUSES)])
        rows.append(["all", *(shown.get("totals", {}).get(s, 0) for s in STATUSES)])
        lines += ["", columns(rows, ["prompt", *STATUSES]), ""]
    lines += [*map(in_line, said.values()), ""] if (said := derived_words(shown)) else []
    lines += _believed(shown["believed"])
    lines += map(in_line, [*_reasons(shown), *_costs(shown)])
    return "\n".join(lines)


def _status_text(folder: Path, shown: Listed) -> str:
    from textcentric.command_line import command
    from textcentric.runs.listing import what_failed

    said = str(shown["status"])
    if said == "running":
        return f"running in process {holder(folder)}"
    if said == "failed":
        return f"failed: {what_failed(folder, shown)}"
    if said not in GO_ON:
        return said
    why = f" ({shown['stopped']})" if shown.get("stopped") else ""
    return f"{said}{why}: {GO_ON[said]}; {command('runs', 'resume', folder)}"


def _believed(counts: Mapping[str, Beliefs]) -> list[str]:
    """Say of each prompt how many accepted variants today's checks believe, and why not others."""
    from textcentric.runs.counters import ranked

    if not counts:
        return []
    rows: list[list[object]] = []
    refused, unjudged = Counter[str](), Counter[str]()
    for prompt, line in counts.items():
        refused.update(line["not_believed"])
        unjudged.update(line["not_judged"])
        others = [sum(line["not_believed"].values()), sum(line["not_judged"].values())]
        rows.append([prompt, line["accepted"], line["believed"], *others])
    head = ["passed by today's checks", "accepted", "believed", "not believed", "not judged"]
    lines = [columns(rows, head)]
    lines += [in_line(f"not believed: {ranked(refused)}")] if refused else []
    lines += [in_line(f"not judged: {ranked(unjudged)}")] if unjudged else []
    return [*lines, ""]


def _reasons(shown: Listed) -> list[str]:
    from textcentric.runs.counters import ranked
    from textcentric.runs.failures import failure_lines

    pieces = shown.get("pieces", {})
    lines = []
    for prompt, reasons in shown.get("reasons", {}).items():
        lines.append(f"rejected from {prompt}: {ranked(reasons)}")
        if prompt in pieces:
            lines.append(f"  of those in which nothing changed, pieces: {ranked(pieces[prompt])}")
    errors = shown.get("errors", {})
    if not errors:
        return lines
    said = (f"  {line}" for line in failure_lines(shown["said"], errors))
    return [*lines, f"failed: {ranked(errors)}", *said]


def _costs(shown: Listed) -> list[str]:
    if "finished_rows" in shown:
        return [f"{shown['answers']} answers are kept"]
    tokens, requests = shown.get("tokens", {}), shown.get("requests", {})
    share = shown["cached_share"]
    cached = f" ({share:.0%} from the cache)" if share is not None else ""
    return [
        f"tokens: {tokens.get('prompt', 0):,} of prompts{cached}, {tokens.get('output', 0):,}"
        " written",
        f"requests: {requests.get('sent', 0):,} sent, {requests.get('reused', 0):,} reused"
        f"{f', {read:,} likelihoods' if (read := requests.get('likelihoods', 0)) else ''}",
        *_money(shown),
        f"limited by: {shown.get('bottleneck', 'unknown')}",
    ]


def _money(shown: Listed) -> list[str]:
    from textcentric.runs.prices import money

    if "cost" not in shown:
        return []
    price = {"input": 0.0, "output": 0.0, **shown.get("prices", {})}
    a_million = f"{money(price['input'])} read, {money(price['output'])} written"
    return [f"cost: {money(shown['cost'])} (a million tokens: {a_million})"]


def diff_command(one: str, two: str, *, as_json: bool) -> None:
    """Print what differs, a value a line, fitted to the screen."""
    from textcentric.runs.listing import diff_runs, find_run

    found = diff_runs(find_run(one), find_run(two)) + _beliefs_that_differ(one, two)
    if as_json:
        show_json({name: [before, after] for name, before, after in found})
    elif found:
        names = ("", Path(one).name, Path(two).name)
        show(diff_as_text(found, names, shutil.get_terminal_size().columns))
    else:
        say("no difference in configuration, counts, tokens, engine or versions")


def _beliefs_that_differ(one: str, two: str) -> list[Change]:
    """Return what differs in how many variants today's checks believe, do not, or do not judge."""
    from textcentric.folders import changes
    from textcentric.reading.belief import known_beliefs
    from textcentric.runs.listing import find_run

    before, after = (_beliefs(known_beliefs(find_run(name))) for name in (one, two))
    return changes(before, after)


def _beliefs(counts: Mapping[str, Beliefs]) -> dict[str, dict[str, int]]:
    return {
        "believed": {name: of["believed"] for name, of in counts.items()},
        "not believed": {name: sum(of["not_believed"].values()) for name, of in counts.items()},
        "not judged": {name: sum(of["not_judged"].values()) for name, of in counts.items()},
    }


def diff_as_text(found: Sequence[Change], header: tuple[str, str, str], width: int) -> str:
    """Return three columns at most `width` wide: name, before, after; of a long part the first."""
    parts: dict[str, list[Change]] = {}
    for change in found:
        parts.setdefault(".".join(change[0].split(".")[:2]), []).append(change)
    rows: list[Change] = []
    for part, of in parts.items():
        rows += of[:MOST_OF_A_PART]
        if len(of) > MOST_OF_A_PART:
            rows.append((part, f"and {len(of) - MOST_OF_A_PART} more", ""))
    names = min((width - 4) // 2, max(len(name) for name, _, _ in rows))  # two blanks between
    room = (width - 4 - names) // 2
    cells = [[brief(n, names), brief(_said(b), room), brief(_said(a), room)] for n, b, a in rows]
    return columns(cells, [brief(name, room) for name in header])


def _said(value: object) -> object:
    return "-" if value is None else value


def report_command(name: str) -> None:
    """Write the report of a run and print its path."""
    from textcentric.report.run import write_report
    from textcentric.runs.listing import find_run

    show(write_report(find_run(name)))


def lineage_command(row_id: str, run: str | None, *, as_json: bool) -> None:
    """Print the lineage of an output, or the outputs of a source row."""
    from textcentric.runs.lineage import lineage, outputs_of
    from textcentric.runs.listing import find_run, newest_run

    folder = find_run(run) if run else newest_run()
    if run is None:
        say(f"in the newest run, {folder}")
    outputs = outputs_of(folder, row_id)
    if outputs and as_json:
        show_json({"source_id": row_id, "outputs": outputs})
    elif outputs:
        rows = [[one["id"], FATES[one["found_in"]], one["reason"]] for one in outputs]
        show(columns(rows, ["output", "fate", "reason"]))
    else:
        found = {**lineage(folder, row_id), **_read_by(folder, row_id)}
        if as_json:
            show_json(found)
        else:
            show(_lineage_as_text(found))


def _read_by(folder: Path, output: str) -> dict[str, Any]:
    """Return what readers called an output, and who edited it to what."""
    from textcentric.reading.answers import read_answers
    from textcentric.reading.sheet import sheets

    said = {(a.sheet, a.item, a.reader): a for a in read_answers(folder)}
    items = {
        (sheet.digest, item.item)
        for sheet in sheets(folder)
        for item in sheet.items
        if item.output == output and item.kind in ("accepted", "refused")
    }
    own = [answer for (digest, item, _), answer in said.items() if (digest, item) in items]
    edits = [a for a in own if a.edited]
    found: dict[str, Any] = {"read": {a.reader: a.word for a in own}} if own else {}
    if edits:
        found |= {"edited_by": edits[-1].reader, "edited": dict(edits[-1].edited or {})}
    return found


def _lineage_as_text(found: Mapping[str, Any]) -> str:
    lines = [in_line(f"{found['id']}: {FATES[found['found_in']]}")]
    known = [[name, _value(found[name])] for name in FIELDS if found.get(name) not in (None, "")]
    lines.append(columns(known))
    for title, name in (("source", "source_text"), ("text", "text")):
        if found.get(name):
            lines += [f"--- {title}", found[name]]
    for one in found["answers"]:
        lines += [f"--- answer {in_line(one['key'])}", _answer(one["answer"])]
    return "\n".join(lines)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _answer(answer: Any) -> str:
    """Return what the model wrote; a journal that was moved away no longer has it."""
    if answer is None:
        return "(not in the run's journal)"
    return str(answer.get("text", "")) if isinstance(answer, dict) else str(answer)


def resume_run(
    name: str,
    flags: Mapping[str, Any],
    *,
    retry_failed: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    engine: Engine | None = None,
) -> int:
    """Go on with the run `name`; return the exit code.

    `flags` win over what `run.yaml` says of when it stops and where its server is; `engine` stands
    in for the configured one.
    Raises RunError where data or model are no longer those of the run.
    """
    from textcentric.augmentation.brought import need_word_for_run
    from textcentric.prompts.library import PromptLibrary
    from textcentric.runs.directory import frozen_prompts
    from textcentric.runs.listing import find_run

    folder = find_run(name)
    config = saved_config(folder, flags)
    need_word_for_run(folder, config, flags, (lambda line: None) if quiet else say)
    library = PromptLibrary.load(frozen_prompts(folder), packaged=False)
    return run_config(
        config,
        retry_failed=retry_failed,
        as_json=as_json,
        quiet=quiet,
        library=library,
        engine=engine,
    )


def saved_config(folder: Path, flags: Mapping[str, Any]) -> AugmentConfig:
    """Return the configuration that `run.yaml` holds, going on in `folder`.

    What else stands there (digests of data, prompts and model) is compared when the run opens.
    """
    saved = read_yaml(folder / "run.yaml")
    values = {name: value for name, value in saved.items() if name in AugmentConfig.model_fields}
    values |= {"output_dir": str(folder), "resume": "auto", **flags}
    try:
        return AugmentConfig(**values)
    except ConfigError as error:
        raise RunError(
            f"{folder / 'run.yaml'}: {error}; it was"
            " written by another version: run `textcentric augment` again with --reuse"
            f" {quoted(str(folder))}"
        ) from error
