"""Variants by rule: the words of `evaluate` at equal seed, and runs that ask no model."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest
import yaml

import textcentric as tc
from tests.support.small_run import record
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import Describer
from textcentric.augmentation.forecast import count_work
from textcentric.augmentation.plan import derive_seed, make_plan
from textcentric.augmentation.rules import ruled
from textcentric.augmentation.words import throwaway_journal
from textcentric.corruption.grid import Cell, damage
from textcentric.corruption.orders import part_names, part_orders
from textcentric.corruption.rows import CORRUPTIONS
from textcentric.data.memory import in_hand
from textcentric.experts import open_experts
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record
from textcentric.runs.columns import read_rows
from textcentric.runs.manifest import read_manifest
from textcentric.runs.origin import read_origin

LIBRARY = PromptLibrary.load()
ROWS = [record(n) for n in range(12)]
DAMAGE = ("typing", "recognition", "dropping")


def words(row: Record) -> dict[str, str]:
    """Return a row in words, as `evaluate` and `augment` read it."""
    with throwaway_journal() as journal:
        describer = Describer(open_experts(["table", "text"]), journal)
        try:
            return dict(asyncio.run(describer.describe(row)).row.parts)
        finally:
            describer.close()


def variants(
    rows: list[Record], prompts: str, folder: Path, **settings: Any
) -> list[dict[str, Any]]:
    """Return the accepted variants of a run, as its parquet files hold them."""
    run = tc.augment(rows, prompts=prompts, output_dir=folder, embeddings=False, **settings)
    table = pyarrow.dataset.dataset(run.path / "data", format="parquet").to_table()
    return [row for row in read_rows(table) if row["prompt"] != "clean"]


@pytest.mark.parametrize("rule", DAMAGE)
def test_a_rule_gives_the_words_that_evaluate_gives_at_the_same_seed(
    tmp_path: Path, rule: str
) -> None:
    front = LIBRARY[f"rule/{rule}"].front
    outputs = variants(ROWS, f"rule/{rule}", tmp_path / "run", seed=3)
    assert len(outputs) > 8
    rows = {row.id: row for row in ROWS}
    for output in outputs:
        seed = derive_seed(3, output["source_id"], output["prompt"], output["sample"])
        assert output["seed"] == seed
        damaged = damage(rows[output["source_id"]], Cell(rule, front.strength), seed, CORRUPTIONS)
        assert output["parts"] == words(damaged)
        assert output["notes"].endswith(f"rule: {rule} at {front.strength:g}")


def test_an_order_is_one_of_those_that_evaluate_tries(tmp_path: Path) -> None:
    for output in variants(ROWS, "rule/order", tmp_path / "run"):
        before, after = words(next(r for r in ROWS if r.id == output["source_id"])), output["parts"]
        order = list(after)
        assert tuple(order) in part_orders(part_names([before]), seed=0)[1:]
        assert after == before


def test_a_rule_that_changes_nothing_is_rejected_for_that(tmp_path: Path) -> None:
    rows = [Record("r1", {"text": "Ben is 3."}, split="train")]
    run = tc.augment(rows, prompts="rule", output_dir=tmp_path / "run", embeddings=False)
    reasons = read_manifest(run.path)["reasons"]
    assert {name: list(of) for name, of in reasons.items()} == {
        name: ["nothing changed"] for name in ("rule/typing", "rule/recognition", "rule/order",
                                               "rule/dropping")
    }  # fmt: skip


def test_samples_of_a_rule_differ(tmp_path: Path) -> None:
    outputs = variants(ROWS[:4], "rule/typing", tmp_path / "run", samples=3)
    assert len({output["text"] for output in outputs}) == len(outputs) > 8


def test_rules_alone_open_no_engine_and_name_no_model(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    outputs = variants(ROWS, "rule", folder, engine="openai", model="nobody-serves-this")
    assert outputs
    asked = ("model", "model_revision", "request_key", "sampling")
    assert all(not any(output[name] for name in asked) for output in outputs)
    saved = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    manifest = read_manifest(folder)
    assert (saved["model"], saved["engine_fingerprint"]["model"]) == (None, None)
    assert manifest["engine"] == {"engine": None, "model": None}
    assert (manifest["requests"], manifest["bottleneck"]) == ({"sent": 0, "reused": 0}, "none")
    assert "summary" not in outputs[0]["parts"]
    assert "and rules rewrote them" in (folder / "README.md").read_text(encoding="utf-8")


def test_rules_alone_are_gone_on_with(tmp_path: Path) -> None:
    first = variants(ROWS[:5], "rule", tmp_path / "run")
    assert variants(ROWS[:5], "rule", tmp_path / "run") == first


def test_a_run_of_rules_is_estimated_and_read_as_one_without_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    taken = tc.estimate(ROWS, prompts="rule", output_dir=folder, embeddings=False).to_dict()
    assert (taken["prompt_tokens"]["mean"], taken["output_tokens"]["mean"]) == (0, 0)
    variants(ROWS, "rule", folder)
    origin = read_origin(folder)
    assert (origin.engine, origin.prompts) == ({"engine": "", "model": ""}, {})


def test_rules_cost_no_request() -> None:
    plan = make_plan(AugmentConfig(prompts="adversarial/noise,rule"), LIBRARY)
    assert [prompt.id for prompt in plan.derive] == [
        p.id for p in make_plan(AugmentConfig(prompts="adversarial/noise"), LIBRARY).derive
    ]
    assert plan.asks
    alone = make_plan(AugmentConfig(prompts="rule"), LIBRARY)
    assert not alone.asks
    assert alone.requests_per_row() == 0
    work = count_work(AugmentConfig(prompts="rule"), alone, in_hand(ROWS))
    assert set(work.requests.values()) == {0}


def test_adversarial_means_what_it_meant() -> None:
    chosen = {prompt.id.split("/")[0] for prompt in LIBRARY.select("adversarial")}
    assert chosen == {"adversarial"}
    rules = ["dropping", "order", "recognition", "typing"]
    assert [prompt.id for prompt in LIBRARY.select("rule")] == [f"rule/{name}" for name in rules]


def test_a_rule_leaves_what_an_align_prompt_told_of_other_parts() -> None:
    row = ROWS[0]
    with throwaway_journal() as journal:
        describer = Describer(open_experts(["table", "text"]), journal)
        try:
            described = asyncio.run(describer.describe(row))
            told = replace(described, row=described.row.with_part("table", "Told anew."))
            made, draft, _ = asyncio.run(ruled(LIBRARY["rule/typing"], row, told, describer, 1))
        finally:
            describer.close()
    assert made.parts["table"] == "Told anew."
    assert [piece.source for piece in draft.pieces] == [described.row.parts["text"]]
