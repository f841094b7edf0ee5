"""What rows are for and what their columns hold: a schema to begin with, and what to do next."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from textcentric.command_line import command
from textcentric.data.inspection.codes import words_beside
from textcentric.data.inspection.columns import ColumnProfile, TableProfile, shown
from textcentric.data.inspection.draft import drafted
from textcentric.data.inspection.folders import table_in
from textcentric.data.inspection.forms import Form, form_of
from textcentric.data.inspection.media import Media, folders_of_files, media_of
from textcentric.data.inspection.roles import Roles, guess_roles
from textcentric.data.named import names
from textcentric.data.pairs import read_pairs
from textcentric.data.schema import Schema, read_schema
from textcentric.data.tables.encodings import likeliest
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table, from_hub, open_table
from textcentric.data.tables.titles import TitleError
from textcentric.errors import ConfigError, DataError, option
from textcentric.security.yaml import load

TRIED = 100  # pairs that are read
USUAL = "cp1252"  # the encoding of most texts that are not UTF-8
TEXTS = (".csv", ".tsv", ".tab", ".txt")


@dataclass(frozen=True)
class Inspection:
    """What was found of rows; `str()` of it is the file of their schema.

    `columns` has the kind and the evidence of each column, `path` is "" for rows in hand.
    """

    path: str
    form: Form
    profile: TableProfile
    text: str
    roles: Roles | None = None
    media: list[Media] = field(default_factory=list)
    data_dir: str | None = None

    @cached_property
    def schema(self) -> Schema | None:
        """The schema that is guessed; None where the rows need none (preferences, variants)."""
        return read_schema(load(self.text, words=True)) if self.roles else None

    @property
    def columns(self) -> dict[str, ColumnProfile]:
        """The columns by name: their kinds, values and what is odd in them."""
        return self.profile.columns

    def summary(self) -> str:
        """Return the roles of the columns in one line."""
        if self.roles is None:
            return f"{self.form}, which need no schema"
        guesses = {"id": self.roles.id, "target": self.roles.target, "task": self.roles.task}
        said = {role: guess.value for role, guess in guesses.items() if guess}
        said |= {"text": ", ".join(self.roles.text)} if self.roles.text else {}
        said |= {each.modality: each.files.column or "files" for each in self.roles.media}
        said |= {"ignore": ", ".join(self.roles.ignored)} if self.roles.ignored else {}
        return "; ".join(f"{role}: {value}" for role, value in said.items())

    def commands(self, schema: str | None = None) -> list[str]:
        """Return the commands to go on with; `schema` is the path of the file of the schema."""
        return list(_commands(self, schema)) if self.path else []

    def __str__(self) -> str:
        return self.text


def inspect(rows: object, *, data_dir: str | Path | None = None) -> Inspection:
    """Look at rows that nobody has described, by path or in hand, and guess their schema.

    Pictures and sounds are looked for in `data_dir`, else in the folder of the table, else beside
    it; then `data_dir` of what is returned is the folder that holds both. Raises DataError where
    there is no table to read, or where there are several to choose from.

    >>> print(inspect([{"id": "a", "mood": "calm"}, {"id": "b", "mood": "wild"}]).schema.id)
    id
    """
    table, path, keys = _opened(rows)
    first = next(table.rows(), None)
    if first is None:
        raise DataError(_no_row(table))
    root = Path(data_dir) if data_dir else _root(path)
    folder = None if data_dir is None else str(data_dir)
    profile = TableProfile.of(table)
    media = media_of(profile, root)
    found = any(each.rows for each in media) or bool(folders_of_files(root))
    if path and folder is None and not found:
        around = _around(root)
        beside = media_of(profile, around, beside=True)
        if any(each.rows for each in beside):
            media, folder = beside, str(around)
    form, layout = form_of(table, first)
    if form != "table":
        text = _without_schema(path or rows, form, layout)
        return Inspection(path, form, profile, text, media=media, data_dir=folder)
    roles = guess_roles(profile, media)
    if _are_captions(profile, roles):
        form = "captions"
        roles.doubts.clear()  # they need no target
    words = words_beside(profile, root) if path else {}
    text = drafted(profile, roles, words, keys, _notes(table, profile, form, folder))
    return Inspection(path, form, profile, text, roles, media, folder)


def _no_row(table: Table) -> str:
    left_out = LeftOut()
    deque(table.rows(left_out), 0)
    columns = ", ".join(table.columns)
    lines = "".join(f"; {note}" for note in left_out.notes())
    return (
        f"{table.path} has no row below its header ({columns:.60}){lines}; where the header lies"
        " deeper, give `skip: N` in a schema"
    )


def _opened(rows: object) -> tuple[Table, str, dict[str, str]]:
    """Return a table, its path, and how its text is written where the file does not say so."""
    if (table := table_in_hand(rows)) is not None:
        return table, "", {}
    if not isinstance(rows, str | Path):
        raise ConfigError(
            f"rows are a {type(rows).__name__}, expected a data frame, a list of dictionaries, a"
            " data set, or the path of a table"
        )
    if str(rows) in names():
        raise ConfigError(
            f"{rows} brings its own schema: {command('data', 'show', rows)}; for a table of that"
            f" name give a path, ./{rows}"
        )
    path = Path(rows)
    if not path.exists() and str(rows).count("/") == 1 and not path.suffix:
        return from_hub(str(rows)), str(rows), {}
    path = table_in(path)
    keys = _encoding(path) if any(end in path.name.lower() for end in TEXTS) else {}
    try:
        return open_table(path, _said(keys)), str(path), keys
    except TitleError as error:
        keys |= {"skip": f"{error.skip}\nlines of a title, {shown(error.title)}"}
        return open_table(path, _said(keys)), str(path), keys


def _said(keys: dict[str, str]) -> Schema:
    """Return how a text is written as a schema, without the reasons."""
    given: dict[str, str | int] = {k: value.partition("\n")[0] for k, value in keys.items()}
    return read_schema(given | ({"skip": int(given["skip"])} if "skip" in given else {}))


def _encoding(path: Path) -> dict[str, str]:
    readings = likeliest(path) if path.is_file() else {}
    if not readings:
        return {}
    name = USUAL if USUAL in readings else next(iter(readings))
    other = next((f"; {text!r} if {enc}" for enc, text in readings.items() if enc != name), "")
    return {"encoding": f"{name}\nencoding? a line reads {readings[name]!r}{other}"}


def _root(path: str) -> Path:
    place = Path(path or ".")
    return place if place.is_dir() else place.parent


def _around(root: Path) -> Path:
    """Return the folder that holds `root`."""
    return Path(os.path.normpath(root / "..")) if not root.is_symlink() else root / ".."


def _notes(table: Table, profile: TableProfile, form: Form, folder: str | None) -> Iterator[str]:
    if folder is not None:
        yield f"Its files are looked for from {folder}: {option('data_dir', folder)}."
    if form == "captions":
        yield "Pictures and captions of them: pairs for `textcentric latents` and `train align-vl`."
    if table.form and not any(table.form in note for note in table.notes):
        yield f"Read as {table.form}."
    yield from table.notes
    yield from profile.left_out.notes()


def _are_captions(profile: TableProfile, roles: Roles) -> bool:
    """Say whether rows are a picture and what is said of it, and nothing else."""
    named = any(media.files.column for media in roles.media)
    rest = {*profile.columns} - roles.taken()
    return named and len(roles.text) == 1 and not rest and roles.target is None


def _without_schema(source: object, form: Form, layout: str) -> str:
    """Say what rows are that need no schema."""
    if form == "candidates":
        return f"# prompts with several responses each ({layout}); they need no schema\n"
    if form == "variants":
        return "# sources and variants; they need no schema\n"
    pairs = read_pairs(source, limit=TRIED)  # type: ignore[arg-type]  # of which table_in_hand is
    lines = [f"# pairs of responses in the layout {layout}; they need no schema"]
    lines += [f"# {note}" for note in pairs.notes()]
    for pair in pairs.pairs[:3]:
        said = {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}
        lines += [f"# {pair.id}"]
        lines += [f"#   {name}: {' '.join(text.split())[:90]}" for name, text in said.items()]
    return "\n".join(lines) + "\n"


def _commands(found: Inspection, schema: str | None) -> Iterator[str]:
    name = Path(found.path).name.split(".")[0]
    if found.form == "variants":
        yield command("check", found.path)
    elif found.form == "candidates":
        yield command("evaluate", "reward", "MODEL", candidates=found.path)
    elif found.form == "pairs":
        yield command("train", "reward", dataset_name=found.path, image_dir=_image_dir(found),
                      output_dir=f"models/{name}")  # fmt: skip
    else:
        yield command("data", "check", found.path, data_dir=found.data_dir, schema=schema)
        yield from _uses(found, name, schema)


def _uses(found: Inspection, name: str, schema: str | None) -> Iterator[str]:
    given = {"dataset": found.path, "data_dir": found.data_dir, "schema": schema}
    if found.form == "captions":
        yield command("latents", **given, output_dir=f"latents/{name}")
        yield command("train", "align-vl", latents=f"latents/{name}", output_dir=f"models/{name}")
        return
    yield command("augment", **given, output_dir=f"runs/{name}")
    if found.roles and found.roles.target:
        yield command("train", "downstream", **given, output_dir=f"models/{name}")


def _image_dir(found: Inspection) -> str | None:
    pictures = next((media for media in found.media if media.files.column and media.rows), None)
    if pictures is None:
        return None
    root = Path(found.data_dir or _root(found.path))
    return os.path.normpath(root / (pictures.files.folder or ""))
