"""`textcentric augment --dry-run`, `--preview N` and `--estimate`, as a user sees them."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.commands import Said, textcentric
from tests.support.small_run import write_prompts
from textcentric import ScriptedEngine
from textcentric.augmentation.config import resolve
from textcentric.augmentation.forecast import estimate_run
from textcentric.augmentation.run import opened
from textcentric.cli.augment import chosen_mode, row_as_text, show_plan
from textcentric.cli.running import run_config
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import Answer
from textcentric.errors import RequestError
from textcentric.runs.columns import Failure
from textcentric.runs.counters import Metrics
from textcentric.runs.manifest import read_manifest

SENTENCES = "Dog number {n} sleeps in the sun. It likes people a lot. Please call us soon."
SETTINGS = {
    "dataset": "rows.csv",
    "table_schema": {"id": "id", "text": ["words"]},
    "prompts": "own/swap",
    "prompt_dir": "mine",
    "engine": "scripted",
    "perturb": "all",
    "summarize": False,
    "embeddings": False,
}
ROWS = [
    *("--dataset", "rows.csv", "--id", "id", "--text", "words", "--target", "none"),
    *("--prompt-dir", "mine"),
    *("--perturb", "all", "--no-summarize", "--no-embeddings"),
]
FLAGS = [*ROWS, "--engine", "scripted", "--set", "engine.answer=It naps all day long."]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with forty rows of three sentences, and a folder of our prompts."""
    monkeypatch.chdir(tmp_path)
    write_rows(40)
    write_prompts(Path("mine"))
    return tmp_path


def write_rows(count: int) -> None:
    lines = "".join(f"r{n},{SENTENCES.format(n=n)}\n" for n in range(count))
    Path("rows.csv").write_text("id,words\n" + lines)


def augment(*more: object, prompts: str = "own/swap") -> Said:
    return textcentric("augment", *FLAGS, "--prompts", prompts, *more)


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


def plan(*more: object, prompts: str = "own/swap") -> dict[str, Any]:
    planned: dict[str, Any] = json.loads(augment("--dry-run", "--json", *more, prompts=prompts).out)
    return planned


def test_a_dry_run_shows_plan_and_first_prompt_and_writes_nothing() -> None:
    before = files()
    said = augment("--dry-run", "-o", "there", prompts="own/swap,own/whole")
    assert (said.code, said.err, files()) == (0, "", before)
    assert said.out.split("\n\n")[0].splitlines() == [
        "40 rows of rows",
        "prompt     outputs  requests  prompt tokens",
        "clean           40         0              0",
        "own/swap        40        80           1936",
        "own/whole       40        40            800",
        "at most 120 requests, about 2,736 prompt tokens; engine scripted, model scripted",
        "into there (holds nothing yet)",
        "never read with this model: own/swap, whole",
    ]
    head, _, prompt = said.out.partition("\n\n")[2].partition("\n--- user\n")
    assert head == "the first prompt: own/swap on row r0"
    row, task = prompt.rstrip("\n").split("\n\nRewrite: ")
    assert row == SENTENCES.format(n=0)
    assert task in row


def test_a_dry_run_counts_each_stage_with_what_it_asks_twice() -> None:
    assert plan(prompts="own/whole")["requests_at_most"] == 40
    assert plan("--samples", 3, prompts="own/whole")["requests_at_most"] == 120
    assert plan("--summarize", prompts="own/whole")["requests_at_most"] == 80
    asked_twice = "own/whole,reason/explain,judge/label-kept"  # where an answer fits no schema
    assert plan(prompts=asked_twice)["requests_at_most"] == 40 * (1 + 2 + 2)


def test_a_dry_run_lists_requests_by_prompt_the_summaries_among_them() -> None:
    shown = plan("--summarize", prompts="own/whole,own/gist,judge/label-kept")
    assert shown["requests"] == {
        "summarize/pick": 40, "own/whole": 40, "own/gist": 40, "judge/label-kept": 160,
    }  # fmt: skip
    assert shown["outputs"] == {"clean": 40, "own/whole": 40, "own/gist": 40}
    assert set(shown["prompt_tokens"]) == set(shown["requests"])


def test_the_prompt_tokens_of_a_dry_run_are_those_of_the_run() -> None:
    planned = plan("--summarize", prompts="own/whole")["prompt_tokens"]
    augment("-o", "there", "-q", "--summarize", prompts="own/whole")
    assert sum(planned.values()) == read_manifest(Path("there"))["tokens"]["prompt"]


def test_where_the_engine_cannot_count_a_token_is_four_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_rows(1)
    counted = plan(prompts="own/whole")
    monkeypatch.setattr(ScriptedEngine, "count_tokens", lambda self, messages: None)
    about = plan(prompts="own/whole")
    (turn,) = about["first_prompt"]["turns"]
    assert about["prompt_tokens"] == {"own/whole": math.ceil(len(turn["text"]) / 4)}
    assert about["prompt_tokens"] != counted["prompt_tokens"]


def test_a_dry_run_says_where_requests_have_no_bound() -> None:
    assert plan(prompts="own/whole,align/plain")["requests_at_most"] is None
    said = augment("--dry-run", prompts="own/whole,align/plain").out
    assert "requests without a bound: align/plain asks for every sentence" in said


def test_a_dry_run_shows_prompts_that_read_what_the_model_writes_first() -> None:
    shown = plan("--summarize", prompts="own/gist")["first_prompt"]
    assert (shown["prompt"], shown["row"]) == ("own/gist", "r0")
    (turn,) = shown["turns"]
    assert turn["role"] == "user"
    assert turn["text"].endswith(
        "Rewrite this: (summary of the row: the model writes it during the run)"
    )


def test_a_dry_run_says_what_the_run_directory_holds() -> None:
    assert plan("-o", "there")["output_dir_holds"] == "nothing yet"
    augment("-o", "there", "-q", "--limit", 2)
    before = files()
    assert plan("-o", "there", "--limit", 2)["output_dir_holds"] == "this run, to go on with"
    changed = plan("-o", "there", "--limit", 3)["output_dir_holds"]
    assert changed == "another configuration: limit: 2 -> 3"
    assert plan("-o", "mine")["output_dir_holds"] == "other files"
    assert files() == before


def test_a_dry_run_says_when_no_row_will_be_perturbed() -> None:
    Path("rows.csv").write_text("id,words,part\nr0,A dog sleeps here.,test\n")
    Path("rows.yaml").write_text("id: id\ntext: [words]\nsplit: part\n")
    said = textcentric(
        *("augment", "--dataset", "rows.csv", "--schema", "rows.yaml", "--dry-run"),
        *("--engine", "scripted", "--prompts", "own/whole", "--prompt-dir", "mine"),
    )
    assert said.code == 0
    lines = said.out.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["prompt", "outputs", "requests", "prompt", "tokens"],
        ["clean", "1", "0", "0"],
        ["summarize/pick", "0", "1", "7"],
    ]
    assert lines[4] == ("no row is of the split train, so none is perturbed; see --perturb all")


IN_SPLITS = [
    *("--dataset", "rows.csv", "--schema", "rows.yaml", "--engine", "scripted", "-o", "there"),
    *("--prompts", "own/whole", "--prompt-dir", "mine", "--no-embeddings", "--no-summarize"),
]


def write_splits(*splits: str) -> None:
    rows = [f"r{n},A dog sleeps here.,{split}\n" for n, split in enumerate(splits)]
    Path("rows.csv").write_text("id,words,part\n" + "".join(rows))
    Path("rows.yaml").write_text("id: id\ntext: [words]\nsplit: part\n")


def test_a_limited_run_says_how_many_of_its_rows_will_not_be_perturbed() -> None:
    write_splits("test", "test", "train", "train")
    said = textcentric("augment", *IN_SPLITS, "--limit", 3)
    assert (
        "2 of these 3 rows will not be perturbed: they are of no training split (--split train"
        " takes rows that are, --perturb all perturbs every row)" in said.err
    )
    assert (
        "will not be perturbed"
        not in textcentric("augment", *IN_SPLITS, "--limit", 3, "--perturb", "all", "-o", "all").err
    )


def test_a_preview_takes_rows_that_will_be_perturbed() -> None:
    write_splits("test", "train", "test", "train", "train")
    said = textcentric("augment", *IN_SPLITS, "--preview", 2, "--json")
    outputs = [json.loads(line)["id"] for line in said.out.splitlines()]
    assert outputs == ["r1/clean/0", "r1/own/whole/0", "r3/clean/0", "r3/own/whole/0"]
    assert not Path("there").exists()
    said = textcentric("augment", *IN_SPLITS, "--preview", 2, "--limit", 2, "--json")
    assert len(said.out.splitlines()) == 2


def test_a_preview_of_rows_that_will_not_be_perturbed_says_so() -> None:
    write_splits("test", "test", "test")
    said = textcentric("augment", *IN_SPLITS, "--preview", 2, "--json")
    assert len(said.out.splitlines()) == 2
    assert "2 of these 2 rows will not be perturbed" in said.err


def test_a_dry_run_shows_the_plan_though_the_engine_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TEXTCENTRIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    said = textcentric("augment", *ROWS, "--prompts", "own/swap", "--dry-run", "--engine", "openai")
    assert said.code == 2
    assert "at most 80 requests, about " in said.out
    assert " prompt tokens; engine openai, model not known before the start" in said.out
    assert "the engine openai needs an address" in said.err


def test_a_dry_run_takes_the_first_row_that_can_be_put_into_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("rows.csv").write_text("id,photo\nr0,broken.png\nr1,whole.png\n")
    Path("broken.png").write_text("no picture")
    Image.new("RGB", (40, 30), "red").save("whole.png")
    only_photos = {"table_schema": {"id": "id", "image": "photo"}, "image_expert": "pixels"}
    assert show_plan(resolve(None, SETTINGS | only_photos), as_json=True) == 0
    said = capsys.readouterr()
    shown = json.loads(said.out)
    assert (shown["rows"], shown["first_prompt"]["row"]) == (2, "r1")
    assert "r0" in said.err


def test_a_preview_shows_the_rows_and_only_what_is_new_in_their_variants() -> None:
    before = files()
    answers = {"Summarise.": "It likes people a lot.", "Rewrite": "It naps all day long."}
    said = augment(
        *("--preview", 2, "-o", "there", "--summarize"),
        *("--set", f"engine.answer={json.dumps(answers)}"),
        prompts="own/gist,own/whole",
    )
    assert (said.code, files()) == (0, before)
    row = SENTENCES.format(n=1)
    assert said.out.split("\n\n")[-3:] == [
        f"== r1/clean/0: accepted\n[text] {row}\n[summary] It likes people a lot.",
        "== r1/own/gist/0: accepted\n[gist] It naps all day long.",
        "== r1/own/whole/0: accepted\n[text] It naps all day long.\n",
    ]
    assert said.err.splitlines()[0] == "engine scripted, model scripted"
    last = "2 rows, variants: 4 accepted, 0 rejected, 0 failed; this was a preview, nothing is kept"
    assert said.err.splitlines()[-1] == last


def test_a_preview_as_json_is_a_line_an_output() -> None:
    said = augment("--preview", 2, "--json", "-q", prompts="own/whole")
    assert (said.code, said.err) == (0, "")
    outputs = [json.loads(line) for line in said.out.splitlines()]
    assert [one["id"] for one in outputs] == [
        *("r0/clean/0", "r0/own/whole/0", "r1/clean/0", "r1/own/whole/0")
    ]
    assert outputs[1]["text"] == "It naps all day long."


def test_a_preview_shows_no_more_rows_than_the_limit() -> None:
    said = augment("--preview", 5, "--limit", 1, "--json", "-q", prompts="own/whole")
    assert len(said.out.splitlines()) == 2


def test_a_preview_of_an_engine_that_fails_ends_3_and_says_why() -> None:
    said = augment("--preview", 1, "--set", "engine.answer=''", "--max-failed", 0)
    assert said.code == 0  # an empty answer is rejected, which is no failure
    assert "rejected: " in said.out
    said = augment("--preview", 1, "--max-tokens", 4000, "--set", "engine.context=100")
    assert said.code == 3
    assert "failed at perturb: " in said.out
    assert "1 of 2 outputs failed, more than --max-failed 0.05: " in said.err


def test_a_failed_row_is_shown_with_its_stage() -> None:
    failure = Failure("r0/clean/0", "r0", "clean", 0, "describe", "DataError", "no words", 1)
    assert row_as_text([failure]) == "\n== r0/clean/0: failed at describe: no words"


def test_an_estimate_scales_a_pilot_of_twenty_rows_up_to_all() -> None:
    said = augment("--estimate", "-o", "there")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "pilot: the first 20 of 40 rows, kept in there"
    assert lines[1] == "all 40 rows (95 % intervals):"
    assert lines[3] == "  output tokens  about 400 (400 to 400)"  # two answers of five words a row
    assert lines[4].startswith("  time           about ")
    assert lines[4].endswith(" of it until the first answer")
    assert lines[5] == ("20 rows are left: without --estimate the same command goes on with them")
    assert read_manifest(Path("there"))["totals"]["pending"] == 40


PRICES = ("--price-input", 10, "--price-output", 1000)  # of a million tokens


def test_plan_estimate_and_run_count_in_money_where_tokens_have_a_price() -> None:
    shown = plan(*PRICES)
    assert shown["cost"] == {"prompts": pytest.approx(0.01936), "answers_at_most": 80 * 40 / 1000}
    assert plan()["cost"] is None
    said = augment("--dry-run", *PRICES).out.splitlines()
    bound = "at most 80 requests, about 1,936 prompt tokens, cost about 0.019 for prompts and"
    assert said[4].startswith(f"{bound} at most 3.20 for answers; engine scripted")
    estimated = augment("--estimate", "-o", "there", *PRICES).out.splitlines()
    assert estimated[4] == "  cost           about 0.42 (0.42 to 0.42)"
    assert augment("-o", "there", *PRICES).code == 0
    status = textcentric("runs", "show", "there").out
    assert "cost: 0.42 (a million tokens: 10.00 read, 1,000.00 written)" in status
    assert ">0.42<" in Path("there/report.html").read_text()


def test_the_run_after_an_estimate_asks_nothing_twice() -> None:
    augment("--estimate", "-o", "there", "-q")
    said = augment("-o", "there")
    assert said.code == 0
    assert "going on: 20 rows are finished" in said.err
    assert read_manifest(Path("there"))["totals"] == {
        "requested": 80, "accepted": 80, "rejected": 0, "failed": 0, "pending": 0,
    }  # fmt: skip
    said = augment("--estimate", "-o", "there")
    assert said.err.endswith("there is finished already\n")


def test_an_estimate_has_an_interval_where_rows_differ(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: Request) -> str:
        number = int(request.messages[-1].content.split()[2])
        return "It naps" + " and naps again" * (number % 5)

    estimate(answer)
    found = json.loads(capsys.readouterr().out)
    low, high = found["output_tokens"]["interval"]
    assert low < found["output_tokens"]["mean"] < high
    assert (found["rows"], found["pilot_rows"], found["path"]) == (40, 20, "there")
    assert found["output_tokens"]["mean"] == 640  # 2 requests of 2 + 3 * (0, 1, 2, 3 or 4) words


class BusyTenSeconds(Metrics):
    @property
    def busy_seconds(self) -> float:
        return 10.0


def test_a_second_estimate_counts_the_time_of_its_own_rows_only() -> None:
    for _ in range(2):
        estimate("It naps all day long.", rows=60)
    config = resolve(None, {**SETTINGS, "output_dir": "there"})
    with opened(config, engine=ScriptedEngine("It naps all day long.")) as run:
        run.job.metrics = BusyTenSeconds(rows=10, first_answer=2.0)
        found = estimate_run(run.job)
    assert found["pilot_rows"] == 40
    assert found["seconds"]["mean"] == 62  # 2 s until the first answer, then 1 s a row


def test_an_estimate_without_any_answer_says_so_and_ends_3(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert estimate(RequestError("the server is busy", kind="server")) == 3
    said = capsys.readouterr()
    assert "no answer of the model stands in there: there is nothing to estimate from" in said.err
    assert "20 of 40 outputs failed, more than --max-failed 0.05: server (20)" in said.err


def estimate(answer: Answer, rows: int = 40) -> int:
    write_rows(rows)
    engine = ScriptedEngine(answer)
    config = resolve(None, {**SETTINGS, "output_dir": "there"})
    return run_config(config, estimate=True, as_json=True, engine=engine)


def test_two_modes_at_once_are_refused() -> None:
    said = augment("--dry-run", "--preview", 2)
    assert said.code == 2
    assert "--dry-run and --preview exclude each other; choose one" in said.err
    assert chosen_mode(dry_run=False, estimate=False, preview=False) == "run"
    assert augment("--preview", 0).code == 2


def test_a_plan_counts_the_rows_that_are_not_taken() -> None:
    Path("rows.csv").write_text("id,words\n1,A dog.\n2,\ncut\n4,A cat.\n5,A cow.\n")
    balance = plan("--limit", 2)["balance"]
    assert {reason: of["rows"] for reason, of in balance["left_out"].items()} == {
        "line(s) without exactly 2 fields": 1,
        "row(s) with nothing in any modality": 1,
        "row(s) beyond the limit of 2": 1,
    }
    said = augment("--limit", 2, "-o", "there")
    assert "5 rows in the source = 2 given + 3 left out: 1 line(s) without" in said.out
    assert read_manifest(Path("there"))["dataset"]["balance"] == balance
