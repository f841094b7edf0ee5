"""Weights of a saved reward model, looked at before they are loaded: do they hold a head?"""

from __future__ import annotations

from pathlib import Path

from textcentric.errors import RunError


def check_head(folder: Path) -> None:
    """Raise RunError where the weights hold no head: transformers would draw one at random."""
    _refuse_headless(_names(folder, "model*.safetensors"), folder)


def check_adapter(folder: Path) -> None:
    """Raise RunError where the weights of an adapter hold no head."""
    _refuse_headless(_names(folder, "adapter_model*.safetensors"), folder)


def _names(folder: Path, pattern: str) -> list[str]:
    """Return the names of all weights in the files of `folder` that fit `pattern`."""
    from safetensors import safe_open

    names: list[str] = []
    for path in sorted(folder.glob(pattern)):
        with safe_open(path, framework="pt") as file:
            names += file.keys()
    return names


def _refuse_headless(names: list[str], folder: Path) -> None:
    parts = {part for name in names for part in name.split(".")}
    if not parts & {"score", "classifier"}:
        raise RunError(
            f"{folder} holds no weights of the head (score or classifier), so its scores would be"
            " drawn at random; save the head with the model (modules_to_save in PEFT)"
        )
