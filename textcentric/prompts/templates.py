"""Jinja for templates that strangers wrote: sandboxed, strict, and bounded.

Jinja's sandbox keeps a template away from Python's internals but bounds neither nested loops
nor the growth of strings and lists. Here every loop step and call is counted, every operand and
every output is measured, what is read is charged, nothing is lazy, containers do not nest, and
what a prompt does not need (macros, includes, string formatting) is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from textcentric.errors import PromptError
from textcentric.prompts.spending import MAX_SOURCE, MAX_TEXT, SLOW, Spent, size
from textcentric.security.foreign import reason
from textcentric.values import Variables
from textcentric.writing import count_words, opening

MAX_RANGE = 100_000  # numbers of a range, which costs what its list costs
MAX_STRIPPED = 100  # characters that `strip` and `trim` take away: each is looked for at each place
FORBIDDEN = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.Import,
    nodes.FromImport,
    nodes.Include,
    nodes.Extends,
)
FILTERS = (
    "abs capitalize count d default dictsort first float int items last length list lower map max"
    " min reject rejectattr reverse select selectattr sort title trim truncate unique upper"
    " wordcount"
).split()
TESTS = (
    "boolean defined divisibleby eq equalto even false float ge greaterthan gt integer iterable"
    " le lessthan lt mapping ne none number odd sequence string true undefined"
).split()
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        "capitalize count endswith find isalpha isdigit isupper lower lstrip removeprefix"
        " removesuffix rstrip split splitlines startswith strip title upper".split()
    ),
    dict: frozenset(["get", "items", "keys", "values"]),
    list: frozenset(["count", "index"]),
    tuple: frozenset(["count", "index"]),
}
STRIPS = frozenset(["strip", "lstrip", "rstrip"])
Value = TypeVar("Value")  # whatever a template reads or makes
SCALARS = (str, int, float)


RAW = "raw"


class Columns(dict[str, object]):
    """The columns that a prompt lists, in words, by name; `raw` holds their values.

    A column called "raw" is `columns['raw']`.
    """

    def __init__(self, words: Mapping[str, str], raw: Mapping[str, object]):
        super().__init__(words)
        self.raw = dict(raw)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A Jinja environment in which every template ends, and soon."""

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=self._emit,
        )
        self.spent = Spent()
        self.globals = {"range": _range, "namespace": Namespace}
        tests: dict[str, Any] = self.tests
        self.tests = {name: self._charging(tests[name]) for name in TESTS}
        filters: dict[str, Any] = {name: self.filters[name] for name in FILTERS} | {
            "join": self._join,
            "replace": self._replace,
            "round": _round,
            "opening": _opening,
            "string": lambda value: str(_scalar(value)),
            "trim": _trim,
        }
        self.filters = {
            name: self._charging(done, SLOW.get(name, 1)) for name, done in filters.items()
        } | {
            "_steps": self._steps,
            "_sized": self.spent.charged,
            "_scalar": _scalar,
        }

    def parsed(self, source: str) -> nodes.Template:
        """Parse `source` as it is written; raises PromptError."""
        with _compiling(source):
            return self.parse(source)

    def bounded(self, source: str) -> Template:
        """Compile `source` with its bounds built in; raises PromptError."""
        self.spent.nothing()  # constants are computed while compiling
        with _compiling(source):
            tree = self.parse(source)
            _bound(tree)
            return self.from_string(tree)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call `obj`, one step; the sandbox decides whether it may be called."""
        self.spent.step()
        for value in (getattr(obj, "__self__", None), *args, *kwargs.values()):
            self.spent.charged(value)
        if getattr(obj, "__name__", "") in STRIPS:
            _check_stripped(*args)
        return self.spent.charged(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right` where the result stays small."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("string formatting with % is not available in prompts")
        if operator == "**" and not (abs(left) <= 1e6 and abs(right) <= 16):
            raise SecurityError(f"{left} ** {right} is too large for a prompt")
        repeats = operator == "*" and not (_is_number(left) and _is_number(right))
        if repeats and size(left) * size(right) > MAX_TEXT:
            raise SecurityError(f"a repetition would pass {MAX_TEXT:,} characters")
        return self.spent.charged(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: object) -> None:
        """Leave `str.format` unsafe: its widths know no bound."""

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Allow a short list of harmless methods; data is read by key, not by attribute."""
        if isinstance(obj, Columns) and attr == RAW:
            return True
        for kind, allowed in METHODS.items():
            if isinstance(obj, kind):
                return attr in allowed
        return isinstance(obj, (LoopContext, Namespace)) and not attr.startswith("_")

    def _charging(self, done: Callable[..., Value], times: int = 1) -> Callable[..., Value]:
        """Return the filter or test `done` with what it reads and makes counted as work."""

        @wraps(done)
        def charged(*args: Any, **kwargs: Any) -> Value:
            for value in (*args, *kwargs.values()):
                self.spent.charged(value, times)
            return self.spent.charged(done(*args, **kwargs))

        return charged

    def _steps(self, iterable: Iterable[Value], text: int, work: int) -> Iterator[Value]:
        for item in iterable:
            self.spent.step(text, work)
            yield item

    def _emit(self, value: object) -> str:
        text = value if isinstance(value, str) else str(_scalar(value))
        self.spent.step(len(text))
        return text

    def _join(self, values: Iterable[object], separator: str = "") -> str:
        texts = [str(_scalar(value)) for value in values]
        if sum(map(len, texts)) + len(texts) * len(separator) > MAX_TEXT:
            raise SecurityError(f"a joined text would pass {MAX_TEXT:,} characters")
        return separator.join(texts)

    def _replace(self, text: str, old: str, new: str) -> str:
        if str(text).count(old) * len(new) > MAX_TEXT:
            raise SecurityError(f"a replacement would pass {MAX_TEXT:,} characters")
        return str(text).replace(old, new)


@contextmanager
def _compiling(source: str) -> Iterator[None]:
    """Turn whatever is wrong with a template that is compiled into PromptError."""
    if len(source) > MAX_SOURCE:
        raise PromptError(
            f"the template has {len(source):,} characters; at most {MAX_SOURCE:,} are allowed"
        )
    try:
        yield
    except TemplateSyntaxError as error:
        raise PromptError(f"line {error.lineno}: {error.message}") from error
    except (RecursionError, SyntaxError, MemoryError) as error:
        raise PromptError("the template is nested too deeply; make it simpler") from error
    except TemplateError as error:
        raise PromptError(str(error)) from error
    except (ValueError, TypeError, ArithmeticError) as error:  # a number too long for Python, say
        raise PromptError(f"the template cannot be compiled ({reason(error)})") from error


def render(
    template: Template, block: str, variables: Variables, context: Context | None = None
) -> str:
    """Render one block; raises PromptError naming what was missing or refused.

    `context` is that of the variables, where several blocks are rendered with the same.
    """
    environment = template.environment
    assert isinstance(environment, BoundedEnvironment)
    environment.spent.nothing()
    context = context_of(template, variables) if context is None else context
    size, pieces = 0, []
    try:
        for piece in template.blocks[block](context):
            size += len(piece)
            if size > MAX_TEXT:
                raise SecurityError(f"more than {MAX_TEXT:,} characters of output")
            pieces.append(piece)
    except UndefinedError as error:
        raise PromptError(f"{error.message}; known: {', '.join(sorted(variables))}") from error
    except SecurityError as error:
        raise PromptError(f"refused: {error.message or 'not allowed in a prompt'}") from error
    except RecursionError as error:
        raise PromptError("refused: the template calls itself without end") from error
    except Exception as error:  # whatever a stranger's template makes of strange values
        raise PromptError(f"{type(error).__name__}: {error}") from error
    return "".join(pieces).strip()


def context_of(template: Template, variables: Variables) -> Context:
    """Return a context that holds globals and variables in one flat dict: three times as quick."""
    return template.new_context({**template.environment.globals, **variables}, shared=True)


def refused(tree: nodes.Template) -> Iterator[str]:
    """Yield what of a template prompts do not need."""
    for node in tree.find_all(FORBIDDEN):
        yield f"line {node.lineno}: {type(node).__name__.lower()} is not available in prompts"
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            yield f"line {loop.lineno}: recursive loops are not available in prompts"


def _bound(tree: nodes.Template) -> None:
    """Refuse what prompts do not need and wrap what could grow."""
    for problem in refused(tree):
        raise PromptError(problem)
    for loop in list(tree.find_all(nodes.For)):
        text = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
        work = sum(1 for _ in loop.find_all(nodes.Node))
        loop.iter = _filtered(loop.iter, "_steps", nodes.Const(text), nodes.Const(work))
    for concat in list(tree.find_all(nodes.Concat)):
        concat.nodes = [_filtered(node, "_sized") for node in concat.nodes]
    for compare in list(tree.find_all(nodes.Compare)):
        compare.expr = _filtered(compare.expr, "_sized")
        for operand in compare.ops:
            operand.expr = _filtered(operand.expr, "_sized")
    for item in list(tree.find_all(nodes.Getitem)):
        if isinstance(item.arg, nodes.Slice):
            item.node = _filtered(item.node, "_sized")
    for literal in list(tree.find_all(nodes.List)):
        literal.items = [_filtered(item, "_scalar") for item in literal.items]
    for pack in list(tree.find_all(nodes.Tuple)):
        if pack.ctx == "load":
            pack.items = [_filtered(item, "_scalar") for item in pack.items]
    for pair in list(tree.find_all(nodes.Pair)):
        pair.value = _filtered(pair.value, "_scalar")


def _filtered(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _range(*limits: int) -> list[int]:
    """Return a range of numbers as a list, so that it counts wherever it is walked."""
    numbers = range(*limits)
    if len(numbers) > MAX_RANGE:
        raise SecurityError(f"a range of more than {MAX_RANGE:,} numbers")
    return list(numbers)


def _trim(text: str, characters: str | None = None) -> str:
    _check_stripped(characters)
    return str(_scalar(text)).strip(characters)


def _check_stripped(characters: str | None = None) -> None:
    if characters is not None and len(characters) > MAX_STRIPPED:
        raise SecurityError(f"more than {MAX_STRIPPED} characters to strip")


def _round(value: float, digits: int = 0) -> float:
    return round(float(value), max(-15, min(15, int(digits))))


def _opening(text: str, share: float, most: int = 6) -> str:
    """Return the first words of `text`: a `share` of them, at least one, at most `most`."""
    words = int(count_words(str(text)) * share)
    return opening(str(text), max(1, min(int(most), words)))


def _scalar(value: object) -> object:
    if isinstance(value, Undefined):
        return str(value)  # a strict undefined raises here, under its own name
    if value is not None and not isinstance(value, SCALARS):
        raise SecurityError(
            f"a {type(value).__name__} cannot stand here; print its items, or use |join(', ')"
        )
    return value
