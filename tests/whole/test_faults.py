"""Faults from outside, seen from the command line: exit codes, messages, and going on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Said, textcentric
from tests.support.small_disk import small_disk
from tests.support.small_run import hear_interrupts, records, texts, write_prompts, written
from textcentric.runs.journal import Journal

GIST = "It likes people and sleeps a lot."
ANSWERS = {
    "Summarise.": GIST,
    "Rewrite all.": "A calm animal lokos for a hoem near the hrabour.",
    "Rewrite this: ": "Smoebody offers a clam animal to a quite home.",
    "Rewrite: ": "Ths animal is calm and lokos for a hoem.",
}
SLOW = 0.03  # seconds an answer: 60 of them, two at a time, leave time to interrupt a run
PROGRAM = "from textcentric.cli import main; main()"


class Table:
    """A table of invented rows, and the command that augments it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.run = folder / "run"
        self.prompts = write_prompts(folder / "own-prompts")
        self.path = folder / "rows.csv"
        self.write([(r.id, r.target, r.inputs["text"], r.group) for r in records(12)])

    def write(self, rows: list[tuple[Any, ...]]) -> None:
        with self.path.open("w", newline="") as file:
            csv.writer(file).writerows([("id", "price", "words", "owner"), *rows])

    def arguments(self, *more: object, delay: float = 0.0, **answers: str) -> list[str]:
        said = json.dumps({**ANSWERS, **answers}, ensure_ascii=False)
        given = ["augment", "--dataset", self.path, "--target", "price", "--text", "words",
                 "--group", "owner", "--prompts", "own/*", "--prompt-dir", self.prompts,
                 "--engine", "scripted", "--set", f"engine.answer={said}",
                 "--set", f"engine.delay={delay}", "--set", "engine.concurrency=2",
                 "--no-embeddings", "--perturb", "all", "-o", self.run, *more]  # fmt: skip
        return [str(argument) for argument in given]

    def augment(self, *more: object, **options: Any) -> Said:
        return textcentric(*self.arguments(*more, **options))

    def start(self, *more: object, **options: Any) -> subprocess.Popen[str]:
        """Start the command as a process of its own."""
        command = [sys.executable, "-c", PROGRAM, *self.arguments(*more, **options)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_interrupts,
        )

    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.run / "manifest.json").read_text())
        return manifest


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if what():
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("waited 30 seconds in vain")


def has_answers(run: Path) -> bool:
    if not (run / "metrics.jsonl").is_file():
        return False
    journal = Journal(run / "journal.sqlite")
    try:
        return journal.answers() > 3
    finally:
        journal.close()


def test_a_run_without_fault_ends_0_and_says_what_came_of_it(table: Table) -> None:
    said = table.augment()
    assert said.code == 0
    assert said.out.startswith("36 variants requested = 36 accepted + 0 rejected + 0 failed + 0 p")
    assert "\n12 clean rows = 12 accepted, in " in said.out
    assert "12 rows of rows through own/gist, own/swap, own/whole" in said.err


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_ends_130_and_goes_on(table: Table, kind: signal.Signals) -> None:
    process = table.start(delay=SLOW)
    wait_for(lambda: has_answers(table.run), process)
    process.send_signal(kind)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted; run the same command again to go on in" in err
    assert "Traceback" not in err
    assert table.manifest()["status"] == "interrupted"
    assert table.manifest()["totals"]["requested"] == 48
    assert table.manifest()["totals"]["pending"] > 0
    kept = Journal(table.run / "journal.sqlite")
    answers, before = kept.answers(), table.manifest()["requests"]["sent"]
    kept.close()

    again = table.augment(delay=SLOW)
    assert again.code == 0
    assert f"{answers} answers are kept" in again.err
    assert table.manifest()["totals"]["pending"] == 0
    assert table.manifest()["answers"] == answers + table.manifest()["requests"]["sent"] - before
    assert len(texts(table.run)) == 48


def test_the_second_of_two_runs_on_one_directory_ends_4_with_the_firsts_id(table: Table) -> None:
    first = table.start(delay=SLOW)
    wait_for(lambda: has_answers(table.run), first)
    second = table.augment(delay=SLOW)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)
    assert second.code == 4
    assert f"is in use by process {first.pid}; wait for it or choose another -o" in second.err
    assert table.augment(delay=SLOW).code == 0


def test_another_configuration_ends_4_with_the_difference(table: Table) -> None:
    table.augment("--seed", 1)
    said = table.augment("--seed", 2)
    assert said.code == 4
    assert "belongs to another configuration: seed: 1 -> 2. Use another -o, or" in said.err
    said = table.augment("--seed", 2, "--resume", "always")
    assert said.code == 0
    assert "the configuration changed: seed: 1 -> 2" in said.err


def test_too_many_failures_end_3_and_say_which(table: Table) -> None:
    del (answers := dict(ANSWERS))["Summarise."]
    arguments = table.arguments()
    at = arguments.index(next(a for a in arguments if a.startswith("engine.answer")))
    arguments[at] = f"engine.answer={json.dumps(answers)}"
    said = textcentric(*arguments)
    assert said.code == 3
    assert "24 of 48 outputs failed, more than --max-failed 0.05: unscripted (24)" in said.err
    assert table.manifest()["status"] == "finished"
    said = textcentric(*arguments, "--max-failed", 0.5)
    assert said.code == 0


def test_a_spent_budget_ends_75_and_the_same_command_goes_on(table: Table) -> None:
    codes = []
    for _ in range(20):
        said = table.augment("--max-tokens-total", 400)
        codes.append(said.code)
        if said.code == 0:
            break
        assert "the budget of 400 tokens is spent; run the same command again" in said.err
    assert codes == [75] * (len(codes) - 1) + [0]
    assert len(codes) >= 3
    assert table.manifest()["totals"]["accepted"] == 48


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset", "petfindr"], "unknown data set 'petfindr'; did you mean 'petfinder'?"),
        (["--prompts", "own/swop"], "unknown prompt or set 'own/swop'; did you mean 'own/swap'?"),
        (["--target", "prise"], "unknown column 'prise'; did you mean 'price'?"),
        (["--engine", "vlm"], "unknown engine 'vlm'; did you mean 'vllm'?"),
        (["--resume", "yes"], "resume='yes': Input should be 'auto', 'never' or 'always'"),
        (["--split", "trian"], "unknown split 'trian'; did you mean 'train'?"),
        (["--prompt-dir", "/no/where"], "prompt folder '/no/where' does not exist"),
        (["--config", "/no/where.yaml"], "configuration file /no/where.yaml: No such file"),
        (["--set", "engine"], "expected engine.NAME=VALUE"),
    ],
)
def test_wrong_usage_ends_2_with_the_nearest_name(
    table: Table, flags: list[str], message: str
) -> None:
    said = table.augment(*flags)
    assert (said.code, message in said.err) == (2, True), said.err


def test_an_unknown_key_of_the_configuration_file_ends_2(table: Table) -> None:
    (table.folder / "c.yaml").write_text("sample: 2\n")
    said = table.augment("-c", table.folder / "c.yaml")
    assert said.code == 2
    assert "unknown key of augment 'sample'; did you mean 'samples'?" in said.err


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no readable row among 0"),
        ([("a", 1, "A dog.", "g"), ("a", 2, "A cat.", "h")], "'a'"),
        ([("", 1, "A dog.", "g")], "id"),
        ([("a", 1, f"A dog. {GIST}", "g"), ("b", "cheap", f"A cat. {GIST}", "h")], None),
    ],
    ids=["empty", "doubled id", "no id", "a target that is no number"],
)
def test_a_table_that_cannot_be_used_ends_2(
    table: Table, rows: list[tuple[Any, ...]], message: str | None
) -> None:
    table.write(rows)
    said = table.augment()
    if message is None:  # one wrong target among good ones leaves that row out, or is a class
        assert said.code == 0
        return
    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err


def test_one_group_in_two_splits_ends_2(table: Table) -> None:
    with table.path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("id", "price", "words", "owner", "part"), ("a", 1, "A calm dog.", "g", "train"),
             ("b", 2, "A calm cat.", "g", "test")]
        )  # fmt: skip
    schema = table.folder / "schema.yaml"
    schema.write_text("id: id\ntarget: price\ntext: words\ngroup: owner\nsplit: part\n")
    arguments = table.arguments("--schema", schema)
    for flag in ("--target", "--text", "--group"):
        at = arguments.index(flag)
        del arguments[at : at + 2]
    said = textcentric(*arguments)
    assert said.code == 2
    assert "group" in said.err
    assert "'g'" in said.err


def test_a_full_disk_ends_75_and_the_same_command_goes_on(table: Table) -> None:
    table.write([(r.id, r.target, r.inputs["text"] * 5, r.group) for r in records(150)])
    table.run = table.folder / "disk" / "run"
    with small_disk(table.folder / "disk", "300k"):
        said = table.augment()
        assert said.code == 75
        assert "free space on the disk or check the folder's permissions, then run the" in said.err
        grow = ["mount", "-o", "remount,size=50m", str(table.folder / "disk")]
        subprocess.run(grow, check=True)
        assert table.augment().code == 0
        on_small_disk = texts(table.run)
        assert table.manifest()["totals"]["pending"] == 0
    table.run = table.folder / "run"
    table.augment()
    assert texts(table.run) == on_small_disk


@pytest.mark.skipif(os.getuid() != 0, reason="needs a disk to mount read-only")
def test_a_read_only_folder_ends_75_and_names_it(table: Table) -> None:
    table.run = table.folder / "disk" / "run"
    with small_disk(table.folder / "disk", "1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(table.folder / "disk")], check=True)
        said = table.augment()
    assert said.code == 75
    assert f"cannot write to {table.run} (Read-only file system); choose another -o" in said.err


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)> It is a calm animal.",
    "{{ 7 * 7 }} {% for x in range(9) %}{{ x }}{% endfor %} {# gone? #} Call me soon please.",
    "كلبة هادئة عمرها سنتان، تحب المشي في المساء.",
    "Loves balls 🐕‍🦺🎾 and hates baths 🛁 a lot!!",
    "Tabs\tand \x0bcontrol\x07 \x1b[31mcharacters\x1b[0m \u202edesrever\u202c in here.",
    "A very long one. " + "The old cat slept in the sun today. " * 300,
]


def test_hostile_rows_come_out_as_text_and_leave_the_report_whole(table: Table) -> None:
    table.write([(f"r{n}", n, text, f"g{n}") for n, text in enumerate(HOSTILE)])
    said = table.augment()
    assert said.code in (0, 3)
    clean = {row["source_id"]: row["text"] for row in written(table.run) if row["sample"] == 0
             and row["prompt"] == "clean"}  # fmt: skip
    assert HOSTILE[0] in clean["r0"]
    assert "{{ 7 * 7 }} {% for x in range(9) %}{{ x }}{% endfor %} {# gone? #}" in clean["r1"]
    assert HOSTILE[2] in clean["r2"]
    assert HOSTILE[3] in clean["r3"]
    assert not set("\x07\x0b\x1b\u202e\u202c") & set(clean["r4"])
    page = (table.run / "report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "onerror=alert(2)>" not in page
    assert page.count("</html>") == 1


def test_a_corrupt_journal_ends_75_and_names_the_file(table: Table) -> None:
    table.augment("--max-tokens-total", 400)
    (table.run / "journal.sqlite").write_bytes(b"no database at all" * 1000)
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (table.run / name).unlink(missing_ok=True)
    said = table.augment("--max-tokens-total", 400)
    assert said.code == 75
    assert "journal.sqlite is damaged (file is not a database)" in said.err
