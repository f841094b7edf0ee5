"""Several answers to one request: the truest is taken, said and priced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest

import textcentric as tc
from tests.support.small_run import records, write_prompts
from textcentric.augmentation.candidates import choose, truest
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.curation import Draft, Piece
from textcentric.augmentation.forecast import count_work
from textcentric.augmentation.plan import Plan, make_plan
from textcentric.augmentation.variants import Target, Unit
from textcentric.data.memory import in_hand
from textcentric.engines.protocol import Request, Response
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import PromptError
from textcentric.prompts.library import PromptLibrary
from textcentric.prompts.prompt import Prompt, read_prompt

ROWS = records(3)
FRONT = """\
stage: adversarial
label: unsure
reads: [row]
writes: text
{more}sampling: {{temperature: {temperature}, max_tokens: 60}}
checks: {{similarity: null, sibling: null}}
---
{{% block user %}}{{{{ row }}}}

Rewrite.{{% endblock %}}
"""


def prompt_of(folder: Path, *, more: str = "", temperature: float = 0.9) -> Prompt:
    write_prompts(folder, {"own/one": FRONT.format(more=more, temperature=temperature)})
    return read_prompt(folder / "own" / "one.jinja")


def plan_of(prompt: Prompt, **settings: Any) -> Plan:
    library = PromptLibrary({prompt.id: prompt})
    return make_plan(AugmentConfig(prompts=prompt.id, summarize=False, **settings), library)


def draft(prompt: Prompt, text: str, reason: str = "", **scores: float) -> Draft:
    return Draft(prompt, "", [Piece("A calm dog.", text)], reason=reason, scores=scores)


def test_the_truest_of_those_that_pass_is_taken(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path)
    drafts = [
        draft(prompt, "a", "copied", true=0.99),
        draft(prompt, "b", true=0.6),
        draft(prompt, "c", true=0.9),
        draft(prompt, "d", true=0.9),
    ]
    assert truest(drafts) == 2
    assert truest(drafts[:1]) == 0
    assert truest([draft(prompt, "a"), draft(prompt, "b")]) == 0


def test_each_request_has_a_choice_of_its_own(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path)
    target = Target("text", "One. Two.", {}, [Unit("One dog.", span=(0, 4)), Unit("Two dogs.")])
    answers = [
        ("", [Response("bad"), Response("fine 1")]),
        ("", [Response("fine 2"), Response("bad")]),
    ]

    async def judge(drafts: Sequence[Draft]) -> None:
        for one in drafts:
            one.reason = "" if one.pieces[0].text.startswith("fine") else "false"

    begun, notes = asyncio.run(choose(prompt, target, answers, (), judge))
    assert [answer.text for _, answer in begun] == ["fine 1", "fine 2"]
    assert notes == ["candidate 2, 1 of 2"]


def test_one_answer_is_not_judged_twice(tmp_path: Path) -> None:
    async def judge(drafts: Sequence[Draft]) -> None:
        raise AssertionError("nothing to choose from")

    prompt = prompt_of(tmp_path)
    target = Target("text", "One.", {}, [Unit("One dog.")])
    begun, notes = asyncio.run(choose(prompt, target, [("", [Response("x")])], (), judge))
    assert (begun, notes) == ([("", Response("x"))], [])


def variants(folder: Path, engine: ScriptedEngine, **settings: Any) -> list[dict[str, Any]]:
    prompt_of(folder / "prompts")
    settings |= {"prompts": "own/one", "prompt_dir": str(folder / "prompts"), "embeddings": False}
    run = tc.augment(ROWS, engine=engine, output_dir=folder / "run", summarize=False, **settings)
    table = pyarrow.dataset.dataset(run.path / "data", format="parquet").to_table()
    return [row for row in table.to_pylist() if row["prompt"] != "clean"]


def answer(request: Request) -> str:
    """Answer with nothing new, but for the second candidate."""
    row = request.messages[-1].content.split("\n\n")[1]
    return row if request.sample != 1 else f"Somebody says so: {row}"


def test_a_run_takes_the_candidate_that_passes_and_says_which(tmp_path: Path) -> None:
    engine = ScriptedEngine(answer)
    outputs = variants(tmp_path, engine, candidates=3)
    assert len(outputs) == len(ROWS)
    assert len(engine.requests) == 3 * len(ROWS)
    for output in outputs:
        assert "candidate 2 of 3" in output["notes"]
        assert output["text"].count("Somebody says so") == 1
        assert len(output["request_key"].split()) == 3


def test_without_candidates_requests_and_notes_stay_as_they_were(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda request: f"Somebody says so: {answer(request)}")
    outputs = variants(tmp_path, engine)
    assert {request.sample for request in engine.requests} == {0}
    assert {len(output["request_key"].split()) for output in outputs} == {1}
    assert not any("candidate" in output["notes"] for output in outputs)
    saved = (tmp_path / "run" / "run.yaml").read_text(encoding="utf-8")
    assert "\ncandidates" not in saved


def test_candidates_at_temperature_0_are_refused(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, temperature=0.0)
    refused = pytest.raises(PromptError, match="own/one is asked for 4 candidates at temperature 0")
    with refused:
        plan_of(prompt, candidates=4)
    with refused:
        plan_of(prompt_of(tmp_path / "b", more="candidates: 4\n"), temperature=0.0)
    assert plan_of(prompt, candidates=1).variants[0].front.candidates == 1


def test_a_setting_wins_over_the_front_matter_and_both_are_priced(tmp_path: Path) -> None:
    prompt = prompt_of(tmp_path, more="candidates: 4\n")
    of_file, of_flag = plan_of(prompt), plan_of(prompt, candidates=2)
    assert [plan.requests_per_row() for plan in (of_file, of_flag)] == [4, 2]
    work = count_work(AugmentConfig(summarize=False), of_file, in_hand(ROWS))
    assert work.requests == {"own/one": 4.0 * len(ROWS)}


def test_a_schema_has_one_answer(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="`candidates` are free answers"):
        prompt_of(tmp_path, more="candidates: 4\nschema: {enum: orders}\n")
