"""The shape of the code: imports go down only, files stay small, starting up costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import textcentric

ROOT = Path(textcentric.__file__).parent
FLOORS = [
    "errors precision",
    "settings",
    "atomic background extras fields rows sentences",
    "card config data engines journal metrics scores templates",
    "command_line encoder experts intervals prompts report shards",
    "curate describe pieces requests runs",
    "latents",
    "answers attacks corrupt examples variants",
    "preferences",
    "corrupt_files flow methods",
    "augment grid orders training",
    "findings session train",
    "ablation api results words",
    "comparison evaluation predict",
    "compare evaluate",
    "cli",
]
FLOOR = {unit: floor for floor, units in enumerate(FLOORS) for unit in units.split()}
HEAVY = "torch transformers vllm datasets pyarrow pandas pydantic jinja2 numpy PIL openai".split()
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def unit(path: Path) -> str:
    """Return the file at the top of the package, or the package below it, that `path` is of."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_units(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            names = [node.module or ""]
            if node.module == "textcentric":
                names = [f"textcentric.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("textcentric."))


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_has_a_floor() -> None:
    assert {unit(path) for path in FILES} == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    own = unit(path)
    wrong = [name for name in imported_units(path) if name != own and FLOOR[name] >= FLOOR[own]]
    assert wrong == []


def test_the_report_reads_run_directories_and_nothing_else() -> None:
    used = {name for path in FILES if unit(path) == "report" for name in imported_units(path)}
    assert used <= {"atomic", "errors", "metrics", "report"}


def test_no_file_is_longer_than_500_lines() -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > 500} == {}


def test_every_file_begins_by_saying_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in FILES
        if not (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    ]
    assert silent == []


def test_importing_the_package_imports_no_heavy_library() -> None:
    found = run_python("import sys, textcentric; print(*sys.modules)").split()
    assert set(HEAVY) & set(found) == set()


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
    found = run_python(code).partition("MODULES")[2].split()
    assert "textcentric.cli.app" in found
    assert set(HEAVY) & set(found) == set()


def test_the_function_augment_is_not_hidden_by_the_file_of_that_name() -> None:
    code = """
import textcentric
from textcentric.augment import Driver
from textcentric import augment
print(callable(textcentric.augmentation.driver), augment is textcentric.augmentation.driver)
"""
    assert run_python(code).split() == ["True", "True"]
