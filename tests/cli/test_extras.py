"""Packages that a command imports: asked for before its first step, with the extra to install."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.commands import textcentric
from textcentric import machine as extras
from textcentric.cli import app as cli
from textcentric.engines import open_engine
from textcentric.errors import ConfigError
from textcentric.machine import COMMANDS, DISTRIBUTIONS, PARTS, lacking, require
from textcentric.models.sentence_encoder import SentenceEncoder

LIGHT = {  # commands that need no extra, or only that of the engine they open
    *("augment", "check", "describe", "report", "lineage", "doctor"),
    *("data list", "data show", "data fetch", "data init", "data check"),
    *("methods list", "review", "calibrate"),
    *("prompts list", "prompts show", "prompts new", "prompts lint", "prompts try"),
    "prompts expand",
    *("runs list", "runs show", "runs diff", "runs resume"),
}
ARGUMENTS = {
    "train align-vl": ["--latents", "none"],
    "predict": ["none"],
    "score": ["none", "--input", "none"],
    "evaluate downstream": ["none", "--dataset", "none"],
    "evaluate reward": ["none"],
    "evaluate fusion": ["none", "--dataset", "none"],
    "latents": ["--dataset", "none"],
    "ablate crmt": ["-o", "none"],
    "ablate align-vl": ["-o", "none"],
    "retrieve": ["none", "--latents", "none"],
}
PROJECT = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


Hide = Callable[..., None]


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Hide:
    """Make packages look as if they were not installed."""

    def hide(*names: str) -> None:
        monkeypatch.setattr(extras, "is_installed", lambda name: name not in names)

    return hide


def test_every_command_says_what_it_needs_or_needs_nothing() -> None:
    assert {name for name, _ in cli.all_commands()} == set(COMMANDS) | LIGHT


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_packages_ends_with_one_line_that_names_the_extra(
    command: str, absent: Hide
) -> None:
    for extra, packages in COMMANDS[command].items():
        absent(packages[-1])
        said = textcentric(*command.split(), *ARGUMENTS.get(command, []))
        name = DISTRIBUTIONS.get(packages[-1], packages[-1])
        assert (said.code, said.out) == (2, "")
        assert said.err == (
            f"textcentric: {command} needs {name}: pip install 'textcentric[{extra}]'\n"
        )


def test_searching_needs_more_than_testing_the_search(absent: Hide) -> None:
    absent("faiss")
    said = textcentric("retrieve", "none", "--latents", "none", "--text", "a dog")
    assert said.err == (
        "textcentric: retrieve by a query needs faiss-cpu: pip install 'textcentric[retrieval]'\n"
    )
    assert "faiss" not in textcentric("retrieve", "none", "--latents", "none").err


@pytest.mark.parametrize("engine", ["vllm", "transformers", "openai"])
def test_an_engine_without_its_package_is_refused_when_it_is_opened(
    engine: str, absent: Hide
) -> None:
    extra, packages = next(iter(PARTS[f"--engine {engine}"].items()))
    absent(*packages)
    with pytest.raises(ConfigError) as refused:
        open_engine(engine, "any/model")
    assert f"engine={engine!r} needs {', '.join(packages)}: pip install" in str(refused.value)
    assert f"'textcentric[{extra}]'" in str(refused.value)


def test_embeddings_say_how_to_do_without(absent: Hide) -> None:
    absent("sentence_transformers")
    with pytest.raises(ConfigError, match="or give embeddings=False"):
        SentenceEncoder("a folder")


def test_what_is_absent_is_listed_by_extra() -> None:
    needs = {"train": ("torch", "sklearn"), "retrieval": ("faiss",)}
    assert lacking(needs, lambda name: name == "torch") == {
        "train": "scikit-learn",
        "retrieval": "faiss-cpu",
    }
    assert lacking(needs, lambda name: True) == {}
    with pytest.raises(ConfigError, match=r"a LoRA adapter needs peft: .*\[train\]"):
        require("a LoRA adapter", lambda name: False)


def test_a_plan_of_picks_by_transformers_says_what_keeps_them_to_their_choices(
    absent: Hide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTCENTRIC_DATA", str(tmp_path))  # no real rows: the built-in sample
    absent("llguidance")
    planned = ["augment", "--dataset", "petfinder", "--limit", "3", "--dry-run"]
    planned += ["--engine", "transformers", "--no-embeddings"]
    said = textcentric(*planned, "--prompts", "adversarial/swap", "--no-summarize")
    assert said.code == 2
    assert said.err.endswith(
        "textcentric: a pick or JSON schema by transformers needs llguidance:"
        " pip install 'textcentric[experts]', or give --engine vllm\n"
    )
    free = textcentric(*planned, "--prompts", "adversarial/paraphrase", "--no-summarize")
    assert (free.code, "llguidance" in free.err) == (0, False)


@pytest.mark.parametrize("what", [*COMMANDS, *PARTS])
def test_an_extra_installs_what_it_is_named_for(what: str) -> None:
    for extra, packages in {**COMMANDS, **PARTS}[what].items():
        names = {Requirement(line).name for line in EXTRAS[extra]}
        for package in packages:
            brought = {DISTRIBUTIONS.get(package, package), f"{package}-cpu"}
            assert brought & names, f"{extra} does not install {package}"
