"""Rows in words: by the experts alone, or with what prompts derive from that (a summary, say)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from textcentric.augment import Progress
from textcentric.config import AugmentConfig
from textcentric.engines.protocol import Engine
from textcentric.examples import Example, describe_examples, read_examples
from textcentric.prompts import PromptLibrary
from textcentric.session import (
    Say,
    finished_manifest,
    make_experts,
    opened,
    run_to_end,
    wrap_up,
)

Words = dict[str, Mapping[str, str]]  # row id -> parts
Watch = Callable[[int], AbstractContextManager[Progress]]  # rows left -> what shows a run
EXPERTS_ONLY = "experts.sqlite"


def expert_words(rows: Any, config: AugmentConfig, folder: Path) -> list[Example]:
    """Return `rows` as the experts say them; what they said of files is remembered in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    experts = make_experts(config, rows)
    return describe_examples(rows, experts, journal=folder / EXPERTS_ONLY)


def augmented(
    rows: Any,
    config: AugmentConfig,
    *,
    engine: Engine | None = None,
    library: PromptLibrary | None = None,
    watch: Watch | None = None,
    say: Say = lambda line: None,
) -> list[Example]:
    """Return `rows` with what the prompts of `config` write, from a run in its `output_dir`.

    A finished run is read, one that was interrupted goes on: no answer is asked for twice.
    `watch` is given the number of rows left and shows how they go.
    """
    with opened(config, rows=rows, engine=engine, library=library, say=say) as run:
        if finished_manifest(run.job) is None:
            left = run.job.dataset.count() - run.finished
            say(f"asking the LLM about {left} rows, into {run.job.folder}")
            with watch(left) if watch else nullcontext() as run.job.on_progress:
                manifest = run_to_end(run.job)
            wrap_up(run.job, manifest)
        return read_examples(run.job.folder)
