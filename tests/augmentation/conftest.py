"""What tests of a row share: its program, run with prompts by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.one_row import ROW, Outputs, Run, run_row
from tests.support.small_run import model, write_prompts
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.plan import make_plan
from textcentric.engines.scripted import ScriptedEngine
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record
from textcentric.runs.journal import Journal


@pytest.fixture
def run(journal: Journal, library: PromptLibrary) -> Run:
    """Run the program of one row; `own` adds prompts for this test alone."""

    def run(
        answer: Any = model,
        prompts: str = "own/*",
        row: Record = ROW,
        *,
        own: dict[str, str] | None = None,
        encoder: Any = None,
        engine: ScriptedEngine | None = None,
        truncate: bool = False,
        **config: Any,
    ) -> Outputs:
        folders = [write_prompts(journal.path.parent / "own", own)] if own else []
        known = PromptLibrary.load(*folders, packaged=False).prompts if own else {}
        both = PromptLibrary({**library.prompts, **known}, library.bank)
        plan = make_plan(AugmentConfig(prompts=prompts, **config), both)
        engine = engine or ScriptedEngine(answer)
        return run_row(plan, journal, engine, row, encoder=encoder, truncate=truncate)

    return run
