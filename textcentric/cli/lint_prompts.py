"""`textcentric prompts lint`: every file by itself, so that one broken file hides no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from textcentric.cli.terminal import say
from textcentric.errors import PromptError, unknown
from textcentric.prompts import Instruction, check_bank, lint, packaged_prompts, read_prompt

BANK = "instructions.jsonl"


def lint_command(names: Sequence[str], prompt_dir: str | None) -> int:
    """Print one line a problem; return 2 if there is any."""
    files = _files(names, prompt_dir)
    problems = [(path, problem) for path in files for problem in check_file(path)]
    for path, problem in problems:
        print(problem if str(path) in problem else f"{path}: {problem}")
    say(f"files: {len(files)}, problems: {len(problems)}")
    return 2 if problems else 0


def check_file(path: Path) -> list[str]:
    """Return what is wrong with a prompt file or a bank."""
    try:
        return _check_bank(path) if path.name == BANK else lint(read_prompt(path))
    except PromptError as error:
        return [str(error)]


def _check_bank(path: Path) -> list[str]:
    lines = list(check_bank(path))
    problems = [str(line) for line in lines if isinstance(line, PromptError)]
    ids = Counter(line.id for line in lines if isinstance(line, Instruction))
    doubled = [name for name, n in ids.items() if n > 1]
    return problems + [f"the id {name!r} stands in more than one line" for name in doubled]


def _files(names: Sequence[str], prompt_dir: str | None) -> list[Path]:
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
