"""The command line: `textcentric COMMAND`. Importing it imports no heavy library."""

from __future__ import annotations

import sys

from textcentric.cli.launched import first_of_machine
from textcentric.errors import TextCentricError


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
