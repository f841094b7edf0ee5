"""The JSON schema that a prompt gives its answer: its shape, checked where the prompt is read.

What reads it (engines that keep an answer to it, and what parses the answer) takes the shape for
granted. Keys beyond those of `SHAPES` are left to the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textcentric.errors import quoted

TYPES = "object array string number integer boolean null".split()
TEXTS = ("required",)  # lists of texts
SCHEMAS = ("properties", "patternProperties", "$defs", "definitions")  # schemas by name
ONE = ("items", "additionalProperties", "not")  # a schema, or true or false
SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")  # lists of schemas


def schema_problems(schema: object, where: str = "schema") -> Iterator[str]:
    """Yield what of a JSON schema has not the shape that it needs.

    >>> list(schema_problems({"type": "object", "required": 5}))
    ['schema.required is 5, expected a list of texts']
    """
    if not isinstance(schema, dict):
        yield _wrong(where, schema, "a mapping of keys of JSON schema")
        return
    for key, value in schema.items():
        place = f"{where}.{key}"
        if not isinstance(key, str):
            yield f"{where} has the key {quoted(key)}, expected a text"
        elif key == "type":
            yield from _of_type(place, value)
        elif key == "enum":
            yield from _of_enum(place, value)
        elif key in TEXTS:
            if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                yield _wrong(place, value, "a list of texts")
        elif key in SCHEMAS:
            yield from _by_name(place, value)
        elif key in SEVERAL:
            yield from _in_list(place, value)
        elif key in ONE:
            if not isinstance(value, bool):
                yield from schema_problems(value, place)
        elif not _is_json(value):
            yield _wrong(place, value, "what JSON can say")


def _of_type(place: str, value: object) -> Iterator[str]:
    types = value if isinstance(value, list) and value else [value]
    if not all(isinstance(one, str) and one in TYPES for one in types):
        yield _wrong(place, value, f"one of {', '.join(TYPES)}")


def _of_enum(place: str, value: object) -> Iterator[str]:
    named = isinstance(value, str)  # a variable of the prompt, such as `choices`
    if not named and not (isinstance(value, list) and value and _is_json(value)):
        yield _wrong(place, value, "a list of the values that are allowed, or a variable's name")


def _by_name(place: str, value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _wrong(place, value, "a mapping of names to schemas")
        return
    for name, below in value.items():
        if isinstance(name, str):
            yield from schema_problems(below, f"{place}.{name}")
        else:
            yield f"{place} has the name {quoted(name)}, expected a text"


def _in_list(place: str, value: object) -> Iterator[str]:
    if not (isinstance(value, list) and value):
        yield _wrong(place, value, "a list of schemas")
        return
    for number, below in enumerate(value):
        yield from schema_problems(below, f"{place}.{number}")


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(below) for key, below in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float)


def _wrong(place: str, value: object, expected: str) -> str:
    return f"{place} is {quoted(value)}, expected {expected}"
