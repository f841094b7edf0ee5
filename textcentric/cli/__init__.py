"""The command line: `textcentric COMMAND`. Importing it imports no heavy library."""

from __future__ import annotations

import sys

from textcentric.errors import TextCentricError


def main() -> None:
    """Run the command line; every error of ours is one clear line and its own exit code."""
    from textcentric.cli.app import app

    try:
        app(standalone_mode=True)
    except TextCentricError as error:
        print(f"textcentric: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("textcentric: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
