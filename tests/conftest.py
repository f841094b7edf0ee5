"""What tests share: our small prompts, and a cache of their own for Hugging Face data sets."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.small_run import write_prompts
from textcentric.prompts.library import PromptLibrary
from textcentric.report import pictures
from textcentric.runs.journal import Journal

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

LONGEST = {"methods", "evaluation", "cli", "whole"}

CACHE = tempfile.TemporaryDirectory(prefix="textcentric-tests-")
os.environ["HF_DATASETS_CACHE"] = CACHE.name  # read once, when `datasets` is imported
os.environ["XDG_CONFIG_HOME"] = CACHE.name  # no calibration of whoever runs the tests
os.environ["XDG_STATE_HOME"] = CACHE.name  # nor their record of trusted folders
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
# Tiny models are quicker on one thread, and OpenMP's threads wait by spinning: on a machine with
# something else to do, two of them take minutes over what one does in a second.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where the environment forbids bytecode, as in many images, each worker and each command that a
# test starts would compile the package again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Learning curves stay blank, matplotlib takes longer than a tiny training does; the fixture
# `drawn_learning_curves` gives them back to the tests that look at one.
DRAW = pictures.draw_learning_curve
vars(pictures)["draw_learning_curve"] = lambda lines, path, *_, **__: path.write_bytes(b"\x89PNG")


def pytest_unconfigure() -> None:
    """Let the interpreter end as it would: what is frozen at its end counts as leaked to some."""
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose tests take longest, so that no worker ends long after another."""
    items.sort(key=lambda item: LONGEST.isdisjoint(item.path.parts))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Give each file to one worker: what its tests share, as a trained model, is made once."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # that would begin with the files of most tests
    return LoadFileScheduling(config, log)


@pytest.fixture(scope="module", autouse=True)
def frozen() -> None:
    """Leave what is imported out of garbage collections: a training ends with a full one.

    With torch that takes 0.3 s. What is garbage goes before, so that a file that the tests before
    left open is still told of, as an error.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def quiet_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget after a test that a command was asked to show what libraries log (-v)."""
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "")
    monkeypatch.delenv("VLLM_LOGGING_LEVEL")
    handlers, ours = [*logging.root.handlers], logging.getLogger("textcentric")
    level = ours.level
    yield
    logging.root.handlers[:] = handlers
    ours.setLevel(level)


@pytest.fixture
def drawn_learning_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw learning curves as users get them."""
    monkeypatch.setattr("textcentric.training.folder.draw_learning_curve", DRAW)


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
