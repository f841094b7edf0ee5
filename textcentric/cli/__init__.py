"""The command line: `textcentric COMMAND`. Importing it imports no heavy library."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from textcentric.cli.libraries import cleaned, traceback_of
from textcentric.cli.terminal import asked_for_more, nothing_asked, say, terminable
from textcentric.errors import StoppedError, TextCentricError, TrustError, in_flags
from textcentric.security.disk import not_written, why_not_written
from textcentric.security.foreign import reason
from textcentric.security.visible import in_line
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
    """Do the work of a program; every error of ours is one clear line and its own exit code.

    Any other is a fault of this package, or of the machine: a line with its place, and with -v, or
    where a command has no -v, the traceback.
    """
    nothing_asked()
    try:
        with in_flags(), cleaned(), terminable():
            work()
    except TextCentricError as error:
        if first_of_machine():
            say(f"textcentric: {_told(error)}")
        if asked_for_more():
            say(traceback_of(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        if first_of_machine():
            say("textcentric: interrupted")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        if why := why_not_written(error):
            where = getattr(error, "filename", None) or "what this command writes"
            say(f"textcentric: {in_line(not_written(where, why))}")
            sys.exit(StoppedError.exit_code)
        say(_fault(error) if asked_for_more() is False else traceback_of(error))
        sys.exit(1)


def _told(error: TextCentricError) -> str:
    """Return what an error says: in one line, but for what a folder brings, a line each."""
    said = str(error)
    return said if isinstance(error, TrustError) else " ".join(map(str.strip, said.splitlines()))


def _fault(error: Exception) -> str:
    """Say in one line what broke, and where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"textcentric: {reason(error)} (in {Path(frame.filename).name}, line"
        f" {frame.lineno}): a fault of textcentric; the same command with -v shows the traceback,"
        " to be reported"
    )
