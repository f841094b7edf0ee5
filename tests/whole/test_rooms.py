"""The shape of the code: rooms on floors, imports that go down only, small files, a light start."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

import textcentric

ROOT = Path(textcentric.__file__).parent
GROUND = "errors machine settings fields rows folders command_line values writing security"
FLOORS = [
    GROUND,
    "models prompts",
    "data engines metrics runs",
    "experts report",
    "checks corruption training",
    "augmentation",
    "reading",
    "methods",
    "evaluation",
    "api",
    "__init__ cli",
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
TORCH_AT_HEAD = ("training", "methods", "evaluation", "metrics.recall", "models.loading")
HEAVY = "torch transformers vllm datasets pyarrow pandas pydantic jinja2 numpy PIL httpx".split()
TOO_HEAVY_FOR_HELP = "torch transformers vllm datasets pyarrow pandas jinja2 numpy PIL".split()
LONGEST = 450  # lines of a file
MOST_AT_ROOT, MOST_IN_CLI = 10, 28


class Arrow(NamedTuple):
    """An import: from a module of the package to another."""

    source: str
    target: str
    line: int


def name_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imported(source: str) -> Iterator[Arrow]:
    """Yield the imports of a module, those inside functions and for types alone among them."""
    for node in ast.walk(TREES[source]):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno} imports relatively"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("textcentric."):
                yield Arrow(source, module_in(name.removeprefix("textcentric.")), node.lineno)


def module_in(name: str) -> str:
    """Return the module that a dotted name lies in."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or "__init__"


ARROWS = sorted({arrow for name in MODULES for arrow in imported(name)})


def room(module: str) -> str:
    return module.partition(".")[0]


def floor(module: str) -> int:
    return FLOOR[room(module)]


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_has_a_floor() -> None:
    assert {room(name) for name in MODULES} == set(FLOOR)


def test_imports_go_down_and_rooms_of_one_floor_never_meet() -> None:
    ground = set(GROUND.split())
    up = [
        arrow
        for arrow in ARROWS
        if room(arrow.source) != room(arrow.target)
        and floor(arrow.target) >= floor(arrow.source)
        and not {room(arrow.source), room(arrow.target)} <= ground
        and arrow.source != "__init__"
    ]
    assert up == []


def test_no_file_reaches_itself_through_its_imports() -> None:
    graph = TopologicalSorter[str]()
    for source, target, _ in ARROWS:
        if source != target and MODULES[source].name != "__init__.py":
            graph.add(source, target)
    try:
        graph.prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_a_method_imports_no_other_method() -> None:
    def method(module: str) -> str:
        return module.split(".")[1] if module.startswith("methods.") else ""

    crossing = [
        arrow
        for arrow in ARROWS
        if method(arrow.source)
        and method(arrow.target)
        and method(arrow.source) != method(arrow.target)
    ]
    assert crossing == []


def test_a_file_of_commands_imports_no_other_one() -> None:
    from textcentric.cli.app import all_commands

    files = {f"cli.{listed.function.partition(':')[0]}" for _, listed in all_commands()}
    crossing = [arrow for arrow in ARROWS if arrow.source in files and arrow.target in files]
    assert [arrow for arrow in crossing if arrow.source != arrow.target] == []


def test_nobody_imports_the_command_line_and_only_the_package_imports_its_surface() -> None:
    cli = {arrow.source for arrow in ARROWS if room(arrow.target) == "cli"}
    assert {source for source in cli if room(source) != "cli"} == set()
    api = {arrow.source for arrow in ARROWS if room(arrow.target) == "api"}
    assert {source for source in api if room(source) != "api"} <= {"__init__"}


def test_configurations_are_light() -> None:
    configs = [name for name in MODULES if name.endswith(".config")]
    modules = ", ".join(f"textcentric.{name}" for name in configs)
    loaded = run_python(f"import sys, {modules}; print(*sys.modules)").split()
    assert set(TOO_HEAVY_FOR_HELP) & set(loaded) == set()


def test_torch_is_imported_at_the_head_of_files_that_train_or_evaluate_alone() -> None:
    heads = [
        name
        for name, tree in TREES.items()
        for node in tree.body
        if (isinstance(node, ast.Import) and any(a.name == "torch" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torch")
    ]
    assert [name for name in heads if not name.startswith(TORCH_AT_HEAD)] == []


def test_no_public_name_is_also_a_room() -> None:
    for name in MODULES:
        if not name.endswith("__main__"):
            import_module(f"textcentric.{name}")
    hidden = [name for name in textcentric.__all__ if not callable(getattr(textcentric, name))]
    assert hidden == []


def test_no_file_is_longer_than_450_lines() -> None:
    folders = [ROOT, *(ROOT.parent / name for name in ("tests", "benchmarks", "pipelines", "docs"))]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    lengths = {str(path): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_the_root_and_the_command_line_stay_small() -> None:
    assert len(list(ROOT.glob("*.py"))) <= MOST_AT_ROOT
    assert len(list((ROOT / "cli").glob("*.py"))) <= MOST_IN_CLI


def test_every_file_begins_by_saying_what_it_is() -> None:
    assert [n for n, tree in TREES.items() if not (ast.get_docstring(tree) or "").strip()] == []


def test_importing_the_package_imports_no_heavy_library() -> None:
    loaded = run_python("import sys, textcentric; print(*sys.modules)").split()
    assert set(HEAVY) & set(loaded) == set()


def test_help_imports_no_heavy_library() -> None:
    code = """
import sys
from textcentric.cli import main
sys.argv = ["textcentric", "--help"]
try:
    main()
except SystemExit:
    print("MODULES", *sys.modules)
"""
    loaded = run_python(code).partition("MODULES")[2].split()
    assert "textcentric.cli.app" in loaded
    assert set(HEAVY) & set(loaded) == set()
