"""Harmless words: strings from a data set made fit to stand in a prompt, a table and a web page.

Nothing is interpreted. Formatting tags become line breaks or nothing, character references become
characters, and every other piece of markup (`<script>`, `{{ ... }}`) stays what it is: text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import groupby
from typing import Literal

_BREAKS = "br|p|div|li|ul|ol|tr|table|tbody|thead|h[1-6]|hr|blockquote|section|article|pre"
_INLINE = "a|abbr|b|big|center|code|em|font|i|img|mark|s|small|span|strike|strong|sub|sup|td|th|u"
# `[^<>]*` cannot run over another tag, so the time is linear in the length.
_BREAK_TAG = re.compile(rf"</?(?:{_BREAKS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ACTIVE = re.compile(r"\son\w+\s*=|javascript:", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
MARKUP = 100  # characters of a text that are read for each of the line that is made of it
_JOINERS = "\u200c\u200d"
_LONELY_JOINER = re.compile(f"(?<![^\\x00-\\x7f\\s])[{_JOINERS}]|[{_JOINERS}](?![^\\x00-\\x7f\\s])")
_MANY_MARKS = re.compile(r"[^\w\x00-\x7f]{30,}+")  # combining marks and others that are no words
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def clean_text(text: str) -> str:
    r"""Return `text` without tags, control and zero-width characters; line breaks stay.

    Emoji (with their joiners) and right-to-left letters stay, direction overrides do not.

    >>> clean_text("Two <b>kittens</b>&nbsp;&amp; mum<br>Call\u200b  now")
    'Two kittens & mum\nCall now'
    """
    if text.isascii() and text.isprintable() and "<" not in text and "&" not in text:
        return " ".join(text.split())  # as most cells of a table
    text = _REFERENCE.sub(lambda found: html.unescape(found[0]), _without_tags(text))
    text = _LINE_ENDS.sub("\n", text)
    if not text.replace("\n", " ").isprintable():  # then nothing of it is invisible
        text = "".join(filter(_is_visible, text))
    text = _LONELY_JOINER.sub("", composed(text))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def clean_line(text: str, longest: int = 300) -> str:
    """Return `text` cleaned, on one line, cut at a word after at most `longest` characters.

    >>> clean_line("one\\ntwo three", longest=9)
    'one two …'
    """
    line = " ".join(clean_text(text[: longest * MARKUP]).split())
    if len(line) <= longest:
        return line
    head = line[: longest - 1]
    words, space, _ = head.rpartition(" ")
    return f"{words if space and len(words) > longest // 2 else head} …"


def composed(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Return `text` in a normal form; many marks over one letter take no longer than others.

    The library puts the marks over a letter in order by moving each past all others; here a long
    run of marks comes to it in order.
    """
    if not unicodedata.is_normalized(form, text):
        text = _MANY_MARKS.sub(lambda found: _in_order(found[0]), text)
    return unicodedata.normalize(form, text)


def _in_order(marks: str) -> str:
    """Return signs with neighbouring combining marks in their canonical order."""
    runs = groupby(marks, lambda mark: unicodedata.combining(mark) > 0)
    return "".join("".join(sorted(run, key=unicodedata.combining)) for _, run in runs)


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    text = _BREAK_TAG.sub(lambda tag: tag[0] if _ACTIVE.search(tag[0]) else "\n", text)
    return _INLINE_TAG.sub(lambda tag: tag[0] if _ACTIVE.search(tag[0]) else "", text)


def _is_visible(character: str) -> bool:
    """Keep letters, marks, signs, spaces and joiners; drop Cc, Cf and lone surrogates (Cs)."""
    if character in "\n\t" or character in _JOINERS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")
