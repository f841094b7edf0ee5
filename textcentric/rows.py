"""What the package passes on: records, rows in words, examples to train on, pairs, how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict

from textcentric.errors import DataError
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
    """Rows in the source, rows given, and those left out by reason; they add up."""

    source: int
    given: int
    left_out: dict[str, Left]


class Read(TypedDict):
    """What is read of the rows' table: the schema as plain values, the columns in their order."""

    schema: dict[str, Json]
    columns: list[str]


@dataclass(frozen=True, slots=True)
class Record:
    """One raw row.

    `inputs` maps a modality to its raw value: `table` to {column: value or None}, `text` to a
    string, `image` and `audio` to a tuple of file paths inside the data folder.
    """

    id: str
    inputs: Inputs
    target: Target = None
    group: str | None = None
    split: str | None = None


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
    """One row to train on, to score or to predict; `parts` is empty where nothing can be said."""

    id: str
    parts: Mapping[str, str]
    target: Target = None
    split: str | None = None
    group: str | None = None
    variants: tuple[Mapping[str, str], ...] = ()
