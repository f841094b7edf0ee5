"""`textcentric data`: which data sets there are, what a row is, and what is wrong with a folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textcentric.augmentation.config import EXPERTS, ROWS, AugmentConfig
from textcentric.cli.options import AsJson, configured
from textcentric.cli.terminal import columns, say, show, show_json
from textcentric.command_line import command
from textcentric.data.rows import tell_notes
from textcentric.errors import ConfigError, TextCentricError, cut
from textcentric.folders import write_text
from textcentric.security.visible import in_line

if TYPE_CHECKING:
    from textcentric.augmentation.description import Described
    from textcentric.data.checks import CheckReport, ColumnCheck, FilesCheck
    from textcentric.data.fit import Fit
    from textcentric.data.inspection import Inspection
    from textcentric.data.loading import SchemaSource
    from textcentric.rows import Record

Named = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="A path, OWNER/NAME, or a named set (see `textcentric data list`).",
    ),
]
SHOWN_FAULTS = 5
SHOWN_ROWS, LONGEST = 3, 600  # rows, and characters of each, that `init` shows
SHOWN_CLASSES = 8


def list_(as_json: AsJson = False) -> None:
    """List the named data sets: where each was looked for, and whether it is there."""
    list_sets(as_json=as_json)


@configured("augmentation.config", only=(*ROWS[1:], *EXPERTS), limit=3)
def show_(config: AugmentConfig, dataset: Named, as_json: AsJson = False) -> None:
    """Show rows with their codes turned into words, and as the model will read them.

    Example: textcentric data show petfinder --limit 1 --image-expert pixels
    """
    show_rows(config, as_json=as_json)


def fetch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A named set (see `textcentric data list`).")
    ],
    sample: Annotated[bool, typer.Option("--sample", help="Write the built-in sample.")] = False,
    rows: Annotated[
        int,
        typer.Option("--rows", metavar="INTEGER", help="Rows of the sample.", show_default="240"),
    ] = 240,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="INTEGER", help="Decides the sample's rows.", show_default="0"
        ),
    ] = 0,
    output_dir: Annotated[
        str | None,
        typer.Option("-o", "--output-dir", metavar="PATH", help="New folder for the sample."),
    ] = None,
) -> None:
    """Say how to get a data set, or write its built-in sample.

    The real sets may not be passed on, so there is no download; `--sample -o DIR` needs none.
    """
    if sample:
        if output_dir is None:
            raise typer.BadParameter("--sample needs a new folder: -o DIR")
        write_sample_to(name, output_dir, rows, seed)
        return
    raise typer.Exit(how_to_get(name))


@configured("augmentation.config", only=("data_dir", *EXPERTS), file=False)
def init(
    config: AugmentConfig,
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A table, a folder that holds one, OWNER/NAME.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="New file of the schema; - writes none.",
            show_default="TABLE.yaml",
        ),
    ] = None,
) -> None:
    """Write a schema for a table that has none, with the reason of every guess in it.

    Shows three rows as the model would read them, and the commands to go on with.

    Example: textcentric data init rooms.csv
    """  # fmt: skip
    init_schema(table, output, config)


@configured("augmentation.config", only=("data_dir", "table_schema"))
def check(
    config: AugmentConfig,
    dataset: Named,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures", help="Open every picture and sound once.", show_default="on"
        ),
    ] = True,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="MODEL", help="A trained model: say what differs from its rows."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say per column what is missing, unreadable or out of range, and which pictures are broken.

    Ends with 2 only where rows cannot be used: a required column absent, doubled ids, no readable
    row, most pictures absent. Fewer absent pictures, and broken ones, are warnings.
    """
    source = config.table_schema
    raise typer.Exit(
        show_check(
            dataset, config.data_dir, source, pictures=pictures, model=model, as_json=as_json
        )
    )


def list_sets(*, as_json: bool) -> None:
    """Print each named data set, where it was looked for and what `--dataset NAME` would take."""
    from textcentric.data.named import names

    found = [_whereabouts(name) for name in names()]
    if as_json:
        show_json(found)
        return
    for one in found:
        instead = "not here" + (", so its built-in sample is used" if one["taken"] else "")
        show(f"{one['name']}: {one['path'] or instead}")
        show(f"    {one['about']}")
        show(f"    looked in: {', '.join(one['looked_in'])}")
        if not one["path"]:
            show(f"    to get it: {one['how_to_get']}")


def _whereabouts(name: str) -> dict[str, Any]:
    from textcentric.data import named
    from textcentric.data.named import named_set, places
    from textcentric.data.sample.writer import has_sample

    module, looked = named_set(name), places(name)
    path = next((str(folder) for folder in looked if folder.is_dir()), None)
    return {
        "name": name,
        "about": module.ABOUT,
        "path": path,
        "taken": "folder" if path else "sample" if has_sample(name) else None,
        "looked_in": [str(folder) for folder in looked],
        "how_to_get": named.how_to_get(name),
    }


def how_to_get(name: str) -> int:
    """Print the folder of a data set that is here; else say how to get it, and return 2."""
    found = _whereabouts(name)
    if found["path"]:
        show(found["path"])
        return 0
    say(f"textcentric: {name} cannot be downloaded from here: {found['how_to_get']}")
    say(f"or unpack it into one of: {', '.join(found['looked_in'])}")
    if found["taken"]:
        say(f"the built-in sample needs nothing: {command('data', 'fetch', name)} --sample -o DIR")
    return 2


def write_sample_to(name: str, folder: str, rows: int, seed: int) -> None:
    """Write the sample of `name` into `folder` and print the folder."""
    from textcentric.data.sample.writer import write_sample

    path = write_sample(name, folder, rows, seed)
    say(f"wrote a sample of {rows} rows made for this project, not {name} itself; use it with")
    say(f"    {command('augment', dataset=name, data_dir=path)}")
    show(path)


def init_schema(table: str, output: str | None, config: AugmentConfig) -> None:
    """Print what `table` seems to be and write its schema; never over another file."""
    from textcentric.data.inspection import inspect

    found = inspect(table, data_dir=config.data_dir)
    path = None if output == "-" or found.schema is None else Path(output or _schema_of(found.path))
    if path is not None and path.exists():
        raise ConfigError(f"{path} exists and stays as it is; give another file, -o PATH, or -o -")
    show(found, end="")
    if path is not None:
        write_text(path, found.text)
        say(f"written to {path}; change what is not so")
    if found.schema is not None and not show_first(found, config):
        say("change what it names in the schema; then")
        say(f"  {found.commands('SCHEMA.yaml' if path is None else str(path))[0]}")
        raise typer.Exit(2)
    say("to go on:")
    for line in found.commands("SCHEMA.yaml" if path is None else str(path)):
        say(f"  {line}")


def _schema_of(table: str) -> str:
    return f"{Path(table).name.split('.')[0]}.yaml"


def show_first(found: Inspection, config: AugmentConfig) -> bool:
    """Show the first rows under the schema that was guessed, or why there are none.

    Returns whether there are rows.
    """
    from textcentric.augmentation.words import in_words
    from textcentric.data.loading import load

    try:
        dataset = load(found.path, data_dir=found.data_dir, schema=found.schema, limit=SHOWN_ROWS)
    except TextCentricError as error:
        say(f"textcentric: this schema does not read the table yet: {error}")
        return False
    say("\nthe first rows as a model reads them (`data show` has all of them):")
    for record, described in in_words(config, dataset, say=say):
        text = described.row.text() if described else ""
        cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text):,} characters)"
        heading = in_line(f"{record.id}  split {record.split}, target {record.target}")
        say(f"\n== {heading}\n{cut}")
    say("")
    return True


def show_rows(config: AugmentConfig, *, as_json: bool) -> None:
    """Print the rows of `config`: inputs in words, and the text that the model will read."""
    from textcentric.augmentation.opening import load_rows
    from textcentric.augmentation.words import in_words
    from textcentric.data.balance import in_words as counts

    dataset = load_rows(config)
    tell_notes(dataset, say)
    for record, described in in_words(config, dataset, say=say):
        if as_json:
            show_json(_as_json(record, described))
        else:
            show(_as_text(record, described, dataset.schema.choices or {}))
    say(counts(dataset.balance, "shown"))


def _as_json(record: Record, described: Described | None) -> dict[str, Any]:
    value = asdict(record)
    if described is not None:
        value |= {"parts": dict(described.row.parts), "text": described.row.text()}
        value |= {"experts": dict(described.experts), "notes": list(described.notes)}
    return value


def _as_text(record: Record, described: Described | None, choices: Any) -> str:
    word = choices.get(record.target)
    target = f"{record.target} ({word})" if word and word != record.target else record.target
    about = in_line(f"{record.id}  split {record.split}, group {record.group}, target {target}")
    lines = [f"\n== {about}"]
    for modality, value in record.inputs.items():
        if isinstance(value, dict):
            cells = [[f"  {name}", "-" if cell is None else cell] for name, cell in value.items()]
            lines += [f"[{modality}]", columns([list(map(str, cell)) for cell in cells])]
        else:
            lines.append(f"[{modality}] {_said(value)}")
    if described is not None:
        lines += ["--- as the model reads it", described.row.text()]
        lines += [f"note: {in_line(note)}" for note in described.notes]
    return "\n".join(lines)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value))


def show_check(
    dataset: str,
    data_dir: str | None,
    schema: SchemaSource,
    *,
    pictures: bool,
    model: str | None,
    as_json: bool,
) -> int:
    """Print what is wrong with a data set; return 2 where its rows cannot be used.

    With `model` it is read as that model's training rows were.
    """
    from textcentric.data.checks import check

    if schema is None and model is None:
        say_guess(dataset, data_dir)
    fit = None if model is None else fit_of(model)
    report = check(dataset, data_dir=data_dir, schema=schema, pictures=pictures, fit=fit)
    if as_json:
        show_json(report.to_dict())
    else:
        show(_report_text(report))
    for problem in report.problems:
        say(f"textcentric: {problem}")
    return 0 if report.usable else 2


def fit_of(model: str) -> Fit:
    """Return what reads new rows as the training rows of a model were read."""
    from textcentric.evaluation.prediction import find_model, fit_to
    from textcentric.machine import require
    from textcentric.methods.downstream.method import saved_origin

    require("predict")
    return fit_to(saved_origin(find_model(model)))


def say_guess(dataset: str, data_dir: str | None) -> None:
    """Say in two lines what a schema of a table could be; nothing for sets by name."""
    from textcentric.data.inspection import inspect
    from textcentric.data.named import names

    with suppress(TextCentricError, OSError):  # the check says better what is wrong
        if dataset in names() or not Path(dataset).exists():
            return
        found = inspect(dataset, data_dir=data_dir)
        say(f"no schema says what the columns are; they look like {found.summary()}")
        say(f"to write one: {command('data', 'init', dataset, data_dir=data_dir)}")


def _report_text(report: CheckReport) -> str:
    lines = [
        in_line(f"{report.name} ({report.origin}, {report.path})"),
        f"{report.rows} rows, {report.usable_rows} usable",
    ]
    lines += [f"read as {report.form}"] if report.form else []
    lines += [report.balance] if report.balance else []
    if report.columns:
        header = ["column", "role", "values", "missing", "unreadable", "out of range", "such as"]
        lines += ["", columns([_column_cells(one) for one in report.columns], header)]
    if report.files:
        header = ["files", "rows with", "rows without", "found", "absent", "refused", "broken"]
        lines += ["", columns([_files_cells(one) for one in report.files], header)]
    if report.splits:
        header = ["split", "rows", "classes"]
        counts = report.splits.items()
        rows = [[cut(name) or "(none)", one.rows, _classes(one.classes)] for name, one in counts]
        lines += ["", f"splits made {report.splits_made}", columns(rows, header)]
    lines += ["", *(f"warning: {in_line(warning)}" for warning in report.warnings)]
    lines += [f"row left out: {in_line(fault)}" for fault in report.faults[:SHOWN_FAULTS]]
    more = len(report.faults) - SHOWN_FAULTS
    lines += [f"and {more} more; --json lists them"] if more > 0 else []
    lines += [f"problem: {in_line(problem)}" for problem in report.problems]
    lines.append("usable" if report.usable else "not usable")
    return "\n".join(line for i, line in enumerate(lines) if line or lines[i - 1])


def _classes(classes: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name:.30} {n}" for name, n in list(classes.items())[:SHOWN_CLASSES])
    more = len(classes) - SHOWN_CLASSES
    return shown + (f", and {more} more" if more > 0 else "")


def _column_cells(one: ColumnCheck) -> list[object]:
    counts = (one.values, one.missing, one.unreadable, one.out_of_range)
    return [one.column, one.role, *counts, "; ".join(one.examples[:2])]


def _files_cells(one: FilesCheck) -> list[object]:
    broken = sum(one.broken.values()) if one.opened else "-"
    return [
        one.modality,
        one.rows_with,
        one.rows_without,
        one.found,
        one.absent,
        one.refused,
        broken,
    ]
