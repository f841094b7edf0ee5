"""Columns of the table as a prompt reads them: named in `reads`, by name in the body.

`reads: [row, columns.brand]` gives `{{ brand }}` and `{{ columns['brand'] }}`, in words, and
`{{ columns.raw.brand }}`, the value itself. A prompt is given the columns that it lists and no
others; one that the row lacks is the empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jinja2 import nodes

from textcentric.errors import unknown
from textcentric.prompts.prompt import VARIABLES, Front
from textcentric.prompts.templates import RAW, Columns
from textcentric.values import Cells

PREFIX = "columns."
ALL = "columns"  # the variable that holds them all
READING = ("align", "summarize", "reason", "adversarial", "bank")  # stages that read a row
# What a template has without a column of that name.
BUILT_IN = ("orders", "range", "namespace", "loop", "self", "super", "caller", "varargs", "kwargs")
WORDS = ("true", "false", "none", "not", "and", "or", "in", "is", "if", "else", "for")
TAKEN = frozenset([*VARIABLES, *BUILT_IN, *WORDS, *(word.title() for word in WORDS[:3])])
KEYED = (nodes.Getitem, nodes.Getattr)


def columns_read(reads: Iterable[str]) -> list[str]:
    """Return the columns that `reads` lists.

    >>> columns_read(["row", "columns.brand", "columns.Price (EUR)"])
    ['brand', 'Price (EUR)']
    """
    return [name.removeprefix(PREFIX).strip() for name in reads if name.startswith(PREFIX)]


def plain_names(columns: Iterable[str]) -> set[str]:
    """Return those of `columns` that stand for themselves in a body, without `columns[...]`."""
    return {name for name in columns if name.isidentifier() and name not in TAKEN}


def column_problems(tree: nodes.Template, used: set[str], front: Front) -> list[str]:
    """Return what is wrong with the columns of a prompt; `used` are the names in its body."""
    listed = columns_read(front.reads)
    if front.stage not in READING and (listed or ALL in used):
        return [f"columns cannot be read at the stage {front.stage}: {', '.join(READING)} can"]
    named = set(_uses(tree))
    through = None in named
    behind = {name for name in named if name is not None}
    plain = used & plain_names(listed)
    problems = [
        f'column {name!r} is used but not listed; add "{PREFIX}{name}" to `reads`'
        for name in sorted(behind - {*listed})
    ]
    if through and not listed:
        problems.append(f"columns are used but none is listed; add `{PREFIX}NAME` to `reads`")
    if ALL in front.reads or "" in listed:
        problems.append(f"columns are listed one by one: `{PREFIX}NAME` in `reads`")
    for name in listed:
        if name and name not in behind | plain and not through:
            problems.append(_unused(name, used))
    return problems


def _unused(name: str, used: set[str]) -> str:
    where = f"{{{{ columns[{name!r}] }}}}"
    if name in TAKEN:
        both = f", and {{{{ {name} }}}} is not the column" if name in used else ""
        return (
            f"column {name!r} is called like a variable that every prompt has{both}; write {where}"
        )
    return f"lists the column {name!r} in `reads` but never uses it; write {where}"


def _uses(node: nodes.Node) -> Iterator[str | None]:
    """Yield the columns named behind `columns`; None where all that are listed may be meant."""
    if isinstance(node, nodes.Call) and _is_held(getattr(node.node, "node", node)):
        yield None
    elif isinstance(node, KEYED) and _is_held(node.node) and not _is_raw(node):
        yield _key(node)
    elif _is_held(node):
        yield None
    else:
        for child in node.iter_child_nodes():
            yield from _uses(child)


def _key(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    found = getattr(node, "arg", None)
    return str(found.value) if isinstance(found, nodes.Const) else None


def _is_held(node: nodes.Node) -> bool:
    return _is_raw(node) or (isinstance(node, nodes.Name) and node.name == ALL)


def _is_raw(node: nodes.Node) -> bool:
    if not isinstance(node, nodes.Getattr) or node.attr != RAW:
        return False
    return isinstance(node.node, nodes.Name) and node.node.name == ALL


def unknown_columns(front: Front, names: Iterable[str]) -> list[str]:
    """Return what a prompt reads that is no column of the table, with the nearest `names`."""
    known = set(names)
    return [
        unknown("column of the table", name, known)
        for name in columns_read(front.reads)
        if name not in known
    ]


def column_variables(
    front: Front, labels: Mapping[str, str], words: Mapping[str, str], cells: Cells
) -> dict[str, object]:
    """Return what a prompt reads of a row's columns, by the names it lists.

    `labels` say under which name a column stands in `words` and `cells`; what stands in neither
    is the empty text.
    """
    listed = columns_read(front.reads)
    if not listed:
        return {}
    said = {name: words.get(labels.get(name, name), "") for name in listed}
    raw = {name: cells.get(labels.get(name, name)) for name in listed}
    values = {name: _plain(value) if said[name] else "" for name, value in raw.items()}
    plain = {name: said[name] for name in plain_names(listed)}
    return {**plain, ALL: Columns(said, values)}


def _plain(value: object) -> object:
    """Return a value that a template may print: a number, a list, else its text."""
    value = value.item() if hasattr(value, "item") else value  # of numpy
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value).encode("utf-8", "ignore").decode()  # without lone surrogates
