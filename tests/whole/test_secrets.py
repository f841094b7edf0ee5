"""A server that repeats the key in every way it can: the key stands nowhere afterwards."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from tests.support.fake_server import Server, completion, http, served
from tests.support.small_run import write_prompts

MARKS = {
    "OPENAI_API_KEY": "sk-heron/on+the=pond",
    "HF_TOKEN": "hf_wagtailOnTheRoof",
    "HTTPS_PROXY": "http://curlew:grey-dunnock@127.0.0.1:9",
    "ROUTE_WORD": "open-siskin-gate",
}
SECRETS = (MARKS["OPENAI_API_KEY"], MARKS["HF_TOKEN"], "grey-dunnock", MARKS["ROUTE_WORD"])
TOLD = " ".join(f"{secret} {quote(secret, safe='')}" for secret in SECRETS)
TEXT = f"Some calm animal was found near the old mill with {TOLD} in spring."
MAIN = "from textcentric.cli import main; main()"
HEADERS = {"x_request_id": SECRETS[0], "retry_after": SECRETS[0], "server": f"Bearer {SECRETS[0]}"}


def forms() -> list[bytes]:
    """Return what must stand nowhere: each secret as it is, in an address and in base64."""
    return [
        form
        for secret in SECRETS
        for form in (
            secret.encode(),
            quote(secret, safe="").encode(),
            base64.b64encode(secret.encode()).rstrip(b"="),
        )
    ]


def held(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file with its bytes, and with what is packed in it."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield path.name, path.read_bytes()
        if path.suffix == ".parquet":
            yield path.name, repr(pq.read_table(path).to_pylist()).encode()
        elif path.suffix == ".sqlite":
            yield from ((path.name, cell) for cell in cells(path))


def cells(path: Path) -> Iterator[bytes]:
    with sqlite3.connect(path) as database:
        tables = database.execute("select name from sqlite_master where type='table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f"select * from {table}"):
                for cell in row:
                    data = cell if isinstance(cell, bytes) else str(cell).encode()
                    yield data
                    yield unpacked(data)


def unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""


def run(folder: Path, url: str, *more: str) -> subprocess.CompletedProcess[bytes]:
    """Run `augment -v` with all secrets in its environment."""
    texts = "".join(f"r{n},This calm dog was found behind the mill.,a\n" for n in range(10))
    (folder / "rows.csv").write_text(f"id,text,target\n{texts}")
    write_prompts(folder / "prompts")
    command = [
        *("augment", "-v", "--dataset", "rows.csv", "--id", "id", "--text", "text"),
        *("--target", "target", "--perturb", "all", "--prompts", "own/swap", "--prompt-dir"),
        *("prompts", "--no-embeddings", "--no-summarize", "--engine", "openai", "--model", "m"),
        *("--base-url", url, "--set", "engine.headers={X-Route: $ROUTE_WORD}", "-o", "run", *more),
    ]
    env = {**os.environ, **MARKS, "NO_PROXY": "127.0.0.1", "HF_HUB_OFFLINE": "1"}
    words = [sys.executable, "-c", MAIN, *command]
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, timeout=300)


def assert_nowhere(folder: Path, done: subprocess.CompletedProcess[bytes]) -> None:
    said = [("terminal", done.stdout), ("terminal", done.stderr), *held(folder / "run")]
    found = {f"{form!r} in {name}" for name, data in said for form in forms() if form in data}
    assert found == set()


def test_answers_and_errors_that_repeat_secrets_leave_none(tmp_path: Path) -> None:
    errors = [
        http(status, {"error": {"message": TOLD, "code": TOLD, "type": TOLD}}, **HEADERS)
        for status in (400, 422, 413, 500)
    ]
    with served(Server(*errors, http(500, TOLD.encode()), completion(TEXT))) as url:
        done = run(tmp_path, url, "--max-failed", "1")
    assert done.returncode == 0, done.stderr.decode()
    assert any(b"[secret]" in data for _, data in held(tmp_path / "run"))
    assert_nowhere(tmp_path, done)


@pytest.mark.parametrize("status", [401, 402])
def test_a_refusal_that_ends_the_run_repeats_no_secret(tmp_path: Path, status: int) -> None:
    with served(Server(http(status, {"error": {"message": TOLD}}, **HEADERS))) as url:
        done = run(tmp_path, url)
    assert done.returncode == 75, done.stderr.decode()
    assert_nowhere(tmp_path, done)


def test_a_list_of_models_that_repeats_secrets_leaves_none(tmp_path: Path) -> None:
    server = Server(completion(TEXT), owner=TOLD)
    with served(server) as url:
        done = run(tmp_path, url)
    assert done.returncode == 0, done.stderr.decode()
    assert_nowhere(tmp_path, done)


def test_an_address_with_a_password_is_refused_without_it(tmp_path: Path) -> None:
    done = run(tmp_path, "http://heron:open-siskin-gate@127.0.0.1:9/v1")
    assert done.returncode == 2
    assert_nowhere(tmp_path, done)
