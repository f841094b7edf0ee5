"""Secrets that a server is sent and repeats: no byte of a run, no line of a command holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.commands import textcentric
from tests.support.fake_server import Server, completion, http, served

KEY, GATEWAY, PASSWORD = "sk-marker-of-the-key", "gw-marker-of-a-header", "marker-of-a-password"
MARKERS = (KEY, GATEWAY, PASSWORD)
PROMPT = """---
id: own/say
version: 1
stage: adversarial
intent: Say it in other words.
reads: [row]
writes: text
---
{% block user %}{{ row }}

Say it in other words.{% endblock %}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with twelve rows, one prompt, and secrets in the environment."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"r{n},Dog number {n} sleeps in the sun.\n" for n in range(12))
    Path("rows.csv").write_text("id,words\n" + rows)
    Path("mine").mkdir()
    Path("mine/say.jinja").write_text(PROMPT)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("GATEWAY", GATEWAY)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@127.0.0.1:9")
    return tmp_path


def repeating(status: int) -> Any:
    """Return how a server answers that repeats all it was sent in confidence, every other time."""
    said = f"headers: Bearer {KEY}, X-Gateway {GATEWAY}, proxy me:{PASSWORD}"
    turns = iter(range(1000))

    def reply(asked: dict[str, Any]) -> bytes:
        if next(turns) % 2:
            return completion(f"A dog naps. {said}", reasoning=said)
        body = {"error": {"message": said}} if status != 200 else {"odd": said}
        return http(status, body, Location=f"http://elsewhere/?{KEY}", Retry_After=KEY)

    return reply


def holding(folder: Path) -> list[str]:
    """Return the files that hold a marker, in their bytes or in the rows that they hold."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += json.dumps(pq.read_table(path).to_pylist()).encode()
        if any(marker.encode() in content for marker in MARKERS):
            found.append(str(path))
    return found


@pytest.mark.parametrize("status", [200, 307, 400, 403, 404, 429, 500])
def test_no_secret_reaches_a_file_or_the_terminal(place: Path, status: int) -> None:
    flags = [
        *("augment", "--dataset", "rows.csv", "--id", "id", "--text", "words", "--target", "none"),
        *("--perturb", "all", "--prompt-dir", "mine", "--prompts", "own/say", "--engine", "openai"),
        *("--no-summarize", "--no-embeddings", "-v", "-o", "run", "--model", "m"),
        *("--set", "engine.pause=0.001", "--set", "engine.attempts=2"),
        *("--set", "engine.headers={X-Gateway: $GATEWAY}", "--set", "engine.concurrency=1"),
    ]
    with served(Server(repeating(status))) as url:
        said = textcentric(*flags, "--base-url", url)
    assert said.code in (0, 3, 75)
    assert "run.yaml" in {path.name for path in place.glob("run/*")}
    shown = textcentric("runs", "show", "run")
    for marker in MARKERS:
        assert marker not in said.out + said.err + shown.out + shown.err
    assert holding(place / "run") == []
    assert "$GATEWAY" in (place / "run/run.yaml").read_text()


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"x{GATEWAY}x")
    assert holding(tmp_path) == [str(tmp_path / "a.txt")]


def test_a_proxy_that_is_in_the_way_is_named_without_its_password(place: Path) -> None:
    said = textcentric(
        "augment", "--dataset", "rows.csv", "--id", "id", "--text", "words", "--target", "none",
        "--prompt-dir", "mine", "--prompts", "own/say", "--engine", "openai", "--no-summarize",
        "--no-embeddings", "-o", "run", "--model", "m", "--base-url", "https://example.org/v1",
        "--set", "engine.pause=0.001",
    )  # fmt: skip
    assert said.code == 75
    assert "(through the proxy http://127.0.0.1:9)" in said.err
    assert PASSWORD not in said.err
