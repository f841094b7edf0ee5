"""The command line: `textcentric COMMAND`. Importing it imports no heavy library."""

from __future__ import annotations

import logging
import os
import sys

from textcentric.errors import TextCentricError
from textcentric.training.processes import first_of_machine

# vLLM's core imports the program again in a process of its own, and warns (of Triton) before it
# has set up its log, so that its level alone does not keep the line off the screen.
if os.environ.get("VLLM_LOGGING_LEVEL") == "ERROR":
    logging.getLogger("vllm").setLevel(logging.ERROR)


def main() -> None:
    """Run the command line; every error of ours is one clear line and its own exit code."""
    from textcentric.cli.app import app

    try:
        app(standalone_mode=True)
    except TextCentricError as error:
        if first_of_machine():
            print(f"textcentric: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        if first_of_machine():
            print("textcentric: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
