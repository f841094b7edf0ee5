"""The forms in which libraries and servers write a value: encoded sign by sign, base64, hex."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}|\\|&#?\w|\+")  # no sign stands for another without one
LONGEST = 64  # signs of one expression; a longer value is looked for in parts
_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_LETTERS = {"\n": "n", "\r": "r", "\t": "t"}
_BACKSLASHES = r"\\{1,8}+"  # JSON within JSON doubles them


def forms(value: str) -> Iterator[str]:
    """Yield a value as it stands, in base64 behind whatever stands before it, and in hex."""
    yield value
    raw = value.encode("utf-8", "surrogateescape")
    yield from (raw.hex(), raw.hex().upper())
    for before in range(3):
        first, last = (before * 4 + 2) // 3, (before + len(raw)) * 4 // 3
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + raw).decode()[first:last]  # what no neighbour changes


Pattern = tuple[re.Pattern[str], ...]  # for what follows each other


def patterns(value: str) -> Iterator[Pattern]:
    """Yield what finds a value in which each sign may be written in its own way.

    As it stands, percent-encoded, as an escape of JSON, Python or C, or as an entity of HTML, and
    these within each other. No text can be read in many ways, so none takes long.
    """
    count = -(-len(value) // LONGEST)
    size = -(-len(value) // count)
    parts = (value[start : start + size] for start in range(0, len(value), size))
    yield tuple(
        re.compile("".join(map(_token, re.findall(r"\\+.?|.", part, re.DOTALL)))) for part in parts
    )
    for form in forms(value):
        if form != value and not form.isalnum():  # of base64 only + and / are ever encoded
            signs = (char if char.isalnum() else f"(?:{_sign(char)})" for char in form)
            yield (re.compile("".join(signs)),)


def replaced(text: str, pattern: Pattern, by: str) -> str:
    """Return `text` with `by` in place of whatever a pattern finds whole."""
    kept, at = [], 0
    for found in pattern[0].finditer(text):
        end = _end(text, pattern, found.end())
        if found.start() >= at and end:
            kept += [text[at : found.start()], by]
            at = end
    return "".join([*kept, text[at:]]) if kept else text


def _end(text: str, pattern: Pattern, at: int) -> int:
    """Return where the rest of a pattern ends that stands at `at`, 0 where it does not."""
    for part in pattern[1:]:
        found = part.match(text, at)
        if found is None:
            return 0
        at = found.end()
    return at


def _token(token: str) -> str:
    """Return an expression for a sign, or for backslashes and the sign behind them."""
    if not token.startswith("\\"):
        return f"(?:{_sign(token)})"
    count = len(token) - (token[-1] != "\\")
    rest = f"(?:{_sign(token[count:])})" if token[count:] else ""
    return rf"(?>(?:\\{{{count},{8 * count}}}|(?:{_encoded(token[0])}){{{count}}}){rest})"


def _sign(char: str) -> str:
    itself = re.escape(char) if char != " " else r"[ +]"
    if char in "%&":  # begin what stands for them
        return f"(?>{_encoded(char)}|{itself})"
    return f"{itself}|{_encoded(char)}"


def _encoded(char: str) -> str:
    """Return an expression for what stands for a sign: percent-encoded, escaped, an entity."""
    code, raw = ord(char), char.encode("utf-8", "surrogateescape")
    units = char.encode("utf-16-be", "surrogatepass").hex()
    pairs = _BACKSLASHES.join(f"u{units[at : at + 4]}" for at in range(0, len(units), 4))
    octets = _BACKSLASHES.join(f"x{byte:02x}" for byte in raw)
    escapes = [pairs, octets, rf"u\{{0*{code:x}\}}", f"u{code:08x}"]
    escapes += [f"x{code:02x}"] if len(raw) > 1 and code < 256 else []
    escapes += [f"{code:03o}"] if code < 128 else []
    escaped = f"(?i:{'|'.join(escapes)})"
    if not char.isalnum():
        escaped += f"|{_LETTERS.get(char) or re.escape(char)}"
    names = [f"#0{{0,6}}{code}", f"#x0{{0,6}}{code:x}", *filter(None, [_NAMES.get(char)])]
    percents = "".join(f"%(?:25){{0,3}}{byte:02x}" for byte in raw)
    return f"(?i:{percents})|{_BACKSLASHES}(?:{escaped})|&(?:amp;){{0,3}}(?i:{'|'.join(names)});"
