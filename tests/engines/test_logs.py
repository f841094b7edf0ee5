"""What of other libraries' own logs and bars reaches the screen: nothing, unless asked for."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from textcentric.cli.terminal import silence
from textcentric.engines.vllm import set_environment
from textcentric.models.packaged import _write_model

LIBRARIES = ("vllm", "transformers", "sentence_transformers", "httpx", "huggingface_hub")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment of the test's own, and loggers as they were."""
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]})
    before = {name: logging.getLogger(name).level for name in LIBRARIES}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def set_up(*, flag: bool, environment: Mapping[str, str]) -> tuple[str | None, int]:
    """Return the level that vLLM's processes read, and that of its log in this one."""
    os.environ.update(environment)
    logging.getLogger("vllm").setLevel(logging.NOTSET)
    silence(flag)
    set_environment(verbose=False)
    return os.environ.get("VLLM_LOGGING_LEVEL"), logging.getLogger("vllm").level


def test_vllm_is_quiet() -> None:
    assert set_up(flag=False, environment={}) == ("ERROR", logging.ERROR)


def test_the_flag_shows_the_log_of_vllm() -> None:
    assert set_up(flag=True, environment={}) == ("INFO", logging.NOTSET)


def test_the_variable_of_vllm_shows_its_log() -> None:
    assert set_up(flag=False, environment={"VLLM_LOGGING_LEVEL": "DEBUG"}) == (
        "DEBUG",
        logging.NOTSET,
    )


@pytest.mark.parametrize(("level", "shown"), [("ERROR", False), ("INFO", True)])
def test_a_process_of_vllm_is_quiet_before_vllm_sets_up_its_log(level: str, shown: bool) -> None:
    code = "import logging, textcentric.cli; logging.getLogger('vllm.triton').warning('Triton')"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "VLLM_LOGGING_LEVEL": level}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ("Triton\n" if shown else "")


@pytest.mark.parametrize("flag", [False, True])
def test_the_bar_of_the_unpacking_is_for_those_who_ask(
    flag: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gguf")
    transformers = pytest.importorskip("transformers")

    def unpack(*_: object, **__: object) -> NoReturn:
        print("Converting and de-quantizing", file=sys.stderr)
        raise OSError("the disk is full")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", unpack)
    logging.getLogger("transformers").setLevel(logging.WARNING)
    silence(flag)
    with pytest.raises(OSError, match="the disk is full"):
        _write_model(tmp_path / "model.gguf", tmp_path)
    assert capsys.readouterr().err == ("Converting and de-quantizing\n" if flag else "")
