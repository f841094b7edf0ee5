"""Which command imports which packages, and the extra of textcentric that installs them.

A command asks for its packages before its first step: what is imported last is missed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from textcentric.errors import ConfigError

Packages = tuple[str, ...]

MODEL: Packages = ("torch", "transformers", "safetensors")
TRAINING: Packages = (*MODEL, "accelerate", "matplotlib")
COMMANDS: Mapping[str, Mapping[str, Packages]] = {  # extra: what the command imports of it
    "train downstream": {"train": TRAINING},
    "train reward": {"train": TRAINING},
    "train crmt": {"train": TRAINING},
    "train align-vl": {"train": TRAINING},
    "predict": {"train": MODEL},
    "score": {"train": MODEL},
    "evaluate downstream": {"train": (*MODEL, "matplotlib")},
    "evaluate reward": {"train": MODEL},
    "evaluate fusion": {"train": (*MODEL, "matplotlib")},
    "compare": {"train": (*TRAINING, "sklearn")},
    "ablate crmt": {"train": TRAINING},
    "ablate align-vl": {"train": TRAINING},
    "latents": {"experts": ("torch", "transformers")},
    "retrieve": {"train": MODEL},
}
PARTS: Mapping[str, Mapping[str, Packages]] = {  # what a setting brings into any command
    "--engine vllm": {"cpu": ("vllm",)},
    "--engine transformers": {"experts": ("torch", "transformers")},
    "--engine openai": {"openai": ("openai",)},
    "--embeddings": {"experts": ("torch", "sentence_transformers")},
    "a LoRA adapter": {"train": ("peft",)},
    "retrieve by a query": {"retrieval": ("faiss",)},
}
INSTEAD = {  # how to do without
    "--embeddings": ", or give --no-embeddings",
    "--engine vllm": " (on an NVIDIA GPU textcentric[gpu]), or give --engine transformers",
}
DISTRIBUTIONS = {  # where a package is not called like what is installed
    "sklearn": "scikit-learn",
    "sentence_transformers": "sentence-transformers",
    "faiss": "faiss-cpu",
}

Installed = Callable[[str], bool]


def is_installed(package: str) -> bool:
    """Say whether `package` could be imported, without importing it."""
    return find_spec(package) is not None


def lacking(needs: Mapping[str, Packages], installed: Installed | None = None) -> dict[str, str]:
    """Return {extra: its absent packages, comma-separated} of what is needed."""
    installed = installed or is_installed
    absent = {
        extra: [DISTRIBUTIONS.get(name, name) for name in names if not installed(name)]
        for extra, names in needs.items()
    }
    return {extra: ", ".join(names) for extra, names in absent.items() if names}


def install(extras: Mapping[str, str]) -> str:
    """Return how to install what `lacking` found.

    >>> install({"train": "peft"})
    "pip install 'textcentric[train]'"
    """
    return f"pip install 'textcentric[{','.join(extras)}]'"


def require(what: str, installed: Installed | None = None) -> None:
    """Raise ConfigError, with the extra to install, where a command or part lacks a package."""
    needs = COMMANDS[what] if what in COMMANDS else PARTS[what]
    absent = lacking(needs, installed)
    if absent:
        raise ConfigError(
            f"{what} needs {', '.join(absent.values())}: {install(absent)}{INSTEAD.get(what, '')}"
        )
