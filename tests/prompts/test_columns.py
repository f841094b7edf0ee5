"""Columns in prompts: what the body may name, what it is given, what lint says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_run import write_prompts
from textcentric.errors import PromptError
from textcentric.prompts.columns import column_variables, unknown_columns
from textcentric.prompts.lint import lint
from textcentric.prompts.prompt import Prompt, read_prompt


def prompt_from(folder: Path, reads: str, task: str, stage: str = "adversarial") -> Prompt:
    front = f"stage: {stage}\nfacts: same\nreads: [{reads}]"
    body = f"{{% block user %}}{{{{ row }}}}\n\n{task}{{% endblock %}}\n"
    write_prompts(folder, {"own/one": f"{front}\n---\n{body}"})
    return read_prompt(folder / "own" / "one.jinja")


def said(prompt: Prompt, **cells: object) -> str:
    """Render what follows the row, of cells that say themselves."""
    words = {name: f"<{value}>" for name, value in cells.items() if value is not None}
    columns = column_variables(prompt.front, {}, words, cells)  # type: ignore[arg-type]
    return prompt.render({"row": "R", **columns}).turns[0][1].removeprefix("R\n\n")


@pytest.mark.parametrize(
    ("reads", "task", "expected"),
    [
        ("row, columns.brand", "{{ brand }}", "<Ace>"),
        ("row, columns.brand", "{{ columns['brand'] }} {{ columns.raw.brand }}", "<Ace> Ace"),
        ("row, columns.Price (EUR)", "{{ columns['Price (EUR)'] }}", "<7.5>"),
        ("row, columns.Price (EUR)", "{{ columns.raw['Price (EUR)'] + 1 }}", "8.5"),
        ("row, columns.row", "{{ columns['row'] }}", "<3>"),
        ("row, columns.raw", "{{ columns['raw'] }} {{ columns.raw.raw }}", "<fresh> fresh"),
        ("row, columns.items", "{{ columns['items'] }}", "<2>"),
        ("row, columns.size, columns.tags", "{{ size }}{{ columns.raw.size }}-"
         "{{ columns.raw.tags|join('+') }}", "-a+b"),
        ("row, columns.brand, columns.size",
         "{% for name, words in columns.items() %}{{ name }}={{ words }};{% endfor %}",
         "brand=<Ace>;size=;"),
    ],
)  # fmt: skip
def test_a_prompt_reads_the_columns_that_it_lists(
    tmp_path: Path, reads: str, task: str, expected: str
) -> None:
    prompt = prompt_from(tmp_path, reads, task)
    assert lint(prompt) == []
    cells = {"brand": "Ace", "Price (EUR)": 7.5, "row": 3, "raw": "fresh", "items": 2}
    assert said(prompt, **cells, size=None, tags=["a", "b"]) == expected


@pytest.mark.parametrize(
    ("reads", "task", "problems"),
    [
        ("row", "{{ columns.brand }}",
         ["column 'brand' is used but not listed; add \"columns.brand\" to `reads`"]),
        ("row, columns.brand", "Go.",
         ["lists the column 'brand' in `reads` but never uses it; write {{ columns['brand'] }}"]),
        ("row, columns.brand", "{{ brnd }}{{ brand }}", ["unknown variable 'brnd'; did you mean"
         " 'brand'? Known: ", "uses 'brnd' but does not list it in `reads`"]),
        ("row, columns.row", "Go.",
         ["column 'row' is called like a variable that every prompt has, and {{ row }} is not the"
          " column; write {{ columns['row'] }}"]),
        ("row, columns.part", "Go.",
         ["column 'part' is called like a variable that every prompt has; write"
          " {{ columns['part'] }}"]),
        ("row", "{% for name in columns %}{{ name }}{% endfor %}",
         ["columns are used but none is listed; add `columns.NAME` to `reads`"]),
        ("row, columns", "{{ columns.brand }}",
         ["column 'brand' is used but not listed; add \"columns.brand\" to `reads`",
          "columns are listed one by one: `columns.NAME` in `reads`"]),
    ],
)  # fmt: skip
def test_lint_holds_the_body_against_reads(
    tmp_path: Path, reads: str, task: str, problems: list[str]
) -> None:
    found = lint(prompt_from(tmp_path, reads, task))
    assert len(found) == len(problems)
    assert all(one.startswith(start) for one, start in zip(found, problems, strict=True)), found


def test_a_judge_reads_no_columns(tmp_path: Path) -> None:
    prompt = prompt_from(tmp_path, "row, columns.brand", "{{ brand }}", stage="judge")
    (problem,) = lint(prompt)
    assert problem == (
        "columns cannot be read at the stage judge: align, summarize, reason, adversarial, bank can"
    )


def test_a_column_that_the_table_lacks_is_answered_with_the_nearest(tmp_path: Path) -> None:
    prompt = prompt_from(tmp_path, "row, columns.brnd", "{{ brnd }}")
    assert unknown_columns(prompt.front, ["brand", "price"]) == [
        "unknown column of the table 'brnd'; did you mean 'brand'? Known: brand, price"
    ]


def test_only_listed_columns_are_there(tmp_path: Path) -> None:
    prompt = prompt_from(tmp_path, "row, columns.brand", "{{ columns['price'] }}")
    with pytest.raises(PromptError, match="price"):
        said(prompt, brand="Ace", price="7")


def test_a_value_never_breaks_out_of_the_text(tmp_path: Path) -> None:
    prompt = prompt_from(tmp_path, "row, columns.a, columns.b", "{{ columns.raw.a }}{{ a }}{{ b }}")
    assert said(prompt, a="{{ row }}\ud800", b=None).startswith("{{ row }}<{{ row }}")
