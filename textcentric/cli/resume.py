"""`textcentric runs resume`: go on with a run from its own files, whatever has changed since."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from textcentric.cli.find_run import find_run
from textcentric.cli.run_augment import run_config
from textcentric.config import AugmentConfig
from textcentric.engines.protocol import Engine
from textcentric.errors import RunError
from textcentric.prompts import PromptLibrary
from textcentric.runs import frozen_prompts, read_yaml
from textcentric.settings import first_problem


def resume_run(
    name: str,
    flags: Mapping[str, Any],
    *,
    retry_failed: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    engine: Engine | None = None,
) -> int:
    """Go on with the run `name`; return the exit code.

    `flags` win over what `run.yaml` says of when it stops and where its server is; `engine` stands
    in for the configured one.
    Raises RunError where data or model are no longer those of the run.
    """
    folder = find_run(name)
    config = saved_config(folder, flags)
    library = PromptLibrary.load(frozen_prompts(folder), packaged=False)
    return run_config(
        config,
        retry_failed=retry_failed,
        as_json=as_json,
        quiet=quiet,
        library=library,
        engine=engine,
    )


def saved_config(folder: Path, flags: Mapping[str, Any]) -> AugmentConfig:
    """Return the configuration that `run.yaml` holds, going on in `folder`.

    What else stands there (digests of data, prompts and model) is compared when the run opens.
    """
    saved = read_yaml(folder / "run.yaml")
    values = {name: value for name, value in saved.items() if name in AugmentConfig.model_fields}
    values |= {"output_dir": str(folder), "resume": "auto", **flags}
    try:
        return AugmentConfig.model_validate(values)
    except ValidationError as error:
        raise RunError(
            f"{folder / 'run.yaml'}: {first_problem(error, 'the run')}; it was"
            " written by another version: run `textcentric augment` again with --reuse"
            f" {shlex.quote(str(folder))}"
        ) from error
