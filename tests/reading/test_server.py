"""The server of the page: who may ask, what is told, and that nothing is lost."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.read_run import drawn
from textcentric.errors import ConfigError
from textcentric.reading.answers import Answer, append, read_answers
from textcentric.reading.page import page
from textcentric.reading.server import Desk, PageServer
from textcentric.reading.sheet import Sheet


@dataclass
class Served:
    """A page that is served, and requests to it."""

    server: PageServer
    run: Path
    sheet: Sheet

    def ask(
        self, method: str, place: str, body: object = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=60)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        connection.request(method, place, data, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, dict(answer.getheaders())

    def below(self, place: str) -> str:
        return f"/{self.server.desk.token}/{place}"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sheet]:
    return drawn(tmp_path_factory.mktemp("read") / "run", 4)


@pytest.fixture
def served(once: tuple[Path, Sheet]) -> Iterator[Served]:
    run, sheet = once
    (run / "reading" / "answers.jsonl").unlink(missing_ok=True)
    with PageServer(Desk(run, sheet, "anna")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Served(server, run, sheet)
        server.shutdown()
        thread.join()


def test_the_page_may_load_itself_alone(served: Served) -> None:
    status, text, headers = served.ask("GET", served.below(""))
    assert status == 200
    assert text == page()[0]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'sha256-")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("place", ["/", "/sheet", "/wrong/sheet", "/favicon.ico", "//"])
def test_a_request_without_the_token_is_refused(served: Served, place: str) -> None:
    assert served.ask("GET", place)[0] == 403
    assert served.ask("POST", place, {"item": "001", "word": "same"})[0] == 403
    assert read_answers(served.run) == []


@pytest.mark.parametrize("place", [b"/\xe9\xff/sheet", b"http://[x/sheet"])
def test_an_address_of_odd_bytes_is_refused(served: Served, place: bytes) -> None:
    port = served.server.server_port
    with socket.create_connection(("127.0.0.1", port), timeout=60) as asked:
        asked.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (place, port))
        assert asked.recv(100).startswith(b"HTTP/1.0 403 ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_another_host_or_page_is_refused(served: Served, headers: dict[str, str]) -> None:
    assert served.ask("GET", served.below("sheet"), **headers)[0] == 403
    answer = {"item": "001", "word": "same"}
    assert served.ask("POST", served.below("answers"), answer, **headers)[0] == 403
    assert read_answers(served.run) == []


def test_its_own_page_may_ask(served: Served) -> None:
    port = served.server.server_port
    headers = {"Origin": f"http://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"}
    answer = {"item": "001", "word": "same"}
    assert served.ask("POST", served.below("answers"), answer, **headers)[:2] == (
        200,
        '{"saved": true}',
    )
    assert served.ask("GET", served.below("other"))[0] == 404


def test_a_reader_is_told_of_their_own_answers_alone_and_of_no_verdict(served: Served) -> None:
    digest = served.sheet.digest
    append(
        served.run, [Answer(digest, "001", "bob", "garbled"), Answer(digest, "002", "anna", "less")]
    )
    text = served.ask("GET", served.below("sheet"))[1]
    told = json.loads(text)
    assert told["answers"] == {"002": {"word": "less", "edited": None}}
    assert not any(word in text for word in ("accepted", "refused", "decoy", "own/swap", "bob"))
    assert set(told["items"][0]) == {"item", "declared", "parts", "text"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"item": "001", "word": "smae"}, "unknown word 'smae'; did you mean 'same'"),
        ({"item": "999", "word": "same"}, "the sheet has no pair '999'"),
        ({"item": "001", "word": "same", "edited": {"other": "x"}}, "`edited` must give parts"),
        ({"item": "001", "word": "same", "edited": {"text": 3}}, "`edited` must give parts"),
        ("{", "the answer is not JSON"),
        ("[]", "the answer is no JSON object"),
        ("x" * 1_000_001, "an answer has 1 to 1000000 bytes"),
    ],
)
def test_a_bad_answer_is_refused_and_said(served: Served, body: object, message: str) -> None:
    status, text, _ = served.ask("POST", served.below("answers"), body)
    assert status == 400
    assert message in json.loads(text)["problem"]
    assert read_answers(served.run) == []


def test_an_answer_of_another_kind_is_refused(served: Served) -> None:
    answer = '{"item": "001", "word": "same"}'  # as a form of another page could send it
    status, _, _ = served.ask("POST", served.below("answers"), answer, Content_Type="text/plain")
    assert status == 404
    assert read_answers(served.run) == []


def test_answers_of_many_requests_at_once_are_all_kept(served: Served) -> None:
    names = [item.item for item in served.sheet.items]

    def send(item: str) -> int:
        return served.ask("POST", served.below("answers"), {"item": item, "word": "l"})[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, names)) == {200}
    assert [answer.item for answer in read_answers(served.run)] == names
    served.ask("POST", served.below("answers"), {"item": names[0], "word": ""})
    assert [answer.item for answer in read_answers(served.run)] == names[1:]


def test_a_port_that_is_taken_is_said(served: Served) -> None:
    with pytest.raises(ConfigError, match="choose another port="):
        PageServer(served.server.desk, served.server.server_port)
