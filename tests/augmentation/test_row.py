"""The program of one row: what it asks, in which parts it writes, and what fails when."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.small_run import model, record, write_prompts
from textcentric.augmentation.answers import Answers
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.description import Describer
from textcentric.augmentation.plan import derive_seed, make_plan
from textcentric.augmentation.requests import RequestBuilder
from textcentric.augmentation.row import RowFlow
from textcentric.corruption.rows import Corruption, dropping, feature_dropout
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import EngineError, PromptError, RequestError
from textcentric.experts import open_experts
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record
from textcentric.runs.counters import Metrics
from textcentric.runs.journal import Journal
from textcentric.runs.shards import Failure, Output

ROW = record(0)
SUMMARY = "A calm dog, found behind the bakery, likes people."
ASK = {"task": "How fast?", "choices": ["slow", "fast"]}
Outputs = list[Output | Failure]
Run = Callable[..., Outputs]


class FakeEncoder:
    """Embed by a given function from text to angle (degrees)."""

    def __init__(self, angle: Callable[[str], float]):
        self.angle = angle

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        radians = np.radians([self.angle(text) for text in texts])
        return np.stack([np.cos(radians), np.sin(radians)], axis=1)


@pytest.fixture
def run(journal: Journal, library: PromptLibrary) -> Run:
    """Run the program of one row; `own` adds prompts for this test alone."""

    def run(
        answer: Any = model,
        prompts: str = "own/*",
        row: Record = ROW,
        *,
        own: dict[str, str] | None = None,
        encoder: Any = None,
        engine: ScriptedEngine | None = None,
        truncate: bool = False,
        **config: Any,
    ) -> Outputs:
        folders = [write_prompts(journal.path.parent / "own", own)] if own else []
        known = PromptLibrary.load(*folders, packaged=False).prompts if own else {}
        both = PromptLibrary({**library.prompts, **known}, library.bank)
        engine = engine or ScriptedEngine(answer)
        flow = RowFlow(
            make_plan(AugmentConfig(prompts=prompts, **config), both),
            Describer(open_experts(["table", "text"]), journal),
            Answers(engine, journal, Metrics()),
            RequestBuilder(engine.fingerprint()),
            encoder,
            dataset="rows",
            reason_about=ASK,
            truncate=truncate,
        )
        outputs = asyncio.run(flow.run(row))
        flow.describer.close()
        return outputs

    return run


def fates(outputs: Outputs) -> dict[str, str]:
    return {
        one.id.removeprefix("r0/"): f"failed at {one.stage}: {one.error_type}"
        if isinstance(one, Failure)
        else one.reason or "accepted"
        for one in outputs
    }


def one(outputs: Outputs, prompt: str) -> Any:
    (found,) = [output for output in outputs if output.prompt == prompt]
    return found


def task(request: Request) -> str:
    """Return the last paragraph of what was asked."""
    return request.messages[-1].content.rpartition("\n\n")[2]


def answering(**said: Any) -> Callable[[Request], Any]:
    """Answer by the first word of the task, else as the model does."""

    def answer(request: Request) -> Any:
        return said.get(task(request).split()[0].strip(":.")) or good(request)

    return answer


def good(request: Request) -> str:
    """Answer so that every check passes."""
    if task(request) == "Summarise.":
        return SUMMARY
    return "One " + " ".join(word[::-1] for word in task(request).split()[1:])


def test_a_row_gives_its_clean_text_and_a_variant_a_prompt(run: Run) -> None:
    outputs = run(good)
    assert fates(outputs) == {
        "clean/0": "accepted",
        "own/gist/0": "accepted",
        "own/swap/0": "accepted",
        "own/whole/0": "accepted",
    }
    assert {output.source_id for output in outputs} == {"r0"}


def test_the_clean_row_has_the_derived_parts_and_the_variants_have_not(run: Run) -> None:
    outputs = run(good)
    assert json.loads(one(outputs, "clean").parts)["summary"] == SUMMARY
    for prompt in ("own/swap", "own/gist"):
        assert SUMMARY not in one(outputs, prompt).text
        assert "summary" not in json.loads(one(outputs, prompt).parts)


def test_a_variant_keeps_the_parts_that_its_prompt_does_not_write(run: Run) -> None:
    outputs = run(good)
    clean, swap = (json.loads(one(outputs, p).parts) for p in ("clean", "own/swap"))
    assert list(swap) == ["table", "text"]
    assert swap["table"] == clean["table"] == "Kind: dog. Age: 2 months."
    assert swap["text"] != clean["text"]
    assert list(json.loads(one(outputs, "own/gist").parts)) == ["table", "text", "gist"]
    assert list(json.loads(one(outputs, "own/whole").parts)) == ["text"]


def test_every_output_says_what_made_it(run: Run, library: PromptLibrary, journal: Journal) -> None:
    output = one(run(good), "own/swap")
    assert (output.model, output.model_revision, output.dataset) == ("scripted", "1", "rows")
    assert output.prompt_digest == library["own/swap"].digest
    assert json.loads(output.sampling)["temperature"] == 0.9
    assert output.seed == derive_seed(0, "r0", "own/swap", 0)
    assert (output.target, output.group, output.split) == (0.0, "g0", "train")
    assert json.loads(output.experts)["text"]["name"] == "text"
    assert output.source_text.startswith("Kind: dog. Age: 2 months.\n\nThis calm dog was found")
    keys = output.request_key.split()
    assert len(keys) == 2
    assert all((journal.get(key) or {})["text"] for key in keys)


def test_the_seed_depends_on_run_row_prompt_and_sample_alone() -> None:
    assert derive_seed(0, "r1", "noise", 0) == 13190964
    seeds = [derive_seed(*args) for args in ((1, "r1", "noise", 0), (0, "r2", "noise", 0),
             (0, "r1", "style", 0), (0, "r1", "noise", 1))]  # fmt: skip
    assert len({13190964, *seeds}) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)


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


def test_an_aligned_part_takes_the_place_of_the_experts(run: Run) -> None:
    outputs = run(answering(Tell="A tale of a dog."), "own/swap,align/plain")
    assert one(outputs, "own/swap").source_text == (
        "A tale of a dog. A tale of a dog.\n\nA tale of a dog. A tale of a dog. A tale of a dog."
    )
    assert json.loads(one(outputs, "clean").parts)["table"] == "A tale of a dog. A tale of a dog."


def test_a_sentence_whose_retelling_fails_its_checks_stays_and_is_noted(run: Run) -> None:
    def answer(request: Request) -> Any:
        return "" if task(request) == "Tell: Kind: dog." else answering(Tell="A tale.")(request)

    clean = one(run(answer, "own/swap,align/plain"), "clean")
    assert json.loads(clean.parts)["table"] == "Kind: dog. A tale."
    assert "1 of 2 sentences rewritten (others: empty)" in clean.notes


def test_a_retelling_that_fails_its_checks_leaves_the_part_and_a_note(run: Run) -> None:
    outputs = run(answering(Tell="I cannot help with that."), "own/swap,align/plain")
    clean = one(outputs, "clean")
    assert json.loads(clean.parts)["table"] == "Kind: dog. Age: 2 months."
    assert "table not written: refusal" in clean.notes
    assert "text not written: refusal" in clean.notes


def test_a_summary_that_fails_its_checks_is_left_out_and_noted(run: Run) -> None:
    clean = one(run(answering(Summarise="Sure, here is a summary."), "own/swap"), "clean")
    assert list(json.loads(clean.parts)) == ["table", "text"]
    assert "summary not written: preamble" in clean.notes


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


def test_a_row_of_table_alone_is_rewritten_in_its_table(run: Run) -> None:
    row = Record("r0", {"table": {"Kind": "a very calm dog", "Age": "3 whole months"}})
    assert list(json.loads(one(run(good, "own/swap", row), "own/swap").parts)) == ["table"]


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
    assert json.loads(clean.parts)["reason"] == "Prediction: fast. It was found in spring."
    assert "row cut to " in clean.notes


def test_an_instruction_that_alone_is_too_long_fails_even_so(run: Run) -> None:
    engine = ScriptedEngine(good, context=201)
    outputs = run(engine=engine, prompts="own/whole", summarize=False, truncate=True)
    assert fates(outputs)["own/whole/0"] == "failed at perturb: too_long"


@pytest.mark.parametrize(
    ("split", "perturb", "expected"),
    [("train", "train", 4), (None, "train", 4), ("test", "train", 1), ("test", "all", 4)],
)
def test_only_the_training_split_is_perturbed_unless_asked(
    run: Run, split: str | None, perturb: str, expected: int
) -> None:
    assert len(run(good, row=record(0, split=split), perturb=perturb)) == expected


def test_samples_are_outputs_of_their_own_under_seeds_of_their_own(run: Run) -> None:
    outputs = run(model, "own/whole", samples=3)
    assert [output.id for output in outputs] == [
        "r0/clean/0", "r0/own/whole/0", "r0/own/whole/1", "r0/own/whole/2",
    ]  # fmt: skip
    seeds = {output.seed for output in outputs[1:] if isinstance(output, Output)}
    assert len(seeds) == 3


def test_the_bank_draws_an_instruction_a_row_and_sample_by_seed(
    run: Run, library: PromptLibrary
) -> None:
    def drawn(row: Record, seed: int = 0) -> list[str]:
        outputs = run(good, "bank", row, samples=4, seed=seed, summarize=False)
        return [output.prompt for output in outputs if output.prompt != "clean"]

    assert drawn(ROW) == drawn(ROW)
    assert drawn(ROW) != drawn(record(1))
    assert drawn(ROW) != drawn(ROW, seed=1)
    assert set(drawn(ROW)) <= {f"bank/{entry.id}" for entry in library.bank}


def test_a_banks_request_holds_the_instruction_after_the_row(
    run: Run, library: PromptLibrary
) -> None:
    engine = ScriptedEngine(good)
    (output,) = [o for o in run(engine=engine, prompts="bank", summarize=False)
                 if o.prompt != "clean"]  # fmt: skip
    (entry,) = [e for e in library.bank if f"bank/{e.id}" == output.prompt]
    for request in engine.requests:
        asked = next(m.content for m in request.messages if m.role == "user")
        assert asked.index("Kind: dog.") < asked.index(entry.instruction)


def judge(verdict: str) -> Callable[[Request], Any]:
    def answer(request: Request) -> Any:
        return verdict if "Second listing:" in request.messages[-1].content else good(request)

    return answer


def test_a_judge_that_says_yes_lets_a_variant_count(run: Run) -> None:
    output = one(run(judge('{"verdict": "yes", "reason": "x"}'), "own/whole,judge"), "own/whole")
    assert (output.reason, json.loads(output.scores)["judge"]) == ("", 1.0)
    assert len(output.request_key.split()) == 2


def test_a_judge_that_says_no_rejects_a_variant(run: Run) -> None:
    output = one(run(judge('{"verdict": "no", "reason": "x"}'), "own/whole,judge"), "own/whole")
    assert (output.reason, json.loads(output.scores)["judge"]) == ("label changed", 0.0)


def test_a_judge_that_cannot_be_read_is_asked_twice_and_fails_the_variant(run: Run) -> None:
    engine = ScriptedEngine(judge("I would say yes."))
    outputs = run(engine=engine, prompts="own/whole,judge", summarize=False)
    assert fates(outputs)["own/whole/0"] == "failed at judge: schema"
    assert one(outputs, "own/whole").attempts == 2
    assert engine.count == 3


def test_what_was_rejected_before_is_not_judged(run: Run) -> None:
    engine = ScriptedEngine(answering(Rewrite="I cannot help with that."))
    run(engine=engine, prompts="own/whole,judge", summarize=False)
    assert engine.count == 1


def test_reason_is_parsed_into_a_part_and_never_sees_the_target(run: Run) -> None:
    said = '{"prediction": "fast", "explanation": "It was found in spring."}'
    engine = ScriptedEngine(said)
    row = record(0, target="secret-target")
    outputs = run(engine=engine, prompts="reason", row=row, summarize=False)
    clean = one(outputs, "clean")
    assert json.loads(clean.parts)["reason"] == "Prediction: fast. It was found in spring."
    (request,) = engine.requests
    assert "secret-target" not in repr(request)
    assert request.schema is not None
    assert request.schema["properties"]["prediction"] == {"enum": ["slow", "fast"]}


def test_reason_that_does_not_parse_is_retried_once_and_then_fails(run: Run) -> None:
    engine = ScriptedEngine('{"prediction": "very fast", "explanation": "It runs."}')
    outputs = run(engine=engine, prompts="reason,own/swap", summarize=False)
    assert fates(outputs)["clean/0"] == "failed at derive: schema"
    tries = [request for request in engine.requests if request.schema is not None]
    assert [request.sample for request in tries] == [0, 1_000_000]


def test_meaning_is_checked_by_the_encoder_in_one_call_a_row(run: Run) -> None:
    calls: list[int] = []

    class Counting(FakeEncoder):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            calls.append(len(texts))
            return await super().embed(texts)

    outputs = run(good, "own/*", encoder=Counting(lambda text: 50.0 * text.startswith("One ")))
    assert calls == [7]  # two sentences, two whole parts, each beside its source, each once
    assert json.loads(one(outputs, "own/swap").scores)["similarity"] == 0.6428
    assert fates(outputs)["own/swap/0"] == "near-duplicate of a sibling"
    assert fates(outputs)["own/gist/0"] == "accepted"


@pytest.mark.parametrize(
    ("angle", "reason"), [(0.0, "too near the source"), (90.0, "drifted from source")]
)
def test_a_variant_too_near_or_too_far_is_rejected_with_its_score(
    run: Run, angle: float, reason: str
) -> None:
    encoder = FakeEncoder(lambda text: angle * text.startswith("One "))
    output = one(run(good, "own/whole", encoder=encoder), "own/whole")
    assert output.reason == reason
    assert output.text.startswith("One ")


def test_a_variant_equal_to_its_sibling_is_rejected(run: Run) -> None:
    own = {"own/again": "stage: adversarial\n---\n{% block user %}{{ row }}\n\n"
                        "Rewrite it.{% endblock %}"}  # fmt: skip
    outputs = run("A listing of a dog.", "own/whole,own/again", own=own, summarize=False)
    assert Counter(fates(outputs).values()) == {
        "accepted": 2,
        "identical to source or sibling": 1,
    }


HOSTILE = (
    "{{ 7 * 7 }} {% for x in range(9) %}{{ x }}{% endfor %} {# gone? #}"
    " <script>alert(1)</script> كلبة هادئة 🐕‍🦺 ends here."
)


def test_markup_of_a_row_is_text_in_requests_and_outputs(run: Run) -> None:
    engine = ScriptedEngine(good)
    row = Record("r0", {"text": f"{HOSTILE} It is a second sentence.", "table": {"A": HOSTILE}})
    outputs = run(engine=engine, row=row)
    for request in engine.requests:
        assert request.messages[-1].content.count(HOSTILE) >= 2
    assert HOSTILE in one(outputs, "clean").text


def test_control_characters_and_direction_overrides_of_a_row_are_gone(run: Run) -> None:
    engine = ScriptedEngine(good)
    text = "A\x00 calm\x07 dog \x1b[31mred \u202eevil\u202c was found here."
    run(engine=engine, row=Record("r0", {"text": text}))
    for request in engine.requests:
        assert not set("\x00\x07\x1b\u202e\u202c") & set(request.messages[-1].content)


def test_requests_of_a_row_share_its_text_as_a_prefix(run: Run) -> None:
    engine = ScriptedEngine(good)
    outputs = run(engine=engine)
    source = one(outputs, "clean").source_text
    assert len(engine.requests) == 5
    assert all(request.messages[-1].content.startswith(source) for request in engine.requests)


def test_the_temperature_flag_wins_over_the_prompts_own(library: PromptLibrary) -> None:
    builder = RequestBuilder({"model": "m"}, temperature=0.0, max_tokens=9)
    request, _ = builder.build(library["own/whole"], {"row": "A dog."}, seed=5)
    assert request.sampling.temperature == 0.0
    assert request.sampling.max_tokens == 9
    assert request.sampling.seed is None  # greedy decoding draws nothing


def test_a_schema_that_names_an_unknown_variable_fails_with_the_nearest(
    run: Run, tmp_path: Path
) -> None:
    own = {"own/x": "stage: adversarial\nschema: {enum: choice}\n---\n"
                    "{% block user %}{{ row }}\n\nRewrite it.{% endblock %}"}  # fmt: skip
    outputs = run(good, "own/x", own=own)
    assert fates(outputs)["own/x/0"] == "failed at perturb: PromptError"
    assert "unknown variable 'choice'" in one(outputs, "own/x").message


# Columns in prompts


COLUMNS = {
    "own/age": """\
stage: adversarial
reads: [row, columns.Age]
writes: text
---
{% block user %}{{ row }}

Aged {{ Age }}, {{ columns.raw.Age }}.{% endblock %}
"""
}


@pytest.mark.parametrize("corruption", [dropping, feature_dropout])
def test_a_prompt_reads_nothing_that_damage_removed(run: Run, corruption: Corruption) -> None:
    row = Record("r0", {"table": {"Age": "seven moons", "Kind": "dog"}, "text": "A calm dog. Big."})
    engine = ScriptedEngine(model)
    whole, gone = ScriptedEngine(model), 0
    run(row=row, own=COLUMNS, engine=whole, perturb="all")
    assert any("Aged seven moons, seven moons." in text for text in asked(whole))
    for seed in range(6):
        damaged = corruption(row, 0.6, seed)
        if damaged.inputs.get("table", {}).get("Age") is None:
            gone += 1
            run(row=replace(damaged, id=f"r{seed}"), own=COLUMNS, engine=engine, perturb="all")
    assert gone > 1
    assert any(text.endswith("Aged , .") for text in asked(engine))
    assert not any("moons" in text for text in asked(engine))


def asked(engine: ScriptedEngine) -> list[str]:
    return [message.content for request in engine.requests for message in request.messages]
