"""The columns of a run: what an output is, the Arrow schema, how rows are written and read.

What has an inside is a struct or a list of structs, and what is absent is null. Versions before
held JSON in strings and an empty text for an absent one: `read_rows` reads both, and a run that
began so goes on so (`begun`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic_core import to_json

from textcentric.errors import RunError, option
from textcentric.rows import Target, TargetType
from textcentric.runs.journal import Detail
from textcentric.runs.shard_files import shard_files
from textcentric.security.foreign import foreign
from textcentric.settings import Given
from textcentric.values import Json

if TYPE_CHECKING:
    import pyarrow as pa

FOLDERS = ("data", "rejected", "errors")
NESTED = ("parts", "sampling", "experts", "scores")
MAY_BE_ABSENT = ("model", "model_revision", "prompt_digest", "request_key")
# What checks measure; a struct has its fields before the first row, so all of them stand here.
SCORES = (
    *("written", "similarity", "sibling", "facts", "judge", "true"),
    *("new", "far", "borrowed", "forms", "altered", "fillers", "alike", "missing", "replaced"),
    *("relations", "inflected", "function", "moved", "degree", "scope"),
    *("numbers_lost", "names_lost", "values_lost", "spelling"),
    *("cosine", "tail", "forward", "back", "follows", "covers", "contradicts"),
)


class Spoke(TypedDict):
    """The expert that put one modality of a row into words, and how sure it was, in [0, 1]."""

    name: str
    version: str
    confidence: float | None


@dataclass(slots=True)
class Output:
    """One wanted output that was written; `reason` is empty where it was accepted."""

    id: Annotated[str, "ROW/PROMPT/SAMPLE"]
    source_id: Annotated[str, "id of the row"]
    dataset: Annotated[str, "name of the data set"]
    split: Annotated[str | None, "train, validation, test or another"]
    group: Annotated[str | None, "what is never parted between splits"]
    target: Annotated[Target, "what is to be predicted, of the type that the data have"]
    prompt: Annotated[str, "id of the prompt; `clean` for the row itself"]
    sample: Annotated[int, "which variant by this prompt, from 0"]
    source_text: Annotated[str, "the row in the experts' words"]
    text: Annotated[str, "the row as it was written: what is trained on"]
    parts: Annotated[Mapping[str, str], "the parts of `text`, by name and in order"]
    model: Annotated[str | None, "language model; null where none was asked"]
    model_revision: Annotated[str | None, "its commit, or a digest of its weights"]
    prompt_digest: Annotated[
        str | None, "digest of the prompt's file; of a clean row, of those that wrote into it"
    ]
    sampling: Annotated[Given | None, "sampling values, without the seed; null for none"]
    seed: Annotated[int | None, "of this output; its further requests count on from it"]
    request_key: Annotated[str | None, "keys of its requests in the journal, space between"]
    experts: Annotated[Mapping[str, Spoke], "each modality's expert, and how sure it was"]
    scores: Annotated[Mapping[str, float], "what the checks measured; null what they did not"]
    notes: Annotated[str, "what was cut, kept, missing; semicolons between"]
    reason: Annotated[str, "why it was rejected"] = ""
    details: tuple[Detail, ...] = ()  # no column: they are counted in the journal


@dataclass(slots=True)
class Failure:
    """One wanted output that could not be written, and at which stage."""

    id: Annotated[str, "ROW/PROMPT/SAMPLE"]
    source_id: Annotated[str, "id of the row"]
    prompt: Annotated[str, "id of the prompt; `clean` for the row itself"]
    sample: Annotated[int, "which variant by this prompt, from 0"]
    stage: Annotated[str, "describe, align, derive, perturb or judge; fault: nobody foresaw it"]
    error_type: Annotated[str, "kind of the error"]
    message: Annotated[str, "what went wrong; the traceback of a fault"]
    attempts: Annotated[int, "how often the request was sent"]


def output_id(source_id: str, prompt: str, sample: int) -> str:
    """Return the id of one wanted output: `row/prompt/sample`."""
    return f"{source_id}/{prompt}/{sample}"


OUTPUT_COLUMNS = [f.name for f in fields(Output) if f.name != "details"]
FAILURE_COLUMNS = [f.name for f in fields(Failure)]
Value = Target | Mapping[str, Any]  # of one column


def schemas(target: TargetType, classes: Sequence[str] = ()) -> dict[str, pa.Schema]:
    """Return the Arrow schema of each folder; `target` is the type that the data's targets have.

    `classes` are words for targets 0, 1, ...: Hugging Face's `datasets` reads them as a ClassLabel.
    """
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    expert = [("modality", text), ("name", text), ("version", text), ("confidence", number)]
    penalties = [(name, number) for name in ("min_p", "repetition_penalty")]
    sampling = [("temperature", number), ("top_p", number), ("top_k", pa.int64()), *penalties]
    types = {
        "target": pa.type_for_alias(target),
        "sample": pa.int32(),
        "parts": pa.list_(pa.struct([("name", text), ("text", text)])),
        "sampling": pa.struct([*sampling, ("max_tokens", pa.int64()), ("stop", pa.list_(text))]),
        "seed": pa.int64(),
        "experts": pa.list_(pa.struct(expert)),
        "scores": pa.struct([(name, number) for name in SCORES]),
        "attempts": pa.int32(),
    }
    names = (OUTPUT_COLUMNS[:-1], OUTPUT_COLUMNS, FAILURE_COLUMNS)
    label = {"target": {"names": [*classes], "_type": "ClassLabel"}}
    words = {"huggingface": json.dumps({"info": {"features": label}})} if classes else None
    data, rejected, errors = (
        pa.schema([(name, types.get(name, text)) for name in of_folder]) for of_folder in names
    )
    return {
        "data": data.with_metadata(words),
        "rejected": rejected.with_metadata(words),
        "errors": errors,
    }


def begun(folder: Path) -> dict[str, pa.Schema] | None:
    """Return the schemas that the run in `folder` began with; None where it has no shard.

    Raises RunError where they have other columns than this version writes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = next(iter(shard_files(folder, "data")), None)
    if first is None:
        return None
    with foreign(str(first), RunError):
        data = pq.read_schema(first)
    if set(data.names) != set(OUTPUT_COLUMNS[:-1]):
        other = sorted(set(data.names) ^ set(OUTPUT_COLUMNS[:-1]))
        raise RunError(
            f"{first} was written by another version, with other columns ({', '.join(other[:5])});"
            f" choose another {option('output_dir')}, with {option('reuse', str(folder))} to keep"
            " its answers"
        )
    rejected = data.append(pa.field("reason", pa.string()))
    return {"data": data, "rejected": rejected, "errors": schemas("string")["errors"]}


def as_table(rows: Sequence[Sequence[Value]], names: Sequence[str], schema: pa.Schema) -> pa.Table:
    """Return rows of the columns `names` under `schema`, which orders and types them."""
    import pyarrow as pa

    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    flat = "parts" in columns and pa.types.is_string(schema.field("parts").type)
    made = _flattened(columns) if flat else columns
    return pa.table([_array(made[field.name], field) for field in schema], schema=schema)


def _flattened(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return columns as versions before had them: JSON in strings, an absent text empty."""
    packed = {name: [dump(value or {}) for value in columns[name]] for name in NESTED}
    empty = {name: [value or "" for value in columns[name]] for name in MAY_BE_ABSENT}
    return {**columns, **packed, **empty}


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    import pyarrow as pa

    if field.name == "target":
        convert = {"int64": int, "double": float}.get(str(field.type), str)
        return pa.array([None if value is None else convert(value) for value in values], field.type)
    if pa.types.is_struct(field.type):
        return pa.array([value or None for value in values], field.type)
    if not pa.types.is_list(field.type):
        return pa.array(values, field.type)
    if field.name == "parts":
        return _lists([[*value.items()] for value in values], field.type)
    spoke = [[(name, *expert.values()) for name, expert in of_row.items()] for of_row in values]
    return _lists(spoke, field.type)


def _lists(lists: Sequence[Sequence[tuple[Any, ...]]], kind: pa.ListType) -> pa.ListArray:
    """Return lists of structs, built a field at a time: eight times as fast as of dicts."""
    import pyarrow as pa

    inner = list(kind.value_type)
    flat = list(zip(*chain.from_iterable(lists), strict=True)) or [()] * len(inner)
    arrays = [pa.array(values, field.type) for values, field in zip(flat, inner, strict=True)]
    ends = pa.array([0, *accumulate(map(len, lists))], pa.int32())
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(arrays, fields=inner))


def read_rows(data: pa.RecordBatch | pa.Table) -> Iterator[dict[str, Any]]:
    """Yield rows of a run, whatever version wrote them, as Python values.

    `parts` is {name: text} in order, `experts` {modality: name, version, confidence}, `sampling`
    and `scores` what there is of them; empty where absent.
    """
    import pyarrow as pa

    for batch in data.to_batches() if isinstance(data, pa.Table) else [data]:
        names = batch.schema.names
        columns = [
            _mappings(batch[name]) if name in NESTED else batch[name].to_pylist() for name in names
        ]
        yield from (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _mappings(column: pa.Array) -> list[dict[str, Any]]:
    import pyarrow as pa

    if pa.types.is_list(column.type):
        return _by_first_field(column)
    return [mapping(value) for value in column.to_pylist()]


def mapping(value: Json) -> dict[str, Any]:
    """Return a struct, or an object of JSON, without what is null in it; empty for null.

    Raises ValueError for a string that is no JSON.
    """
    if isinstance(value, str):
        value = json.loads(value) if value else {}
    if not isinstance(value, Mapping):
        return {}
    return {name: inner for name, inner in value.items() if inner is not None}


def _by_first_field(column: pa.ListArray) -> list[dict[str, Any]]:
    """Return of each list of structs a dict: the first field is the key, the rest the value."""
    keys, *rest = (field.to_pylist() for field in column.flatten().flatten())
    names = [field.name for field in column.type.value_type][1:]
    structs = (dict(zip(names, values, strict=True)) for values in zip(*rest, strict=True))
    pairs = iter(zip(keys, structs if names[1:] else rest[0], strict=True))
    return [dict(islice(pairs, length or 0)) for length in column.value_lengths().to_pylist()]


def experts_of(column: pa.ChunkedArray) -> set[tuple[str, str, str]]:
    """Return modality, name and version of every expert in the column `experts`."""
    import pyarrow as pa

    if pa.types.is_string(column.type):
        texts = [mapping(text) for text in column.unique().to_pylist()]
        spoken = [(m, e) for text in texts for m, e in text.items() if isinstance(e, Mapping)]
        return {(m, str(e.get("name", "")), str(e.get("version", ""))) for m, e in spoken}
    spoke = pa.Table.from_struct_array(column.combine_chunks().flatten())
    names = ["modality", "name", "version"]
    different = spoke.group_by(names).aggregate([]).to_pylist()
    return {(one["modality"], one["name"], one["version"]) for one in different}


def dump(value: Given) -> str:
    """Return `value` as one line of JSON."""
    return to_json(value).decode()
