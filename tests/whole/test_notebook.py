"""The notebook of the documentation runs from its first cell to its last, as a kernel runs it."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "walk.ipynb"
pytestmark = pytest.mark.filterwarnings("ignore:.*bitsandbytes")


def cells() -> Iterator[ast.Module]:
    """Yield the code of each cell."""
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "outputs are made by who runs it"
            yield ast.parse("".join(cell["source"]))


async def test_the_notebook_runs_inside_a_running_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    shown: list[object] = []
    for cell in cells():
        last = cell.body[-1]
        body = cell.body[:-1] if isinstance(last, ast.Expr) else cell.body
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names))
    tables = [one._repr_html_() for one in shown if hasattr(one, "_repr_html_")]
    assert len(tables) == 5
    assert all(table.startswith("<table>") for table in tables)
    assert Path("runs/damage/robustness.html").is_file()
