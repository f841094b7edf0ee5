"""What is wrong with a prompt or a file of prompts, said before any row is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from jinja2 import TemplateError, meta, nodes

from textcentric.errors import PromptError, unknown
from textcentric.prompts.columns import (
    ALL,
    PREFIX,
    column_problems,
    columns_read,
    plain_names,
    unknown_columns,
)
from textcentric.prompts.lenient import broken, in_spite, lenient_tree
from textcentric.prompts.library import Instruction, check_bank, packaged_prompts
from textcentric.prompts.prompt import (
    BLOCKS,
    FACTS,
    FACTUAL,
    VARIABLES,
    Front,
    Prompt,
    read_prompt,
)

BANK = "instructions.jsonl"
ROW_VARIABLES = frozenset(["row", "rest", "parts", "part"])
ROWLESS = ("caption", "expand")  # stages whose prompts show pictures or instructions, no row


def check_file(path: Path, columns: Collection[str] | None = None) -> list[str]:
    """Return what is wrong with a prompt file or a bank.

    Where `columns` of a table are given, those that a prompt reads must be among them.
    """
    try:
        if path.name == BANK:
            return _check_bank(path)
        prompt = read_prompt(path)
    except PromptError as error:
        return _in_spite(path) or [str(error)]
    strange = [] if columns is None else unknown_columns(prompt.front, columns)
    return lint(prompt) + strange


def _in_spite(path: Path) -> list[str]:
    """Return what is wrong with a file whose front matter does not fit, its body included."""
    prompt, problems = in_spite(path)
    if prompt is None:
        return problems
    absent = [f"`{key}`" for key in ("reads", "facts") if key not in prompt.front.model_fields_set]
    followed = [one for one in lint(prompt) if not any(key in one for key in absent)]
    return problems + followed


def _check_bank(path: Path) -> list[str]:
    lines = list(check_bank(path))
    problems = [str(line) for line in lines if isinstance(line, PromptError)]
    ids = Counter(line.id for line in lines if isinstance(line, Instruction))
    doubled = [name for name, n in ids.items() if n > 1]
    return problems + [f"the id {name!r} stands in more than one line" for name in doubled]


def prompt_files(names: Sequence[str], prompt_dir: str | None) -> list[Path]:
    """Return the files meant by `names`: folders, files, ids and globs; all without a name."""
    folders = [packaged_prompts(), *([Path(prompt_dir)] if prompt_dir else [])]
    if not names:
        return [path for folder in folders for path in _in(folder)]
    files: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        if path.is_dir():
            files.update(dict.fromkeys(_in(path)))
        elif path.is_file():
            files[path] = None
        else:
            files.update(dict.fromkeys(_named(name, folders)))
    return list(files)


def _in(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise PromptError(f"prompt folder {str(folder)!r} does not exist")
    yield from sorted([*folder.rglob("*.jinja"), *folder.rglob(BANK)])


def _named(name: str, folders: Sequence[Path]) -> list[Path]:
    """Return the files whose id fits; one that does not parse goes by its place in the folder."""
    ids: dict[Path, str] = {}
    for folder in folders:
        for path in folder.rglob("*.jinja"):
            try:
                ids[path] = read_prompt(path).id
            except PromptError:
                ids[path] = path.relative_to(folder).with_suffix("").as_posix()
    found = [path for path, own in ids.items() if fnmatchcase(own, name)]
    found += [p for p, own in ids.items() if own.split("/")[0] == name and p not in found]
    if not found:
        raise PromptError(unknown("prompt", name, ids.values()), prompt=name)
    return found


def lint(prompt: Prompt) -> list[str]:
    """Return what is wrong with a prompt, worst first; an empty list means none was found."""
    if prompt.front.writes_by == "rule":
        return []  # without a body, and its keys were checked as it was read
    problems = broken(prompt)
    try:
        tree = lenient_tree(prompt.body)
    except (PromptError, TemplateError):
        return problems
    blocks = {block.name for block in tree.find_all(nodes.Block)}
    if "user" not in blocks:
        problems.append("has no {% block user %}; the row and the instruction belong there")
    problems += [
        f"block {name!r} is not read; known: {', '.join(BLOCKS)}" for name in blocks - BLOCKS.keys()
    ]
    used = meta.find_undeclared_variables(tree)
    problems += _of_variables(prompt.front, used)
    problems += column_problems(tree, used, prompt.front)
    unit = {"sentence": "sentence", "passage": "sentences"}.get(prompt.front.each or "")
    if unit and unit not in used:
        problems.append(f"asks for each {prompt.front.each} but never uses {{{{ {unit} }}}}")
    if prompt.front.facts is None and prompt.front.stage in FACTUAL:
        problems.append(f"does not say what it may do with facts; add `facts`: {', '.join(FACTS)}")
    return problems + ([] if prompt.front.stage in ROWLESS else _row_first(tree))


def _of_variables(front: Front, used: set[str]) -> list[str]:
    """Return what does not fit between the variables of a body and `reads`, columns aside."""
    columns = plain_names(columns_read(front.reads))
    known = VARIABLES.keys() | columns
    strange = sorted(used - known)
    reads = {name for name in front.reads if not name.startswith(PREFIX)} - {ALL}
    used = used - columns - {ALL}
    return [
        *(unknown("variable", name, known) for name in strange),
        *(f"uses {name!r} but does not list it in `reads`" for name in sorted(used - reads)),
        *(f"lists {name!r} in `reads` but never uses it" for name in sorted(reads - used)),
    ]


def _row_first(tree: nodes.Template) -> list[str]:
    """Prompts of one row share its text as a prefix only where the row comes first."""
    for block in tree.find_all(nodes.Block):
        if block.name != "user":
            continue
        for output in block.find_all(nodes.Output):
            for piece in output.nodes:
                if isinstance(piece, nodes.TemplateData):
                    if piece.data.strip():
                        return ["the user part begins with text; put the row first"]
                else:
                    names = {name.name for name in piece.find_all(nodes.Name)}
                    names |= {piece.name} if isinstance(piece, nodes.Name) else set()
                    return [] if names & ROW_VARIABLES else ["the user part begins without the row"]
    return []
