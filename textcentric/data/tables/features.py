"""What `datasets` says of columns in the metadata of a file: the words for classes above all.

A number of a class in a column of its own stays one, and its words are told beside; inside a list
or an object it becomes its word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from textcentric.errors import DataError
from textcentric.security.foreign import foreign
from textcentric.values import Cell

if TYPE_CHECKING:
    import pyarrow as pa

Features: TypeAlias = Mapping[str, Any]  # `Features.to_dict()`: nested at will


def features_of(metadata: Mapping[bytes, bytes] | None) -> Features:
    """Return the features that `datasets` wrote into the metadata of a file, if it did.

    >>> features_of({b"huggingface": b'{"info": {"features": {"a": {"dtype": "bool"}}}}'})
    {'a': {'dtype': 'bool'}}
    """
    with suppress(DataError), foreign("what `datasets` wrote"):
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return features if isinstance(features, Mapping) else {}
    return {}


def class_names(features: Features) -> dict[str, Sequence[str]]:
    """Return the words for the classes of the columns that are classes.

    >>> class_names({"kind": {"names": ["owl", "newt"], "_type": "ClassLabel"}})
    {'kind': ['owl', 'newt']}
    """
    return {name: feature["names"] for name, feature in features.items() if _is_class(feature)}


def with_words(batch: pa.RecordBatch, features: Features) -> pa.RecordBatch:
    """Return a batch with words for the classes in its lists and objects, and null for no class."""
    for at, name in enumerate(batch.schema.names):
        feature = features.get(name)
        if _is_class(feature):
            batch = batch.set_column(at, name, _known_classes(batch.column(at)))
    return in_words(batch, {name: f for name, f in features.items() if _has_inner_classes(f)})


def in_words(batch: pa.RecordBatch, features: Features) -> pa.RecordBatch:
    """Return a batch with words for all numbers of classes in the columns of `features`."""
    import pyarrow as pa

    for at, name in enumerate(batch.schema.names):
        if feature := features.get(name):
            words = [_worded(value, feature) for value in batch.column(at).to_pylist()]
            batch = batch.set_column(at, name, pa.array(words))
    return batch


def _is_class(feature: object) -> bool:
    if not isinstance(feature, Mapping) or feature.get("_type") != "ClassLabel":
        return False
    names = feature.get("names")
    return isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)


def _has_inner_classes(feature: object) -> bool:
    if _is_class(feature) or not isinstance(feature, Mapping | list):
        return False
    inner = feature.values() if isinstance(feature, Mapping) else feature
    return any(_is_class(value) or _has_inner_classes(value) for value in inner)


def _known_classes(column: pa.Array) -> pa.Array:
    """Return a column of classes without -1, which stands for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_integer(column.type):
        return column
    return pc.if_else(pc.less(column, 0), pa.scalar(None, column.type), column)


def _worded(value: Any, feature: Any) -> Cell:
    if isinstance(feature, list):
        feature = {"feature": feature[0] if feature else {}}
    if not isinstance(feature, Mapping):
        feature = {}
    if isinstance(value, list):
        inner = feature if _is_class(feature) else feature.get("feature", {})
        return [_worded(item, inner) for item in value]
    if isinstance(value, Mapping):
        inner = feature.get("feature", feature)
        inner = inner if isinstance(inner, Mapping) else {}
        return {name: _worded(item, inner.get(name, {})) for name, item in value.items()}
    if not _is_class(feature) or not isinstance(value, int):
        cell: Cell = value
        return cell
    names: Sequence[str] = feature["names"]
    return names[value] if 0 <= value < len(names) else None
