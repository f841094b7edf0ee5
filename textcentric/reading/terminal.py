"""Reading without a browser: one pair after another, a letter an answer."""

from __future__ import annotations

from collections.abc import Callable

from textcentric.errors import DataError, Say
from textcentric.reading.answers import KEYS, word_of
from textcentric.reading.exchange import marked
from textcentric.reading.server import Desk
from textcentric.report.formats import visible
from textcentric.security.visible import in_line

HELP = f"{', '.join(f'{key} {word}' for key, word in KEYS.items())}, u undo, q quit"


def read_in_terminal(desk: Desk, ask: Callable[[str], str], tell: Say) -> int:
    """Show the pairs that the desk's reader has not read; return how many were answered.

    `ask` returns the line that the reader typed; the end of input ends it.
    """
    answers = desk.state()["answers"]
    known = set(answers) if isinstance(answers, dict) else set()
    left = [item for item in desk.sheet.items if item.item not in known]
    at = 0
    while at < len(left):
        item = left[at]
        tell(f"\n{in_line(item.item)}: {at + 1} of {len(left)}")
        if item.declared:
            tell(str(visible(item.declared)))
        for name, text in item.source.items():
            tell(f"[{in_line(name)}] {visible(text)}")
        tell(f"--- variant: [-gone-] {{+new+}}\n{visible(marked(item))}")
        try:
            said = ask(f"{HELP}: ").strip().lower()
            if said in ("q", "quit"):
                break
            if said in ("u", "undo"):
                at = max(0, at - 1)
                desk.take({"item": left[at].item, "word": ""})
                continue
            desk.take({"item": item.item, "word": word_of(said)})
            at += 1
        except EOFError:
            break
        except DataError as error:
            tell(str(error))
    return at
