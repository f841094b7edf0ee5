"""The page of a sheet, served to one reader on this machine alone.

It listens on 127.0.0.1 under an address that holds a token. A request without it, to another host
name or from another page is refused, so that neither another user's browser tab nor a page of the
web can read or write; nothing is sent anywhere, and the page may load nothing from outside.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from textcentric.errors import ConfigError, DataError, TextCentricError, option
from textcentric.reading.answers import Answer, append, by_reader, read_answers, word_of
from textcentric.reading.page import page, shown
from textcentric.reading.sheet import Sheet

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
LONGEST_BODY = 1_000_000  # bytes
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Desk:
    """What one reader reads: a sheet of a run, and where their answers go."""

    run: Path
    sheet: Sheet
    reader: str
    who: str = "a person"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @cached_property
    def items(self) -> list[dict[str, object]]:
        """Return the pairs as the page shows them, without kind, prompt or verdict."""
        return [shown(item) for item in self.sheet.items]

    def state(self) -> dict[str, object]:
        """Return the sheet with what this reader said so far, and nothing of any other."""
        own = by_reader(read_answers(self.run, self.sheet)).get(self.reader, {})
        answers = {
            item: {"word": answer.word, "edited": answer.edited} for item, answer in own.items()
        }
        return {"reader": self.reader, "items": self.items, "answers": answers}

    def take(self, said: dict[str, object]) -> None:
        """Append one answer, or take it back where `word` is ""; raises DataError for a bad one."""
        item = self.sheet.by_id().get(str(said.get("item")))
        if item is None:
            raise DataError(f"the sheet has no pair {said.get('item')!r}")
        word = str(said.get("word") or "")
        edited = said.get("edited")
        if edited is not None and not (
            isinstance(edited, dict)
            and edited.keys() <= item.variant.keys()
            and all(isinstance(text, str) for text in edited.values())
        ):
            raise DataError(f"pair {item.item}: `edited` must give parts of the variant as texts")
        parts = {**item.variant, **edited} if edited and word else None
        word = word_of(word) if word else ""
        append(self.run, [Answer(self.sheet.digest, item.item, self.reader, word, self.who, parts)])


class PageServer(ThreadingHTTPServer):
    """A server of one desk; `address` is what the reader opens."""

    daemon_threads = True

    def __init__(self, desk: Desk, port: int = 0):
        self.desk = desk
        try:
            super().__init__((HOST, port), Handler)
        except OSError as error:
            raise ConfigError(
                f"port {port} of {HOST} cannot be used ({error.strerror}); choose another"
                f" {option('port')}, or none for any that is free"
            ) from error

    @property
    def address(self) -> str:
        """Return the address of the page, token included."""
        return f"http://{HOST}:{self.server_port}/{self.desk.token}/"


class Handler(BaseHTTPRequestHandler):
    """Answer the page, its data and its answers; refuse everything else."""

    server: PageServer
    server_version, sys_version = "textcentric", ""

    def do_GET(self) -> None:
        place = self._place()
        if place == "":
            text, policy = page()
            self._send(200, text, "text/html", {"Content-Security-Policy": policy})
        elif place == "sheet":
            self._send_json(200, self.server.desk.state())
        elif place is not None:
            self._send(404, "there is no such page", "text/plain")

    def do_POST(self) -> None:
        place = self._place()
        if place is None:
            return
        if place != "answers" or self.headers.get_content_type() != "application/json":
            self._send(404, "there is no such page", "text/plain")
            return
        try:
            self.server.desk.take(self._body())
        except TextCentricError as error:
            self._send_json(400, {"problem": str(error)})
        else:
            self._send_json(200, {"saved": True})

    def _place(self) -> str | None:
        """Return what is asked for below the token; None, and 403, for who may not ask."""
        asked = self.path.partition("?")[0].removeprefix("/")
        token, _, rest = asked.partition("/")
        known = hmac.compare_digest(token.encode(), self.server.desk.token.encode())
        if not (self._is_our_page() and known):
            self._send(403, "refused: open the address that the terminal shows", "text/plain")
            return None
        return rest

    def _is_our_page(self) -> bool:
        """Say whether the request names this server, and comes from no other page."""
        hosts = [f"{name}:{self.server.server_port}" for name in NAMES]
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "none")
        return (
            self.headers.get("Host") in hosts
            and (origin is None or origin in [f"http://{host}" for host in hosts])
            and site in ("none", "same-origin")
        )

    def _body(self) -> dict[str, object]:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 < length <= LONGEST_BODY:
            self.rfile.read(max(0, min(length, 4 * LONGEST_BODY)))  # or the refusal is not heard
            raise DataError(f"an answer has 1 to {LONGEST_BODY} bytes")
        try:
            said = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError) as error:
            raise DataError(f"the answer is not JSON ({error})") from error
        if not isinstance(said, dict):
            raise DataError("the answer is no JSON object")
        return said

    def _send_json(self, status: int, value: dict[str, object]) -> None:
        self._send(status, json.dumps(value, ensure_ascii=True), "application/json")

    def _send(
        self, status: int, text: str, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {**HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *values: object) -> None:
        """Keep requests, and the token in them, off the screen."""
