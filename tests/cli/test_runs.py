"""`textcentric runs`, `report` and `lineage` over runs of a scripted engine."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import textcentric as tc
from tests.support.commands import Said, textcentric
from tests.support.fake_server import Server, completion, http, served
from textcentric.augmentation.config import resolve
from textcentric.cli.running import run_config
from textcentric.cli.runs import diff_as_text, resume_run
from textcentric.engines.protocol import Request
from textcentric.folders import read_yaml
from textcentric.prompts.library import packaged_prompts
from textcentric.runs.journal import Journal
from textcentric.runs.lock import holder, lock
from textcentric.runs.manifest import read_manifest, write_manifest

PROMPT = """---
id: adversarial/mine
version: 1
stage: adversarial
intent: Say it in other words.
reads: [row]
writes: text
---
{% block user %}{{ row }}

Say it in other words.{% endblock %}
"""
ROWS = "".join(f"r{n},Dog number {n} sleeps in the sun.\n" for n in range(12))
TRUE = {f"number {n} sleeps": f"Dog number {n} naps in the sun." for n in range(12)}
SETTINGS = [
    *("--id", "id", "--text", "words", "--engine", "scripted", "--perturb", "all"),
    *("--no-embeddings", "--no-summarize", "--set", f"engine.answer={json.dumps(TRUE)}"),
]
FAILING = {
    "dataset": "rows.csv",
    "table_schema": {"id": "id", "text": ["words"]},
    "prompts": "adversarial/mine",
    "prompt_dir": "mine",
    "engine": "scripted",
    "summarize": False,
    "embeddings": False,
    "perturb": "all",
    "output_dir": "runs/one",
}
ENOUGH = ("--max-tokens-total", 10**6)  # over the budget that the run was stopped by


def said_of(asked: str) -> str:
    """Say the row in other words."""
    return next(said for part, said in TRUE.items() if part in asked)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with twelve rows and a folder of one prompt."""
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("id,words\n" + ROWS)
    Path("mine").mkdir()
    Path("mine/mine.jinja").write_text(PROMPT)
    return tmp_path


def augment(
    name: str,
    *more: object,
    prompts: str = "adversarial/mine",
    settings: Sequence[object] = SETTINGS,
) -> Said:
    output = ["-o", f"runs/{name}", "--prompts", prompts, "--prompt-dir", "mine"]
    return textcentric("augment", "--dataset", "rows.csv", *output, *settings, *more)


def stopped(name: str) -> Path:
    """Leave a run of which half of the rows are finished."""
    assert augment(name, "--set", "engine.concurrency=1", "--max-tokens-total", 1).code == 75
    return Path("runs") / name


def test_show_counts_reasons_tokens_and_what_limited_the_run(place: Path) -> None:
    assert augment("one").code == 0
    said = textcentric("runs", "show", "one")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "runs/one: finished"
    assert lines[1] == "data    12 rows of rows (file, rows.csv)"
    assert lines[2] == "engine  scripted, model scripted"
    assert "adversarial/mine         12        12         0       0        0" in lines
    assert "all                      24        24         0       0        0" in lines
    assert "requests: 12 sent, 0 reused" in lines
    shown = json.loads(textcentric("runs", "show", "runs/one", "--json").out)
    assert (shown["status"], shown["totals"]["accepted"], shown["path"]) == (
        "finished",
        24,
        "runs/one",
    )


def test_a_run_that_nobody_holds_any_more_was_killed(place: Path) -> None:
    folder = stopped("one")
    write_manifest(folder, read_manifest(folder) | {"status": "running", "stopped": ""})
    finished = Journal(folder / "journal.sqlite").finished_rows()
    lines = textcentric("runs", "show", "one").out.splitlines()
    killed = "runs/one: killed: it was killed; what was finished is kept"
    assert lines[0] == f"{killed}; textcentric runs resume runs/one"
    assert lines[1] == f"data    {finished} of 12 rows of rows (file, rows.csv)"
    with lock(folder):
        assert textcentric("runs", "show", "one").out.startswith(
            f"runs/one: running in process {holder(folder)}\n"
        )


def test_list_is_newest_first_and_shows_a_broken_one(place: Path) -> None:
    for name, started in (("old", "2020-01-01T00:00:00Z"), ("new", "2021-01-01T00:00:00Z")):
        augment(name, "-q")
        write_manifest(Path("runs", name), read_manifest(Path("runs", name)) | {"started": started})
    Path("runs/torn").mkdir()
    Path("runs/torn/manifest.json").write_text("{")
    runs = json.loads(textcentric("runs", "list", "--json").out)
    found = [(Path(run["path"]).name, run["status"]) for run in runs]
    assert found == [("new", "finished"), ("old", "finished"), ("torn", "unreadable")]
    lines = textcentric("runs", "list").out.splitlines()
    assert lines[1].split()[:2] == ["new", "finished"]


def test_an_unknown_run_suggests_the_nearest(place: Path) -> None:
    augment("first-try", "-q")
    said = textcentric("runs", "show", "first-tri")
    assert (said.code, said.out) == (2, "")
    assert "unknown run 'first-tri'; did you mean 'first-try'?" in said.err
    assert textcentric("runs", "list", "nowhere").code == 2


def test_diff_shows_configuration_and_counts(place: Path) -> None:
    augment("one")
    augment("two", "--limit", 4)
    said = textcentric("runs", "diff", "one", "two")
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[:2] == [["one", "two"], ["limit", "-", "4"]]
    assert ["totals.accepted", "24", "8"] in lines
    whole = json.loads(textcentric("runs", "diff", "one", "two", "--json").out)
    assert (whole["limit"], whole["totals.accepted"]) == ([None, 4], [24, 8])
    said = textcentric("runs", "diff", "one", "one")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("no difference")


def test_a_diff_fits_the_screen_and_says_how_much_more_there_is() -> None:
    columns = [(f"data.schema.columns.c{n}", None, {"label": "x" * 400}) for n in range(9)]
    found = [("prompts", "adversarial/noise", "own/" + "y" * 300), *columns]
    lines = diff_as_text(found, ("", "one", "two"), 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].split() == ["one", "two"]
    assert lines[1].split() == ["prompts", "adversarial/noise", "own/yyyyyyyyyyyy…"]
    assert [line.split()[0] for line in lines[2:8]] == [name for name, _, _ in columns[:6]]
    assert lines[8].split() == ["data.schema", "and", "3", "more"]


def test_resume_goes_on_from_the_run_alone(place: Path) -> None:
    folder = stopped("one")
    assert read_manifest(folder)["totals"]["pending"] > 0
    said = textcentric("runs", "resume", "one", *ENOUGH)
    assert said.code == 0
    assert said.out.startswith("12 variants requested = 12 accepted + 0 rejected + 0 failed + 0 p")
    assert "going on: " in said.err
    again = textcentric("runs", "resume", "one")
    assert (again.code, "is finished already" in again.err) == (0, True)


def test_resume_takes_the_frozen_prompts_whatever_became_of_the_library(place: Path) -> None:
    folder = stopped("one")
    configuration = read_yaml(folder / "run.yaml")
    Path("mine/mine.jinja").write_text(PROMPT.replace("other words", "few words"))
    Path("mine/more.jinja").write_text(PROMPT.replace("/mine", "/more"))
    assert augment("one").code == 4
    assert textcentric("runs", "resume", "one", *ENOUGH).code == 0
    assert read_manifest(folder)["totals"]["pending"] == 0
    assert read_yaml(folder / "run.yaml") == configuration | {"max_tokens_total": 10**6}


def test_resume_draws_from_the_frozen_bank(place: Path) -> None:
    bank = (packaged_prompts() / "adversarial/instructions.jsonl").read_text().splitlines()[0]
    own = Path("mine/instructions.jsonl")
    own.write_text(bank.replace("typo-swap", "my-own") + "\n")
    stop = ["--set", "engine.concurrency=1", "--max-tokens-total", 1]
    assert augment("one", *stop, prompts="bank").code == 75
    frozen = Path("runs/one/prompts/adversarial/instructions.jsonl").read_text()
    assert '"my-own"' in frozen
    own.unlink()
    assert textcentric("runs", "resume", "one", *ENOUGH).code in (0, 3)
    assert read_manifest(Path("runs/one"))["totals"]["pending"] == 0


def test_resume_refuses_when_the_data_changed(place: Path) -> None:
    stopped("one")
    Path("rows.csv").write_text("id,words\n" + ROWS + "r99,One more dog.\n")
    said = textcentric("runs", "resume", "one")
    assert said.code == 4
    assert "runs/one belongs to another configuration: data.digest: " in said.err


def test_resume_refuses_a_configuration_of_another_version(place: Path) -> None:
    folder = stopped("one")
    text = (folder / "run.yaml").read_text()
    (folder / "run.yaml").write_text(text.replace("perturb: all", "perturb: some"))
    said = textcentric("runs", "resume", "one")
    assert said.code == 4
    assert "run.yaml: perturb='some'" in said.err


def test_retry_failed_asks_only_for_what_has_no_answer(place: Path) -> None:
    def flaky(request: Request) -> str | Exception:
        if "number 3" in request.messages[-1].content:
            return tc.RequestError("the server is busy", kind="server")
        return said_of(request.messages[-1].content)

    tc.augment(
        "rows.csv",
        prompts="adversarial/mine",
        engine=tc.ScriptedEngine(flaky),
        output_dir="runs/one",
        table_schema={"id": "id", "text": ["words"]},
        prompt_dir="mine",
        summarize=False,
        embeddings=False,
        perturb="all",
    )
    folder = Path("runs/one")
    assert read_manifest(folder)["totals"]["failed"] == 1
    mended = tc.ScriptedEngine(TRUE)
    assert resume_run("one", {}, retry_failed=True, engine=mended) == 0
    assert mended.count == 1
    totals = read_manifest(folder)["totals"]
    assert (totals["accepted"], totals["failed"], totals["pending"]) == (24, 0, 0)
    assert not list((folder / "errors").glob("*.parquet"))
    assert len(tc.Run(folder).dataset) == 24


def test_retry_failed_leaves_a_run_without_failures_as_it_is(place: Path) -> None:
    augment("one")
    said = textcentric("runs", "resume", "one", "--retry-failed")
    assert said.code == 0
    assert "no output has failed; nothing to ask for again" in said.err


def test_a_server_that_dies_costs_nothing(place: Path) -> None:
    """Its rows are pending; once it is back, `runs resume` alone asks for what has no answer."""

    def reply(asked: dict[str, Any]) -> bytes:
        return completion(said_of(asked["messages"][-1]["content"]))

    server = ["--engine", "openai", "--set", "engine.pause=0.01", "--set", "engine.concurrency=3"]
    with served(dying := Server(reply, delay=0.01, answers=7)) as url:
        said = augment("one", *server, "--base-url", url, settings=SETTINGS[:-2])
    assert said.code == 75
    totals = read_manifest(Path("runs/one"))["totals"]
    assert (totals["failed"], totals["accepted"], totals["pending"]) == (0, 14, 10)
    line = said.err.splitlines()[-1]
    assert line.startswith(f"textcentric: the server at {url} cannot be used: ")
    assert "7 of 12 rows are finished, the others are pending: `textcentric runs resume" in line
    assert textcentric("runs", "show", "one").out.startswith("runs/one: stopped (the server at ")
    with served(back := Server(reply)) as url:
        said = textcentric("runs", "resume", "one", "--base-url", url)
    assert said.code == 0, said.err
    assert said.out.startswith("12 variants requested = 12 accepted + 0 rejected + 0 failed + 0 p")
    assert (len(dying.bodies) >= 8, len(back.bodies)) == (True, 5)


def test_a_run_that_rejects_most_says_why(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    thought = tc.Response("", finish="length", reasoning="Hm.")
    run_config(resolve(None, FAILING), engine=tc.ScriptedEngine(lambda _: thought), quiet=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == (
        "rejected: reasoning took all tokens (raise max_tokens, or turn reasoning off) 12"
    )


def test_what_a_server_says_is_told_at_the_end_in_show_manifest_and_report(place: Path) -> None:
    def reply(asked: dict[str, Any]) -> bytes:
        text = asked["messages"][-1]["content"]
        bad = http(400, {"error": {"message": "this row is <b>odd</b>"}})
        return bad if "number 3 " in text or "number 7 " in text else completion(said_of(text))

    server = ["--engine", "openai", "--set", "engine.pause=0.01"]
    with served(Server(reply)) as url:
        said = augment("one", *server, "--base-url", url, settings=SETTINGS[:-2])
    line = "2 x HTTP 400: this row is <b>odd</b>"
    assert f"\n{line}\n" in said.out
    assert f"requests are sent to {url}\n" in said.err
    assert f"failed: http_400 2\n  {line}\n" in textcentric("runs", "show", "one").out
    kept = read_manifest(Path("runs/one"))["said"]
    assert kept == {"http_400": {"sentence": line[4:], "times": 2}}
    report = Path("runs/one/report.html").read_text(encoding="utf-8")
    assert "2 x <bdi>HTTP 400: this row is &lt;b&gt;odd" in report


def test_a_run_whose_outputs_all_failed_is_not_finished(place: Path) -> None:
    busy = tc.RequestError("the server is busy", kind="http_503")
    config = resolve(None, FAILING)
    assert run_config(config, engine=tc.ScriptedEngine(busy)) == 3
    folder = Path("runs/one")
    assert read_manifest(folder)["status"] == "failed"
    again = "`textcentric runs resume runs/one --retry-failed` asks for them again"
    shown = textcentric("runs", "show", "one").out
    assert shown.startswith(f"runs/one: failed: 12 of 24 outputs failed; {again}\n")
    assert textcentric("runs", "list").out.splitlines()[1].split()[1] == "failed"
    write_manifest(folder, read_manifest(folder) | {"status": "finished"})  # as it was once written
    assert textcentric("runs", "show", "one").out.startswith("runs/one: failed: ")


def test_a_run_that_failed_is_not_asked_anew_but_says_how(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = resolve(None, FAILING)
    run_config(config, engine=tc.ScriptedEngine(tc.RequestError("busy")), quiet=True)
    mended = tc.ScriptedEngine("It naps all day long.")
    assert run_config(config, engine=mended) == 3
    assert mended.count == 0
    said = capsys.readouterr().err
    again = "`textcentric runs resume runs/one --retry-failed` asks for them again"
    assert f"runs/one has failed: 12 of 24 outputs failed; {again}\n" in said
    assert resume_run("one", {}, retry_failed=True, engine=mended) == 0
    assert read_manifest(Path("runs/one"))["status"] == "finished"


def test_a_finished_run_with_failures_says_how_to_ask_again(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def flaky(request: Request) -> str | Exception:
        third = "number 3" in request.messages[-1].content
        return tc.RequestError("busy") if third else "It naps all day long."

    for _ in range(2):
        assert run_config(resolve(None, FAILING), engine=tc.ScriptedEngine(flaky)) == 0
    said = capsys.readouterr().err
    assert "runs/one is finished already: 1 of 24 outputs failed; `textcentric runs resume" in said


def test_screen_list_and_show_count_variants_apart_from_clean_rows(place: Path) -> None:
    said = augment("one").out.splitlines()
    assert said[0] == "12 variants requested = 12 accepted + 0 rejected + 0 failed + 0 pending"
    assert said[1].startswith("12 clean rows = 12 accepted, in ")
    assert said[2] == "never read with this model: adversarial/mine: `textcentric review runs/one`"
    shown = textcentric("runs", "show", "one").out.splitlines()
    assert "variants                 12        12         0       0        0" in shown
    listed = textcentric("runs", "list").out.splitlines()
    assert listed[0].split()[3:7] == ["rows", "accepted", "rejected", "failed"]
    assert listed[1].split()[3:7] == ["12", "12", "0", "0"]


def test_report_is_written_anew(place: Path) -> None:
    augment("one")
    Path("runs/one/report.html").unlink()
    said = textcentric("report", "one")
    assert (said.code, said.out) == (0, "runs/one/report.html\n")
    assert Path("runs/one/report.html").is_file()


def test_lineage_of_an_output_in_the_newest_run(place: Path) -> None:
    augment("one")
    said = textcentric("lineage", "r2/adversarial/mine/0")
    assert said.err == "in the newest run, runs/one\n"
    lines = said.out.splitlines()
    assert lines[0] == "r2/adversarial/mine/0: accepted"
    assert ["prompt", "adversarial/mine"] in [line.split() for line in lines]
    assert lines[lines.index("--- text") + 1] == "Dog number 2 naps in the sun."
    assert lines[-2].startswith("--- answer ")
    assert lines[-1] == "Dog number 2 naps in the sun."


def test_lineage_of_a_source_lists_its_outputs(place: Path) -> None:
    augment("one")
    shutil.copytree("runs/one", "elsewhere/two")
    said = textcentric("lineage", "r2", "--run", "elsewhere/two", "--json")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == {
        "source_id": "r2",
        "outputs": [
            {"id": "r2/adversarial/mine/0", "found_in": "data", "reason": ""},
            {"id": "r2/clean/0", "found_in": "data", "reason": ""},
        ],
    }


def test_lineage_suggests_the_nearest_output(place: Path) -> None:
    augment("one")
    said = textcentric("lineage", "r2/adversarial/mime/0")
    assert said.code == 2
    assert "did you mean 'r2/adversarial/mine/0'?" in said.err


def test_lineage_without_any_run_says_so(place: Path) -> None:
    said = textcentric("lineage", "r2")
    assert said.code == 2
    assert "there is no run in runs/; name one by --run" in said.err
