"""The command line: `textcentric COMMAND`. Importing it imports no heavy library."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence

from textcentric.cli.terminal import say, terminable
from textcentric.errors import TextCentricError, in_flags
from textcentric.training.processes import first_of_machine

# vLLM's core imports the program again in a process of its own, and warns (of Triton) before it
# has set up its log, so that its level alone does not keep the line off the screen.
if os.environ.get("VLLM_LOGGING_LEVEL") == "ERROR":
    logging.getLogger("vllm").setLevel(logging.ERROR)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command that `words` are, those of this process without any."""
    from textcentric.cli.app import app

    run(lambda: app(args=None if words is None else list(words), standalone_mode=True))


def run(work: Callable[[], object]) -> None:
    """Do the work of a program; every error of ours is one clear line and its own exit code."""
    try:
        with in_flags(), terminable():
            work()
    except TextCentricError as error:
        if first_of_machine():
            say(f"textcentric: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        if first_of_machine():
            say("textcentric: interrupted")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
