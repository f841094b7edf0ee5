"""Run directories: what one was made for, what came of it, what two differ in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.support.small_run import model, run
from textcentric.cli.runs import resume_run, saved_config
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import DataError, RunError
from textcentric.folders import read_yaml, write_text
from textcentric.machine import machine, versions
from textcentric.prompts.library import PromptLibrary
from textcentric.runs.directory import freeze, frozen_prompts, prepare
from textcentric.runs.listing import diff_runs, list_runs
from textcentric.runs.manifest import count_outputs, read_manifest, write_manifest
from textcentric.security.trust import is_trusted


def test_a_new_folder_gets_configuration_and_prompts(
    tmp_path: Path, library: PromptLibrary
) -> None:
    chosen = library.select("own/swap,bank")
    assert prepare(tmp_path, {"seed": 1}, "auto", chosen, library.bank) == (False, [])
    assert read_yaml(tmp_path / "run.yaml") == {"seed": 1}
    frozen = PromptLibrary.load(tmp_path / "prompts", packaged=False)
    assert {p.id: p.digest for p in frozen.prompts.values()} == {p.id: p.digest for p in chosen}
    assert frozen.bank == library.bank


def test_the_same_identity_goes_on(tmp_path: Path, library: PromptLibrary) -> None:
    chosen = library.select("own/swap")
    prepare(tmp_path, {"seed": 1}, "auto", chosen)
    assert prepare(tmp_path, {"seed": 1}, "auto", chosen) == (True, [])
    assert prepare(tmp_path, {"seed": 2}, "always", chosen) == (True, ["seed: 1 -> 2"])
    assert read_yaml(tmp_path / "run.yaml") == {"seed": 2}


def test_what_does_not_make_the_run_is_saved_but_never_compared(
    tmp_path: Path, library: PromptLibrary
) -> None:
    chosen = library.select("own/swap")
    prepare(tmp_path, {"seed": 1}, "auto", chosen, runtime={"max_failed": 0.1, "accept": 5})
    assert read_yaml(tmp_path / "run.yaml") == {"seed": 1, "max_failed": 0.1, "accept": 5}
    frozen = (tmp_path / "prompts").stat().st_ino
    later = {"max_failed": 0.2, "accept": None}
    assert prepare(tmp_path, {"seed": 1}, "auto", chosen, runtime=later) == (True, [])
    assert read_yaml(tmp_path / "run.yaml") == {"seed": 1, **later}
    assert (tmp_path / "prompts").stat().st_ino == frozen


def test_prompts_that_a_kill_left_as_a_draft_are_moved_into_place(
    tmp_path: Path, library: PromptLibrary
) -> None:
    prepare(tmp_path, {"seed": 1}, "auto", library.select("own/swap"))
    (tmp_path / "prompts").rename(tmp_path / ".prompts.tmp")
    frozen = frozen_prompts(tmp_path)
    assert list(PromptLibrary.load(frozen, packaged=False).prompts) == ["own/swap"]
    assert frozen_prompts(tmp_path) == frozen


def test_a_draft_of_a_run_that_never_began_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".prompts.tmp").mkdir()
    assert not frozen_prompts(tmp_path).exists()
    assert (tmp_path / ".prompts.tmp").is_dir()


def test_resuming_recovers_the_draft_and_takes_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("id,words\na,A calm dog lives here.\nb,A bold cat lives there.\n")
    engine = ScriptedEngine(model, concurrency=1)
    options: dict[str, Any] = {"perturb": "all", "summarize": False, "format": "jsonl"}
    options |= {"prompts": "own/whole", "table_schema": {"text": ["words"]}}
    run(Path("run"), "rows.csv", engine=engine, max_tokens_total=1, **options)
    saved = read_yaml(Path("run/run.yaml"))
    assert (saved["format"], saved["max_tokens_total"], saved["base_url"]) == ("jsonl", 1, None)
    Path("run/prompts").rename("run/.prompts.tmp")
    config = saved_config(Path("run"), {"max_tokens_total": 10**6})
    assert (config.format, config.max_tokens_total, config.output_dir) == ("jsonl", 10**6, "run")
    assert resume_run("run", {"max_tokens_total": 10**6}, engine=engine) in (0, 3)
    assert read_manifest(Path("run"))["totals"]["pending"] == 0
    assert Path("run/prompts/own/whole.jinja").is_file()
    assert Path("run/data.jsonl").is_file()


def test_a_refused_folder_stays_as_it_was(tmp_path: Path, library: PromptLibrary) -> None:
    prepare(tmp_path, {"seed": 1}, "auto", library.select("own/swap"))
    with pytest.raises(
        RunError, match=r"seed: 1 -> 2\. Use another output_dir=, or resume='always'"
    ):
        prepare(tmp_path, {"seed": 2}, "auto", library.select("own/whole"))
    assert read_yaml(tmp_path / "run.yaml") == {"seed": 1}
    assert (tmp_path / "prompts" / "own" / "swap.jinja").is_file()
    assert not (tmp_path / "prompts" / "own" / "whole.jinja").exists()


def test_prompts_are_frozen_byte_by_byte(tmp_path: Path, library: PromptLibrary) -> None:
    freeze(tmp_path / "prompts", [library["adversarial/noise"]])
    source = library["adversarial/noise"].path
    assert source is not None
    frozen = tmp_path / "prompts" / "adversarial" / "noise.jinja"
    assert frozen.read_bytes() == source.read_bytes()


def test_what_is_neither_accepted_rejected_nor_failed_is_pending() -> None:
    counts = {
        ("noise", "accepted", ""): 4,
        ("noise", "rejected", "loop"): 2,
        ("noise", "rejected", "empty"): 1,
        ("style", "failed", "slow"): 3,
        ("noise", "failed", "slow"): 1,
    }
    table, reasons, errors = count_outputs(counts, {"noise": 10, "style": 3, "clean": 2})
    assert table["noise"] == {
        "requested": 10, "accepted": 4, "rejected": 3, "failed": 1, "pending": 2,
    }  # fmt: skip
    assert table["style"]["pending"] == 0
    assert table["clean"] == {
        "requested": 2, "accepted": 0, "rejected": 0, "failed": 0, "pending": 2,
    }  # fmt: skip
    assert reasons == {"noise": {"loop": 2, "empty": 1}}
    assert errors == {"slow": 4}


def test_a_manifest_is_written_and_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, {"stopped": "кошка", "totals": {"accepted": 1}})
    assert read_manifest(tmp_path) == {"stopped": "кошка", "totals": {"accepted": 1}}
    assert "кошка" in (tmp_path / "manifest.json").read_text(encoding="utf-8")


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds no run \(no manifest.json\); see `textcentric runs"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(RunError, match=r"manifest.json is not JSON"):
        read_manifest(tmp_path)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_runs_are_listed_newest_first_and_a_broken_one_hides_none(tmp_path: Path) -> None:
    for name, started in (("a", "2025-01-01"), ("b", "2025-01-03"), ("c", "2025-01-02")):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, {"started": started})
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "manifest.json").write_text("{")
    found = list_runs(tmp_path)
    assert [Path(run["path"]).name for run in found] == ["b", "c", "a", "d"]
    assert found[-1]["status"] == "unreadable"


def test_two_runs_differ_in_configuration_and_counts(tmp_path: Path) -> None:
    one = run(tmp_path / "one", 3, prompts="own/swap")
    two = run(tmp_path / "two", 3, prompts="own/swap", samples=2, max_failed=0.5)
    found = diff_runs(one.path, two.path)
    assert ("samples", 1, 2) in found
    assert "max_failed" not in [name for name, _, _ in found]
    assert ("totals.requested", 6, 9) in found
    assert diff_runs(one.path, one.path) == []


def test_an_unknown_output_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2, "A listing of a dog.", prompts="own/whole", summarize=False)
    with pytest.raises(
        DataError, match=r"unknown output 'r1/own/whole/7'; did you mean 'r1/own/wh"
    ):
        done.lineage("r1/own/whole/7")
    with pytest.raises(DataError, match="unknown output 'nothing'"):
        done.lineage("nothing")


def test_the_lineage_of_a_failure_names_stage_and_message(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 1, {"nothing fits": "x"}, prompts="own/whole", summarize=False)
    found = done.lineage("r0/own/whole/0")
    assert (found["found_in"], found["stage"], found["error_type"]) == (
        "errors",
        "perturb",
        "unscripted",
    )
    assert found["answers"] == []


def test_jsonl_on_request_holds_the_same_rows(tmp_path: Path) -> None:
    run(tmp_path / "run", 3, format="jsonl")
    lines = (tmp_path / "run" / "data.jsonl").read_text(encoding="utf-8").splitlines()
    rows = pq.read_table(tmp_path / "run" / "data").to_pylist()
    assert [json.loads(line) for line in lines] == rows


def test_the_configuration_of_a_run_is_saved_as_it_was_resolved(tmp_path: Path) -> None:
    run(tmp_path / "run", 2, samples=2, max_failed=0.5, accept=100)
    saved = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert (saved["samples"], saved["seed"], saved["embeddings"]) == (2, 0, False)
    assert (saved["max_failed"], saved["accept"], saved["max_minutes"]) == (0.5, 100, None)
    assert set(saved["prompt_digests"]) == {
        "own/swap", "own/whole", "own/gist", "summarize/pick",
    }  # fmt: skip


def test_versions_and_machine_say_what_matters_and_no_names() -> None:
    found = versions()
    assert {"python", "textcentric", "jinja2", "pyarrow"} <= set(found)
    assert set(machine()) == {"system", "cores", "gpu"}


def test_the_shards_of_a_run_under_way_are_loaded_as_its_rows(tmp_path: Path) -> None:
    from datasets import load_dataset

    from tests.support.small_run import Dying
    from tests.support.small_run import run as augmented
    from textcentric.errors import StoppedError

    with pytest.raises(StoppedError):
        augmented(tmp_path / "run", 12, Dying(30))
    assert (tmp_path / "run" / "README.md").read_text().startswith("---\nconfigs:\n")
    rows = load_dataset(str(tmp_path / "run"), split="train")
    assert "clean" in rows["prompt"][:]


def test_going_on_in_a_received_folder_vouches_for_the_run_alone(
    library: PromptLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder, chosen = tmp_path / "run", library.select("own/swap")
    folder.mkdir()
    prepare(folder, {"seed": 1}, "auto", chosen)
    assert is_trusted(folder)
    (folder / "downstream.json").write_text('{"config": {"trust_remote_code": true}}')
    (folder / "theirs.py").write_text("import os")
    assert prepare(folder, {"seed": 1}, "auto", chosen) == (True, [])
    assert prepare(folder, {"seed": 2}, "always", chosen) == (True, ["seed: 1 -> 2"])
    assert not is_trusted(folder)
