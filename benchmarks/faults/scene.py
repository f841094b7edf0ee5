"""A scratch folder with a table, a prompt and a server of our own, and commands run in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from benchmarks.rows import write_table

PROGRAM = [sys.executable, "-c", "from textcentric.cli import main; main()"]
ROWS = 60
SCHEMA = "id: id\ntarget: speed\ntask: classification\ntext: [description]\nsplit: split\n"
PROMPT = """---
id: own/retell
version: 1
stage: adversarial
intent: Write one sentence anew.
label: keep
reads: [row, sentence]
writes: text
each: sentence
take: 1
---
{% block user %}{{ row }}

Rewrite: {{ sentence }}{% endblock %}
"""
MODELS = {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "benchmark"}]}
LONGEST = 180.0  # seconds of a command


class Tried(NamedTuple):
    """A kind of fault: how often it was tried, how often something was lost, and what first."""

    kind: str
    times: int
    lost: int
    first: str = ""

    def __str__(self) -> str:
        first = f" ({self.first})" if self.first else ""
        return f"{self.kind}: {self.times:,} times, {self.lost} lost{first}"


class Done(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def broken(self) -> bool:
        """Say whether it ended by a traceback, or not at all."""
        return "Traceback (most recent call last)" in self.err or self.code in (1, -9)


def counted(kind: str, outcomes: Sequence[str]) -> Tried:
    """Return the tries of a kind; each outcome says what was lost, "" where nothing was."""
    losses = [outcome for outcome in outcomes if outcome]
    return Tried(kind, len(outcomes), len(losses), losses[0][:200] if losses else "")


def answer(body: dict[str, Any]) -> str:
    """Return an answer that depends on the request alone."""
    asked = json.dumps(body.get("messages"), sort_keys=True).encode()
    return f"Number {blake2b(asked, digest_size=4).hexdigest()} stands near the old harbour."


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """Return a chat completion."""
    message = {"role": "assistant", "content": answer(body)}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}


class Server:
    """A server of OpenAI's protocol on the loopback; `reply` may answer otherwise, as raw bytes."""

    def __init__(self) -> None:
        self.asked = 0
        self.reply: Callable[[dict[str, Any]], bytes] | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                """List the models."""
                self._send(as_http(MODELS))

            def do_POST(self) -> None:
                """Answer, as told."""
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                server.asked += 1
                self._send(server.reply(body) if server.reply else as_http(completion(body)))

            def _send(self, raw: bytes) -> None:
                self.close_connection = True
                try:
                    self.wfile.write(raw)
                except OSError:
                    return  # the client hung up first

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *args: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._http.shutdown()
        self._http.server_close()


def as_http(body: object, status: int = 200, **headers: str) -> bytes:
    """Return a whole reply; `body` as JSON where it is not bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} So\r\n{lines}Connection: close\r\n\r\n".encode() + content


class Scene:
    """A folder with `rows.csv`, `rows.yaml`, prompts and a server; home is inside it too."""

    def __init__(self, folder: Path, rows: int = ROWS) -> None:
        self.folder, self.server = folder, Server()
        write_table(folder / "rows.csv", rows)
        (folder / "rows.yaml").write_text(SCHEMA)
        (folder / "prompts" / "own").mkdir(parents=True)
        (folder / "prompts" / "own" / "retell.jinja").write_text(PROMPT)
        (folder / "home").mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.server.close()

    def augment(self, output: object, *more: object) -> list[str]:
        """Return the words of a run into `output`."""
        words = ["augment", "--dataset", "rows.csv", "--schema", "rows.yaml", "--perturb", "all"]
        words += ["--engine", "openai", "--base-url", self.server.url, "--model", "m"]
        words += ["--prompts", "own/retell", "--prompt-dir", "prompts", "--no-embeddings"]
        return [*words, "--no-summarize", "-q", "-o", str(output), *map(str, more)]

    def train(self, output: object, *more: object) -> list[str]:
        """Return the words of a short training of the packaged encoder."""
        words = ["train", "downstream", "--dataset", "rows.csv", "--schema", "rows.yaml"]
        words += ["--max-length", "32", "--save-steps", "1"]
        words += ["--eval-strategy", "no", "--layers", "1", "--train-rows", "32", "-q"]
        return [*words, "--set", "train.use_cpu=true", "-o", str(output), *map(str, more)]

    def start(self, words: Sequence[object], **environment: str) -> subprocess.Popen[str]:
        """Start a command here."""
        return subprocess.Popen(
            [*PROGRAM, *map(str, words)],
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def run(self, words: Sequence[object], seconds: float = LONGEST, **environment: str) -> Done:
        """Run a command here to its end; one that is still there after `seconds` is killed."""
        with self.start(words, **environment) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
            return Done(process.returncode, out, err)

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        home = str(self.folder / "home")
        quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        own = {"XDG_STATE_HOME": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home}
        return {**os.environ, **quiet, **own, "OPENAI_API_KEY": "sk-of-the-benchmark", **more}
