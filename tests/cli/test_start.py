"""Help and shell completion answer at once: no heavy library is imported for them."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

HEAVY = ("torch", "transformers", "vllm", "pyarrow", "pydantic", "datasets", "numpy", "jinja2")
PROGRAM = """
import sys
from textcentric.cli import main
sys.argv[0] = "textcentric"
try:
    main()
finally:
    print("loaded:", *(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


def started(arguments: Sequence[str], **environment: str) -> tuple[str, list[str]]:
    """Run the program with `arguments`; return its output and the heavy modules it loaded."""
    command = [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return done.stdout, done.stderr.split("loaded:")[1].split()


@pytest.mark.parametrize(
    "arguments",
    [
        *(["prompts", "--help"], ["runs", "resume", "--help"], ["augment", "--help"]),
        *(["train", "downstream", "--help"], ["train", "crmt", "--help"], ["evaluate", "--help"]),
        *(
            ["compare", "--help"],
            ["latents", "--help"],
            ["retrieve", "--help"],
            ["ablate", "crmt", "-h"],
        ),
    ],
    ids=" ".join,
)
def test_help_of_a_command_imports_no_heavy_library(arguments: list[str]) -> None:
    out, loaded = started(arguments)
    assert out.startswith("Usage: textcentric ")
    assert set(loaded) <= {"pydantic"}  # typer takes it for the options of a command


def test_help_names_every_command_and_imports_no_heavy_library() -> None:
    out, loaded = started(["--help"])
    assert loaded == []
    commands = out.split("Commands:")[1]
    for name in "augment describe data prompts runs report lineage doctor".split():
        assert f"\n  {name} " in commands


def test_completion_imports_no_heavy_library() -> None:
    out, loaded = started(
        [], _TEXTCENTRIC_COMPLETE="complete_bash", COMP_WORDS="textcentric pro", COMP_CWORD="1"
    )
    assert out.split() == ["prompts"]
    assert set(loaded) <= {"pydantic"}
