"""What fails of a row, and what else that fails: never more than reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.one_row import (
    ROW,
    Run,
    answering,
    fates,
    good,
    one,
    task,
)
from textcentric.engines.protocol import Response
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import EngineError, PromptError, RequestError
from textcentric.rows import Record

SPENT = "reasoning took all tokens (raise max_tokens, or turn reasoning off)"
THOUGHT = Response("", finish="length", reasoning="A dog. What is a dog?", output_tokens=90)


def test_a_failed_summary_fails_what_needs_it_once_and_nothing_else(run: Run) -> None:
    busy = RequestError("the server is busy", kind="busy", attempts=4)
    outputs = run(answering(Summarise=busy))
    assert fates(outputs) == {
        "clean/0": "failed at derive: busy",
        "own/gist/0": "failed at derive: busy",
        "own/swap/0": "accepted",
        "own/whole/0": "accepted",
    }
    assert (one(outputs, "clean").attempts, one(outputs, "clean").message) == (
        4,
        "the server is busy",
    )


def test_a_failed_sentence_fails_its_variant_once(run: Run) -> None:
    outputs = run(answering(Rewrite=RequestError("busy", kind="busy")), prompts="own/swap")
    assert fates(outputs) == {"clean/0": "accepted", "own/swap/0": "failed at perturb: busy"}


def test_a_failed_alignment_fails_every_output_once(run: Run) -> None:
    outputs = run(answering(Tell=RequestError("busy", kind="busy")), "own/*,align")
    assert set(fates(outputs).values()) == {"failed at align: busy"}
    assert len(outputs) == 4


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"text": "  \n"},
        {"table": {"Age": None, "Size": float("nan")}},
        {"table": {"Age": None}, "text": "\u200b\x00"},
    ],
)
def test_a_row_with_nothing_in_it_fails_every_output_once(run: Run, inputs: dict[str, Any]) -> None:
    outputs = run(good, row=Record("r0", inputs))
    assert set(fates(outputs).values()) == {"failed at describe: DataError"}
    assert len(outputs) == 4
    assert "row 'r0' has nothing to say" in one(outputs, "clean").message


def test_a_dead_engine_is_not_a_rows_failure(run: Run) -> None:
    with pytest.raises(EngineError, match="no memory"):
        run(EngineError("no memory"))


def test_a_template_that_cannot_be_rendered_fails_its_variant_alone(run: Run) -> None:
    own = {"own/bad": "stage: adversarial\n---\n{% block user %}{{ row }}{{ 1 / 0 }}{% endblock %}"}
    found = fates(run(good, "own/swap,own/bad", own=own))
    assert found["own/bad/0"] == "failed at perturb: PromptError"
    assert found["own/swap/0"] == "accepted"


def test_a_prompt_that_could_never_be_rendered_is_refused_before_the_first_row(run: Run) -> None:
    own = {"own/bad": "stage: adversarial\n---\n{% block user %}{{ rwo }}{% endblock %}"}
    with pytest.raises(PromptError, match="prompt own/bad: unknown variable 'rwo'; did you mean"):
        run(good, "own/bad", own=own)


@pytest.mark.parametrize(("stage", "missing"), [("judge", "'verdict'"), ("reason", "'prediction'")])
def test_a_schema_that_lacks_what_is_read_from_it_is_refused(
    run: Run, stage: str, missing: str
) -> None:
    body = "{% block user %}{{ row }}{% endblock %}"
    own = {"own/x": f"stage: {stage}\nschema: {{type: object, required: [word]}}\n---\n{body}"}
    with pytest.raises(PromptError, match=f"a {stage} prompt's `schema` must require {missing}"):
        run(good, "own/x,own/swap", own=own)


def test_what_is_too_long_fails_with_both_lengths(run: Run) -> None:
    engine = ScriptedEngine(good, context=70)
    outputs = run(engine=engine, prompts="own/whole", summarize=False)
    assert fates(outputs)["own/whole/0"] == "failed at perturb: too_long"
    message = one(outputs, "own/whole").message
    assert "the answer may take 200" in message
    assert "the model takes 70 in all" in message


def test_what_is_too_long_is_cut_at_the_rows_own_text_if_asked_for(run: Run) -> None:
    engine = ScriptedEngine(good, context=235)
    outputs = run(engine=engine, prompts="own/whole", summarize=False, truncate=True)
    output = one(outputs, "own/whole")
    assert "row cut to " in output.notes
    assert all(task(request) == "Rewrite all." for request in engine.requests)
    assert ROW.inputs["text"] not in engine.requests[-1].messages[-1].content
    assert ROW.inputs["text"] in output.source_text


def test_an_answer_under_a_schema_is_cut_to_fit_as_well(run: Run) -> None:
    said = '{"prediction": "fast", "explanation": "It was found in spring."}'
    engine = ScriptedEngine(said, context=300)
    outputs = run(engine=engine, prompts="reason", summarize=False, truncate=True)
    clean = one(outputs, "clean")
    assert clean.parts["reason"] == "Prediction: fast. It was found in spring."
    assert "row cut to " in clean.notes


def test_an_instruction_that_alone_is_too_long_fails_even_so(run: Run) -> None:
    engine = ScriptedEngine(good, context=201)
    outputs = run(engine=engine, prompts="own/whole", summarize=False, truncate=True)
    assert fates(outputs)["own/whole/0"] == "failed at perturb: too_long"


def test_reason_that_does_not_parse_is_retried_once_and_then_fails(run: Run) -> None:
    engine = ScriptedEngine('{"prediction": "very fast", "explanation": "It runs."}')
    outputs = run(engine=engine, prompts="reason,own/swap", summarize=False)
    assert fates(outputs)["clean/0"] == "failed at derive: schema"
    tries = [request for request in engine.requests if request.schema is not None]
    assert [request.sample for request in tries] == [0, 1_000_000]


def test_a_schema_that_names_an_unknown_variable_fails_with_the_nearest(
    run: Run, tmp_path: Path
) -> None:
    own = {"own/x": "stage: adversarial\nschema: {enum: choice}\n---\n"
                    "{% block user %}{{ row }}\n\nRewrite it.{% endblock %}"}  # fmt: skip
    outputs = run(good, "own/x", own=own)
    assert fates(outputs)["own/x/0"] == "failed at perturb: PromptError"
    assert "unknown variable 'choice'" in one(outputs, "own/x").message


def test_reasoning_that_takes_all_tokens_is_a_reason_of_its_own(run: Run) -> None:
    outputs = run(answering(Summarise=THOUGHT, Rewrite=THOUGHT), "own/swap")
    assert fates(outputs) == {"clean/0": "accepted", "own/swap/0": SPENT}
    assert f"summary not written: {SPENT}" in one(outputs, "clean").notes


def test_reasoning_that_takes_all_tokens_leaves_no_pick(run: Run) -> None:
    own = {"own/fact": "stage: adversarial\nwrites_by: pick\npick: fact\nwrites: text\n---\n"
                       "{% block user %}{{ row }}\n\nPick.{% endblock %}"}  # fmt: skip
    outputs = run(lambda _: THOUGHT, "own/fact", own=own, summarize=False)
    assert fates(outputs)["own/fact/0"] == SPENT


def test_reasoning_that_takes_all_tokens_twice_fails_what_needs_json(run: Run) -> None:
    outputs = run(lambda _: THOUGHT, "reason,own/swap", summarize=False)
    failed = one(outputs, "clean")
    assert fates(outputs)["clean/0"] == "failed at derive: reasoning"
    assert failed.message.startswith(f"{SPENT}: ")


def test_an_answer_that_breaks_off_is_none_of_reasoning(run: Run) -> None:
    cut = Response("A very", finish="length", reasoning="A dog.")
    outputs = run(lambda _: cut, "own/whole", summarize=False)
    assert fates(outputs)["own/whole/0"] == "empty"
