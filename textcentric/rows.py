"""What the package passes on: records, rows in words, examples to train on, pairs, how many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict

from textcentric.errors import DataError, unknown
from textcentric.values import Json

if TYPE_CHECKING:
    from pydantic import BaseModel

Target = float | int | str | None
TargetType = Literal["string", "int64", "double"]  # of all targets of a data set, as Arrow calls it
# Raw values by modality, which decides their type; see Record.
Inputs: TypeAlias = Mapping[str, Any]
CLEAN = "clean"
DERIVED = ("summary", "reason")  # parts that an LLM writes
MODALITIES = ("table", "text", "image", "audio")  # in the order in which a row says them
FILES = ("image", "audio")  # of these a value is paths of files
_FILE_FAULTS = ("picture ", "sound ")  # how errors of files begin
LABELS = "image_labels"  # what a vision service saw on the pictures, beside them or in their place
_KINDS = {"table": Mapping, "text": str, "image": tuple, "audio": tuple, LABELS: Sequence}
_EXPECTED = {
    "table": "a mapping",
    "text": "a text",
    "image": "paths or pictures",
    "audio": "paths",
    LABELS: "a sequence",
}


class Source(Protocol):
    """Where rows come from: a name, the kind of place, what columns mean, a digest of all."""

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> str: ...

    @property
    def schema(self) -> BaseModel: ...

    @property
    def digest(self) -> str: ...


class Left(TypedDict):
    """Rows that are left out for one reason, and the first three of them."""

    rows: int
    examples: list[str]


class Balance(TypedDict):
    """Rows in the source, rows given, and those left out by reason; they add up.

    `unread` counts rows given of which a file could not be read.
    """

    source: int
    given: int
    left_out: dict[str, Left]
    unread: NotRequired[Left]


class Read(TypedDict):
    """What is read of the rows' table: the schema as plain values, the columns in their order."""

    schema: dict[str, Json]
    columns: list[str]


@dataclass(frozen=True, slots=True)
class Record:
    """One raw row.

    `inputs` maps a modality to its raw value: `table` to {column: value or None}, `text` to a
    string, `image` and `audio` to a tuple of file paths inside the data folder. One file is taken
    for a tuple of one; a picture may be one of Pillow, or an array (H, W), (H, W, 3) or (H, W, 4).
    Raises DataError, with the row's id, for what cannot be a row.
    """

    id: str
    inputs: Inputs
    target: Target = None
    group: str | None = None
    split: str | None = None

    def __post_init__(self) -> None:
        if fault := _fault(self):
            raise DataError(f"row {self.id!r:.60}: {fault}")
        for modality, value in self.inputs.items():
            if not isinstance(value, _KINDS.get(modality, ())):
                self._set("inputs", {m: _input(self.id, m, v) for m, v in self.inputs.items()})
                break
        if self.target is not None and not isinstance(self.target, str | int):
            self._set("target", _label(self.id, self.target))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # it is frozen


def _fault(record: Record) -> str:
    """Return what is wrong with all but the values, empty where nothing is."""
    if not isinstance(record.id, str) or not record.id:
        return "its id must be a text that is not empty"
    for name, value in (("group", record.group), ("split", record.split)):
        if not isinstance(value, str | None):
            return f"its {name} is {value!r:.60}, expected a text or None"
    if not isinstance(record.inputs, Mapping):
        return f"its inputs are a {type(record.inputs).__name__}, expected a mapping"
    return ""


def _input(row_id: str, modality: str, value: Any) -> Any:
    """Return the value of a modality, files as a tuple; raise DataError where it cannot be one."""
    if modality not in (*MODALITIES, LABELS):
        raise _unfit(row_id, unknown("modality", str(modality), (*MODALITIES, LABELS)))
    if modality in FILES:
        value = tuple(value) if isinstance(value, list | tuple) else (value,)
        wrong = [one for one in value if not _is_file(one, modality)]
        if not wrong:
            return value
        value = wrong[0]
    elif value is not None and isinstance(value, _KINDS.get(modality, object)):
        return value
    hint = "; leave it out" if value is None else ""
    what = "None" if value is None else f"a {type(value).__name__}"
    raise _unfit(
        row_id, f"its {modality} is {what}, expected {_EXPECTED.get(modality, 'a value')}{hint}"
    )


def _is_file(value: object, modality: str) -> bool:
    if isinstance(value, str | bytes | PathLike):
        return True
    picture = hasattr(value, "getbands") or getattr(value, "ndim", 0) in (2, 3)
    return modality == "image" and picture


def _label(row_id: str, target: Any) -> Target:
    """Return a target as a number of Python's, None for NaN; raise DataError where it is none."""
    if hasattr(target, "item") and not getattr(target, "shape", ()):
        target = target.item()  # of NumPy
    if isinstance(target, float) and target != target:
        return None
    if isinstance(target, float | int | str):
        return target
    what = f"its target is a {type(target).__name__}, expected a number or a text"
    raise _unfit(row_id, f"{what}: one label a row")


def _unfit(row_id: str, fault: str) -> DataError:
    return DataError(f"row {row_id!r:.60}: {fault}", row_id=row_id)


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row as text: `parts` maps a name (`table`, `text`, `image`, ...) to its words, in order.

    >>> row = TextRow("r1", {"table": "Age: 3 months.", "text": "A calm dog."})
    >>> row.text(order=["text", "table"])
    'A calm dog.\\n\\nAge: 3 months.'
    """

    id: str
    parts: Mapping[str, str]
    target: Target = None
    source: str | None = None

    def __post_init__(self) -> None:
        if not any(text.strip() for text in self.parts.values()):
            raise DataError(
                f"row {self.id!r} has no text left in any part ({', '.join(self.parts) or 'none'});"
                " a row needs at least one modality with content",
                row_id=self.id,
            )

    def text(self, order: Sequence[str] | None = None) -> str:
        """Join the parts, one paragraph each, in `order` (a permutation of the part names)."""
        names = list(self.parts) if order is None else list(order)
        if sorted(names) != sorted(self.parts):
            raise DataError(
                f"order {names} is not a permutation of the parts {list(self.parts)}",
                row_id=self.id,
            )
        return "\n\n".join(self.parts[name] for name in names if self.parts[name].strip())

    def with_part(self, name: str, text: str) -> TextRow:
        """Return a copy in which part `name` reads `text`; a new part goes last."""
        return replace(self, parts={**self.parts, name: text})


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair of responses, and what there is to know of their subject.

    `descriptions` say in words what else was given with the prompt ({"image": "two red balls"});
    `images` are the files, or the data, behind them. `margin` is in units of reward. Pairs of one
    `group` (one picture, say) belong into one split.
    """

    id: str
    prompt: str
    chosen: str
    rejected: str
    descriptions: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Any, ...] = ()
    margin: float | None = None
    group: str | None = None
    subset: str | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One row to train on, to score or to predict; `parts` is empty where nothing can be said.

    `faults` say which files of it are not in its words, and why.
    """

    id: str
    parts: Mapping[str, str]
    target: Target = None
    split: str | None = None
    group: str | None = None
    variants: tuple[Mapping[str, str], ...] = ()
    faults: tuple[str, ...] = ()


def file_faults(notes: Iterable[str]) -> tuple[str, ...]:
    """Return those notes of a row that say why a file of it could not be read.

    >>> file_faults(["language=en", "picture 'a.png' is empty (0 bytes)"])
    ("picture 'a.png' is empty (0 bytes)",)
    """
    return tuple(note for note in notes if note.startswith(_FILE_FAULTS))
