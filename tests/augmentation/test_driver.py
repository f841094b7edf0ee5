"""Whole runs over small data with a scripted model: the books, the order, budgets, going on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_run import (
    PROMPTS,
    Dying,
    balance,
    model,
    record,
    records,
    run,
    texts,
    written,
)
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.run import opened, run_to_end
from textcentric.data.memory import in_hand
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import PromptError, RequestError, RunError, StoppedError
from textcentric.runs.counters import bottleneck, spent


def counting() -> ScriptedEngine:
    return ScriptedEngine(model)


def test_the_books_balance_over_all_fates(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 60)
    totals = balance(done)
    assert (totals["requested"], totals["pending"]) == (240, 0)
    assert min(totals["accepted"], totals["rejected"], totals["failed"]) > 0
    assert done.manifest["status"] == "finished"
    assert {entry["requested"] for entry in done.manifest["counts"].values()} == {60}
    assert sum(done.manifest["errors"].values()) == totals["failed"]
    reasons = Counter(row["reason"] for row in written(tmp_path / "run", "rejected"))
    found: Counter[str] = Counter()
    for by_reason in done.manifest["reasons"].values():
        found.update(by_reason)
    assert found == reasons


def test_a_run_directory_holds_what_the_product_says(tmp_path: Path) -> None:
    run(tmp_path / "run", 3)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names >= {
        "run.yaml", "manifest.json", "prompts", "journal.sqlite", "data", "metrics.jsonl",
        "report.html", "README.md",
    }  # fmt: skip
    frozen = (tmp_path / "run" / "prompts" / "own" / "swap.jinja").read_text()
    assert frozen == (tmp_path / "own-prompts" / "own" / "swap.jinja").read_text()
    assert not [path for path in (tmp_path / "run").rglob("*") if path.name.endswith(".tmp")]
    for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines():
        assert json.loads(line)["capacity"] == 64


def test_the_order_of_rows_and_the_window_change_no_text(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain", 20)
    backwards = run(tmp_path / "backwards", records(20)[::-1])
    narrow = run(tmp_path / "narrow", 20, engine=ScriptedEngine(model, concurrency=1, delay=0.0001))
    assert texts(plain.path) == texts(backwards.path) == texts(narrow.path)


def test_another_seed_gives_other_texts(tmp_path: Path) -> None:
    one, other = run(tmp_path / "one", 5), run(tmp_path / "other", 5, seed=1)
    assert texts(one.path).keys() == texts(other.path).keys()
    assert texts(one.path) != texts(other.path)


def test_an_interrupted_run_goes_on_to_the_same_texts(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", 20)
    for after in (0, 7, 30):
        with pytest.raises(StoppedError):
            run(tmp_path / "broken", 20, Dying(after))
    done = run(tmp_path / "broken", 20)
    assert balance(done)["pending"] == 0
    assert texts(done.path) == texts(whole.path)


def test_a_dead_engine_stops_the_run_with_what_is_pending(tmp_path: Path) -> None:
    with pytest.raises(
        StoppedError, match=r"ran out of memory\. What is finished is kept"
    ) as caught:
        run(tmp_path / "run", 20, Dying(40))
    assert caught.value.exit_code == 75
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    totals = manifest["totals"]
    assert manifest["status"] == "stopped"
    assert manifest["stopped"].startswith("the engine ran out of memory")
    assert totals["requested"] == 80
    assert 0 < totals["pending"] < 80
    assert totals["failed"] == len(written(tmp_path / "run", "errors"))
    finished = totals["accepted"] + totals["rejected"] + totals["failed"]
    assert finished + totals["pending"] == 80


def test_answers_of_the_broken_run_are_not_asked_for_again(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(tmp_path / "run", 20, Dying(40))
    engine = counting()
    run(tmp_path / "run", 20, engine=engine)
    whole = counting()
    run(tmp_path / "whole", 20, engine=whole)
    failed = sum(isinstance(model(request), RequestError) for request in whole.requests)
    assert whole.count - 40 <= engine.count <= whole.count - 40 + failed


def test_the_manifest_counts_what_all_processes_of_a_run_spent(tmp_path: Path) -> None:
    manifests = []
    for after in (40, 10**6):
        with contextlib.suppress(StoppedError):
            run(tmp_path / "run", 20, Dying(after))
        manifests.append(json.loads((tmp_path / "run" / "manifest.json").read_text()))
    first, whole = manifests
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    second = json.loads(lines[-1])
    assert min(first["requests"]["sent"], second["sent"]) > 0
    for name in ("sent", "reused"):
        assert whole["requests"][name] == first["requests"][name] + second[name]
    for name in ("prompt", "cached", "output"):
        assert whole["tokens"][name] == first["tokens"][name] + second[f"{name}_tokens"]
    assert whole["seconds"] == pytest.approx(first["seconds"] + second["t"], abs=0.2)
    for name in ("full", "starved"):
        assert whole[f"engine_{name}"] == pytest.approx(
            first[f"engine_{name}"] + second[name], abs=0.02
        )


def test_a_killed_process_counts_by_the_last_line_that_it_left(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = [
        {"t": 0.1, "sent": 0, "full": 0.0, "starved": 0.1},
        {"t": 5.1, "sent": 7, "full": 4.0, "starved": 0.0},  # starved begins anew with an answer
        {"t": 0.1, "sent": 0, "full": 0.0, "starved": 0.0},
        {"t": 0.2, "sent": 3, "full": 0.5, "starved": 2.0},
        {"t": 0.3, "sent": 1, "full": 0.0, "starved": 1.5},  # a later clock, yet another process
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + '\n{"t": 9, "se')
    assert spent(path) == {"t": 5.6, "sent": 11, "full": 4.5, "starved": 3.5}
    assert bottleneck(spent(path)) == "engine"
    assert spent(tmp_path / "absent.jsonl") == {}


def test_an_engine_of_the_callers_stays_open(tmp_path: Path) -> None:
    engine = ScriptedEngine(model, delay=0.001, concurrency=2)
    for name in ("one", "two"):
        assert balance(run(tmp_path / name, 10, engine=engine))["pending"] == 0
    assert not engine.closed
    asyncio.run(engine.close())
    with pytest.raises(StoppedError, match="the scripted engine is closed"):
        run(tmp_path / "three", 2, engine=engine)


def test_an_engine_that_was_opened_for_the_run_is_closed_with_it(tmp_path: Path) -> None:
    config = AugmentConfig(
        engine="scripted", prompts="bank", output_dir=str(tmp_path / "run"), embeddings=False
    )
    rows = in_hand(records(2))
    with opened(config, rows=rows) as job:
        run_to_end(job.job)
        engine: Any = job.job.engine
    assert engine.closed


@pytest.mark.parametrize(
    ("own", "part", "how"),
    [
        ("own/gist", "summary", r"take one that does \(leave out summarize=False\)"),
        ("own/why", "reason", r"take one that does \(add it to prompts=\)"),
    ],
)
def test_a_prompt_that_reads_what_nothing_writes_is_refused_before_the_run(
    tmp_path: Path, own: str, part: str, how: str
) -> None:
    why = "stage: adversarial\nreads: [reason]\n---\n{% block user %}{{ reason }}{% endblock %}"
    prompts = PROMPTS | {"own/why": why}
    with pytest.raises(
        PromptError, match=rf"prompt {own} reads '{part}', but no prompt of this run .*{how}"
    ):
        run(tmp_path / "run", 2, prompts=f"own/swap,{own}", own=prompts, summarize=False)
    assert not (tmp_path / "run").exists()


def test_a_prompt_may_read_what_a_stage_before_it_writes(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 3, prompts="own/gist,summarize", summarize=False)
    assert "prompt" not in done.manifest["errors"]


def test_a_finished_run_asks_nothing_and_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path / "run", 5)
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    engine = counting()
    run(tmp_path / "run", 5, engine=engine)
    assert engine.count == 0
    assert (tmp_path / "run" / "manifest.json").read_bytes() == before


def test_a_report_that_a_kill_kept_from_being_written_is_written_then(tmp_path: Path) -> None:
    run(tmp_path / "run", 5)
    (tmp_path / "run" / "report.html").unlink()
    (tmp_path / "run" / "README.md").unlink()
    done = run(tmp_path / "run", 5)
    assert (done.path / "report.html").is_file()
    assert (done.path / "README.md").is_file()


def test_identical_requests_of_different_rows_are_sent_once(tmp_path: Path) -> None:
    greedy = {
        "own/greedy": "stage: adversarial\nreads: [row]\nsampling: {temperature: 0.0}\n---\n"
        "{% block user %}{{ row }}\n\nRewrite all.{% endblock %}"
    }
    same = dict(record(0).inputs)
    rows = [record(n) for n in range(3)]
    rows += [type(rows[0])(f"copy{n}", same, 1.0) for n in range(4)]
    engine = ScriptedEngine("A listing of a dog.", delay=0.01)
    done = run(tmp_path / "run", rows, own=greedy, engine=engine, prompts="own/greedy",
               summarize=False)  # fmt: skip
    assert engine.count == 3
    assert done.manifest["requests"] == {"sent": 3, "reused": 4}


def test_another_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(tmp_path / "run", 3)
    with pytest.raises(RunError, match=r"belongs to another configuration: samples: 1 -> 2\. Use"):
        run(tmp_path / "run", 3, samples=2)


def test_other_rows_are_another_configuration(tmp_path: Path) -> None:
    run(tmp_path / "run", 3)
    with pytest.raises(RunError, match=r"another configuration: data\.digest: "):
        run(tmp_path / "run", 4)


def test_a_changed_prompt_is_another_configuration(tmp_path: Path) -> None:
    run(tmp_path / "run", 3, prompts="own/whole")
    front = "stage: adversarial\nreads: [row]\nwrites: row\n---\n"
    changed = {"own/whole": front + "{% block user %}{{ row }}\n\nRewrite now.{% endblock %}"}
    with pytest.raises(RunError, match=r"prompt_digests\.own/whole: \w+ -> \w+"):
        run(tmp_path / "run", 3, own=changed, prompts="own/whole")


def test_resume_always_goes_on_and_reuses_equal_keys(tmp_path: Path) -> None:
    first = counting()
    run(tmp_path / "run", 10, engine=first, prompts="own/whole")
    again = counting()
    done = run(tmp_path / "run", 10, engine=again, prompts="own/whole,own/swap", resume="always")
    assert balance(done)["requested"] == 30
    old = {request.key for request in first.requests if not isinstance(model(request), Exception)}
    assert old.isdisjoint(request.key for request in again.requests)
    fresh = run(tmp_path / "fresh", 10, prompts="own/whole,own/swap")
    assert texts(done.path) == texts(fresh.path)


def test_resume_always_forgets_outputs_that_are_no_longer_wanted(tmp_path: Path) -> None:
    run(tmp_path / "run", 10)
    done = run(tmp_path / "run", 4, prompts="own/swap", resume="always")
    assert {row["prompt"] for row in written(done.path)} <= {"clean", "own/swap"}
    assert balance(done)["requested"] == 8
    frozen = sorted(p.stem for p in (tmp_path / "run" / "prompts").rglob("*.jinja"))
    assert frozen == ["pick", "swap"]


def test_resume_never_wants_an_empty_folder(tmp_path: Path) -> None:
    run(tmp_path / "run", 2, resume="never")
    with pytest.raises(RunError, match="is not empty and resume='never' was given"):
        run(tmp_path / "run", 2, resume="never")


@pytest.mark.parametrize("resume", ["auto", "always", "never"])
def test_a_folder_of_other_things_is_left_alone(tmp_path: Path, resume: str) -> None:
    (tmp_path / "run" / "prompts").mkdir(parents=True)
    (tmp_path / "run" / "prompts" / "mine.txt").write_text("precious")
    with pytest.raises(RunError, match="is not empty"):
        run(tmp_path / "run", 2, resume=resume)
    assert (tmp_path / "run" / "prompts" / "mine.txt").read_text() == "precious"


def test_a_folder_whose_run_was_killed_before_it_began_can_be_used(tmp_path: Path) -> None:
    draft = tmp_path / "run" / ".prompts.tmp" / "own"
    draft.mkdir(parents=True)
    (draft / "swap.jinja").write_text("half")
    (tmp_path / "run" / ".run.yaml.tmp").write_text("half")
    done = run(tmp_path / "run", 2)
    assert balance(done)["requested"] == 8
    assert not (tmp_path / "run" / ".prompts.tmp").exists()


def test_prompts_that_a_kill_kept_from_being_frozen_are_frozen_then(tmp_path: Path) -> None:
    import shutil

    with pytest.raises(StoppedError):
        run(tmp_path / "run", 2, Dying(1))
    shutil.rmtree(tmp_path / "run" / "prompts")
    run(tmp_path / "run", 2)
    assert (tmp_path / "run" / "prompts" / "own" / "swap.jinja").is_file()


def test_another_runs_answers_are_reused(tmp_path: Path) -> None:
    run(tmp_path / "old", 10)
    engine = counting()
    done = run(tmp_path / "new", 10, engine=engine, reuse=(str(tmp_path / "old"),))
    failures = sum(isinstance(model(request), Exception) for request in engine.requests)
    assert engine.count == failures  # what failed there is asked for again
    assert texts(done.path) == texts(tmp_path / "old")


def test_a_run_to_reuse_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no journal to reuse at"):
        run(tmp_path / "run", 2, reuse=(str(tmp_path / "absent"),))


def test_the_journal_tells_where_an_output_comes_from(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 5)
    row = next(row for row in written(done.path) if row["prompt"] == "own/swap")
    found = done.lineage(row["id"])
    assert found["found_in"] == "data"
    assert len(found["answers"]) == 2
    assert found["sampling"]["temperature"] == 0.9


def test_samples_and_the_bank_are_counted_by_what_was_drawn(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 10, prompts="bank", samples=3, summarize=False)
    totals = balance(done)
    assert totals["requested"] == 40
    assert set(done.manifest["counts"]) > {"clean"}
    assert all(n == "clean" or n.startswith("bank/") for n in done.manifest["counts"])


def test_a_stopped_bank_run_knows_what_is_pending_for_each_instruction(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(tmp_path / "run", 10, Dying(20), prompts="bank", samples=3, summarize=False)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    whole = run(tmp_path / "whole", 10, prompts="bank", samples=3, summarize=False)
    wanted = {name: entry["requested"] for name, entry in whole.manifest["counts"].items()}
    assert {n: entry["requested"] for n, entry in manifest["counts"].items()} == wanted


def test_a_run_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    async def inside() -> Any:
        return run(tmp_path / "run", 3)

    assert balance(asyncio.run(inside()))["requested"] == 12


def test_an_error_inside_a_running_event_loop_comes_out(tmp_path: Path) -> None:
    async def inside() -> None:
        run(tmp_path / "run", 3, Dying(0))

    with pytest.raises(StoppedError, match="ran out of memory"):
        asyncio.run(inside())


class OddError(Exception):
    """What no list of exceptions holds."""


@pytest.mark.filterwarnings("ignore:row 'r2' brings out a fault")
def test_a_fault_that_one_row_brings_out_costs_that_row(tmp_path: Path) -> None:
    def answer(request: Request) -> str | Exception:
        if "Please ask for row 2 when" in str(request.messages):
            raise OddError("no column 7")
        return model(request)

    done = run(tmp_path / "run", 6, answer)
    failed = written(tmp_path / "run", "errors")
    assert {row["source_id"] for row in failed} == {"r2"}
    assert {(row["stage"], row["error_type"]) for row in failed} == {("fault", "OddError")}
    assert all(row["message"].startswith("Traceback") for row in failed)
    assert all("OddError: no column 7" in row["message"] for row in failed)
    assert balance(done)["pending"] == 0


@pytest.mark.filterwarnings("ignore:row 'r.*' brings out a fault")
def test_a_fault_that_every_row_brings_out_comes_out_as_it_is(tmp_path: Path) -> None:
    def broken(request: Request) -> str:
        raise ZeroDivisionError("a fault of the engine's code")

    for rows in (3, 40):
        with pytest.raises(ZeroDivisionError):
            run(tmp_path / f"run-{rows}", rows, broken)
    assert balance(run(tmp_path / "run-3", 3))["pending"] == 0
    assert written(tmp_path / "run-3", "errors") == []


def obedient(request: Request) -> str | Exception:
    """Answer in the form that a request's schema asks for."""
    schema = request.schema
    if schema is None:
        return model(request) if request.messages[-1].role == "user" else "and so on, as it were."
    if "enum" in schema:
        return json.dumps(schema["enum"][0])
    return json.dumps({name: rule.get("enum", ["It is a calm animal."])[0]
                       for name, rule in schema["properties"].items()})  # fmt: skip


def test_every_shipped_prompt_runs_through_the_flow(tmp_path: Path) -> None:
    chosen = "align,summarize,reason,adversarial/*,bank,judge"
    done = run(tmp_path / "run", 8, obedient, prompts=chosen, own={}, samples=2)
    totals = balance(done)
    assert totals["pending"] == 0
    assert set(done.manifest["errors"]) <= {"server"}
    assert totals["accepted"] > 8
    assert totals["requested"] == 8 * (1 + 2 * 10)


def test_the_machine_of_a_run_is_not_named(tmp_path: Path) -> None:
    import platform

    done = run(tmp_path / "run", 2)
    assert platform.node() not in json.dumps(done.manifest["machine"])
