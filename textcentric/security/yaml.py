"""YAML that anybody may have written, read within bounds, so that no file takes long or much.

Aliases within aliases, merged keys, deep brackets and long numbers are small on the disk and large
or slow in memory; all are counted before a value is made of them. One loader, the quick one of
libyaml where PyYAML has it, raises one error for whatever can be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from textcentric.errors import ConfigError, TextCentricError, cut

if TYPE_CHECKING:
    from yaml import Node

MOST_TEXT = 4 << 20  # characters of a file
MOST_NODES = 500_000  # values and keys, those behind an alias counted wherever it stands
MOST_EXPANDED = 32 << 20  # characters of all values, counted in the same way
DEEPEST = 64  # brackets and indentations within each other
LONGEST_NUMBER = 40  # characters
TAG = "tag:yaml.org,2002:"
TOO_DEEP = f"it is nested more than {DEEPEST} deep"
TOO_MANY = (
    f"it holds more than {MOST_NODES:,} values or {MOST_EXPANDED:,} characters once its aliases"
    " (*name) are written out"
)
KINDS = "null bool int float timestamp str seq map".split()  # of values, beside what is made here
_DIGITS = [*"-0123456789"]
# What words of data may be besides text: YAML 1.1 makes False of NO, 8 of 010, 1000 of 1_000, 750
# of 12:30 and a date of 2024-01-01. Name, shape and first signs.
WORDS = (
    ("null", r"(~|null|)\Z", ["~", "n", ""]),
    ("int", r"-?(0|[1-9][0-9]*)\Z", _DIGITS),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]*([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)\Z", _DIGITS),
    ("merge", r"<<\Z", ["<"]),
)


class Unreadable(ValueError):
    """A text that is no YAML, or more of it than is read; `line` counts from 1, if known."""

    def __init__(self, reason: str, line: int | None = None):
        super().__init__(reason)
        self.line = line


def parse(text: str, what: str, problem: Callable[[str], TextCentricError] = ConfigError) -> Any:
    """Return the value that a YAML text says; raises `problem` with `what` the text is.

    >>> parse("limit: 24", "config.yaml")
    {'limit': 24}
    """
    try:
        return load(text)
    except Unreadable as error:
        line = "" if error.line is None else f"line {error.line}: "
        raise problem(f"{what} is not YAML: {line}{error}") from error


def load(text: str, *, words: bool = False) -> Any:
    """Return the value of a YAML text; with `words`, words of data stay as they stand.

    Raises Unreadable, whatever is wrong.
    """
    if len(text) > MOST_TEXT:
        raise Unreadable(f"it has {len(text):,} characters; at most {MOST_TEXT:,} are read")
    import yaml

    loader = None
    try:
        loader = _loader(words)(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _Measure().of(node, 1)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(_reason(error), mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, RecursionError, UnicodeError) as error:
        raise Unreadable(cut(" ".join(str(error).split()))) from error
    finally:
        if loader is not None:
            loader.dispose()


class Size(NamedTuple):
    """What a node holds once its aliases are written out."""

    nodes: int
    text: int  # characters
    deep: int  # brackets and indentations


class _Measure:
    """The sizes of nodes, each measured once."""

    def __init__(self) -> None:
        self.known: dict[int, Size | None] = {}  # None: not all of it was seen

    def of(self, node: Node, depth: int) -> Size:
        """Return the size of a node; raises Unreadable past the bounds and for a key twice."""
        if id(node) in self.known:
            known = self.known[id(node)]
            if known is None:
                raise _refused(node, "an alias stands inside of what it names")
            return known
        self.known[id(node)] = None
        size = self._sum(node, depth)
        self.known[id(node)] = size
        return size

    def _sum(self, node: Node, depth: int) -> Size:
        if isinstance(node.value, str):
            return Size(1, len(node.value), 0)
        if depth > DEEPEST:
            raise _refused(node, TOO_DEEP)
        sizes = [self.of(child, depth + 1) for child in _children(node)]
        nodes = 1 + sum(size.nodes for size in sizes)
        text = sum(size.text for size in sizes)
        deep = 1 + max((size.deep for size in sizes), default=0)
        if deep > DEEPEST:
            raise _refused(node, TOO_DEEP)
        if nodes > MOST_NODES or text > MOST_EXPANDED:
            raise _refused(node, TOO_MANY)
        return Size(nodes, text, deep)


def _children(node: Node) -> list[Node]:
    """Return the values of a list, or the keys and values of a mapping, each key once."""
    from yaml import SequenceNode

    if isinstance(node, SequenceNode):
        return list(node.value)
    keys: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if isinstance(key.value, str) and key.tag != f"{TAG}merge":
            if (key.tag, key.value) in keys:
                raise _refused(key, f"the key {cut(key.value)!r} stands twice")
            keys.add((key.tag, key.value))
    return [each for pair in node.value for each in pair]


def _refused(node: Node, reason: str) -> Unreadable:
    return Unreadable(reason, node.start_mark.line + 1)


def _reason(error: Any) -> str:
    """Return what a parser says, without the places, which are told as lines."""
    said = [error.problem, error.context]
    return cut(" ".join(filter(None, said)), most=200)


@cache
def _loader(words: bool) -> Any:
    """Return the class of a loader: plain values alone, each key once."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Bounded(base):  # type: ignore[misc]
        """A loader that refuses tags of its own kinds and numbers that no machine holds."""

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            if node.tag in NUMBERS and len(node.value) > LONGEST_NUMBER:
                raise _fault(node, f"a number of {len(node.value):,} characters")
            try:
                return super().construct_object(node, deep)
            except (ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
                kind = str(node.tag).removeprefix(TAG)
                raise _fault(node, f"{cut(node.value)!r} is no {kind} ({error})") from error

    NUMBERS = {f"{TAG}int", f"{TAG}float", f"{TAG}timestamp"}
    made = {f"{TAG}{kind}" for kind in KINDS} | {None}
    Bounded.yaml_constructors = {
        tag: make for tag, make in base.yaml_constructors.items() if tag in made
    }
    if words:
        Bounded.yaml_implicit_resolvers = {}
        for kind, shape, starts in WORDS:
            Bounded.add_implicit_resolver(f"{TAG}{kind}", re.compile(shape), starts)
    return Bounded


def _fault(node: Any, reason: str) -> Exception:
    from yaml.constructor import ConstructorError

    return ConstructorError(None, None, reason, node.start_mark)
