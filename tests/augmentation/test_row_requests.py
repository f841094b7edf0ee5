"""What a row is asked: its own words alone, after them what is wanted of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.one_row import (
    ROW,
    Run,
    good,
    one,
)
from tests.support.small_run import model, record
from textcentric.augmentation.requests import RequestBuilder
from textcentric.corruption.rows import Corruption, dropping, feature_dropout
from textcentric.engines.scripted import ScriptedEngine
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record


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


def test_reason_is_parsed_into_a_part_and_never_sees_the_target(run: Run) -> None:
    said = '{"prediction": "fast", "explanation": "It was found in spring."}'
    engine = ScriptedEngine(said)
    row = record(0, target="secret-target")
    outputs = run(engine=engine, prompts="reason", row=row, summarize=False)
    clean = one(outputs, "clean")
    assert clean.parts["reason"] == "Prediction: fast. It was found in spring."
    (request,) = engine.requests
    assert "secret-target" not in repr(request)
    assert request.schema is not None
    assert request.schema["properties"]["prediction"] == {"enum": ["slow", "fast"]}


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
