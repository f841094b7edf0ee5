"""What tests share: our small prompts, and a cache of their own for Hugging Face data sets."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.small_run import write_prompts
from textcentric.prompts.library import PromptLibrary
from textcentric.runs.journal import Journal

CACHE = tempfile.TemporaryDirectory(prefix="textcentric-tests-")
os.environ["HF_DATASETS_CACHE"] = CACHE.name  # read once, when `datasets` is imported
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
# Tiny models are quicker on one thread, and OpenMP's threads wait by spinning: on a machine with
# something else to do, two of them take minutes over what one does in a second.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module", autouse=True)
def frozen() -> None:
    """Leave what is imported out of garbage collections: each training ends with a full one."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter end as it would."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> PromptLibrary:
    """Return the packaged prompts and our small ones."""
    return PromptLibrary.load(write_prompts(tmp_path_factory.mktemp("own-prompts")))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Return an empty journal."""
    opened = Journal(tmp_path / "journal.sqlite")
    yield opened
    opened.close()
