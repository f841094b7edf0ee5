"""What a run owes is counted by kinds of rows where a table is known, and comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.forecast import count_work
from textcentric.augmentation.plan import make_plan
from textcentric.data import load
from textcentric.data.dataset import Dataset
from textcentric.data.memory import InHand
from textcentric.prompts.library import PromptLibrary

LIBRARY = PromptLibrary.load()
SCHEMA = {"target": "grade", "text": ["words"], "split": "part"}


@pytest.fixture
def rows(tmp_path: Path) -> Dataset:
    """Return rows of three splits, some without words and some without a table."""
    lines = ["id,grade,words,part,size"]
    for n in range(60):
        part = ("train", "test", "validation")[n % 3]
        words = "" if n % 7 == 0 else "An oak table. It is old."
        lines.append(f"r{n},{n % 2},{words},{part},{'' if n % 5 == 0 else n}")
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    return load(tmp_path / "rows.csv", schema=SCHEMA)


@pytest.mark.parametrize("prompts", ["rule", "adversarial", "adversarial,align", "bank"])
@pytest.mark.parametrize("filters", [{}, {"split": "train"}, {"require": ["text"]}, {"limit": 7}])
def test_work_by_kinds_is_the_work_of_each_row(
    rows: Dataset, prompts: str, filters: dict[str, object], tmp_path: Path
) -> None:
    chosen = load(tmp_path / "rows.csv", schema=SCHEMA, **filters)  # type: ignore[arg-type]
    config = AugmentConfig(prompts=prompts, perturb="all", all_prompts=True)
    plan = make_plan(config, LIBRARY)
    one_by_one = count_work(config, plan, InHand(list(chosen), chosen.schema))
    assert count_work(config, plan, chosen) == one_by_one
    assert one_by_one.rows == chosen.count()
