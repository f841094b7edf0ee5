"""What a row gives: its clean text, a variant a prompt, and what each of them says of itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.one_row import (
    SUMMARY,
    FakeEncoder,
    Run,
    answering,
    fates,
    good,
    one,
    task,
)
from tests.support.small_run import model, record
from textcentric.augmentation.plan import derive_seed
from textcentric.engines.protocol import Request
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record
from textcentric.runs.columns import Output
from textcentric.runs.journal import Journal


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
    assert one(outputs, "clean").parts["summary"] == SUMMARY
    for prompt in ("own/swap", "own/gist"):
        assert SUMMARY not in one(outputs, prompt).text
        assert "summary" not in one(outputs, prompt).parts


def test_a_variant_keeps_the_parts_that_its_prompt_does_not_write(run: Run) -> None:
    outputs = run(good)
    clean, swap = (one(outputs, p).parts for p in ("clean", "own/swap"))
    assert list(swap) == ["table", "text"]
    assert swap["table"] == clean["table"] == "Kind: dog. Age: 2 months."
    assert swap["text"] != clean["text"]
    assert list(one(outputs, "own/gist").parts) == ["table", "text", "gist"]
    assert list(one(outputs, "own/whole").parts) == ["text"]


def test_every_output_says_what_made_it(run: Run, library: PromptLibrary, journal: Journal) -> None:
    output = one(run(good), "own/swap")
    assert (output.model, output.model_revision, output.dataset) == ("scripted", "1", "rows")
    assert output.prompt_digest == library["own/swap"].digest
    assert output.sampling["temperature"] == 0.9
    assert output.seed == derive_seed(0, "r0", "own/swap", 0)
    assert (output.target, output.group, output.split) == (0.0, "g0", "train")
    assert output.experts["text"]["name"] == "text"
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


def test_an_aligned_part_takes_the_place_of_the_experts(run: Run) -> None:
    outputs = run(answering(Tell="A tale of a dog."), "own/swap,align/plain")
    assert one(outputs, "own/swap").source_text == (
        "A tale of a dog. A tale of a dog.\n\nA tale of a dog. A tale of a dog. A tale of a dog."
    )
    assert one(outputs, "clean").parts["table"] == "A tale of a dog. A tale of a dog."


def test_a_sentence_whose_retelling_fails_its_checks_stays_and_is_noted(run: Run) -> None:
    def answer(request: Request) -> Any:
        return "" if task(request) == "Tell: Kind: dog." else answering(Tell="A tale.")(request)

    clean = one(run(answer, "own/swap,align/plain"), "clean")
    assert clean.parts["table"] == "Kind: dog. A tale."
    assert "1 of 2 sentences rewritten (others: empty)" in clean.notes


def test_a_retelling_that_fails_its_checks_leaves_the_part_and_a_note(run: Run) -> None:
    outputs = run(answering(Tell="I cannot help with that."), "own/swap,align/plain")
    clean = one(outputs, "clean")
    assert clean.parts["table"] == "Kind: dog. Age: 2 months."
    assert "table not written: refusal" in clean.notes
    assert "text not written: refusal" in clean.notes


def test_a_summary_that_fails_its_checks_is_left_out_and_noted(run: Run) -> None:
    clean = one(run(answering(Summarise="Sure, here is a summary."), "own/swap"), "clean")
    assert list(clean.parts) == ["table", "text"]
    assert "summary not written: preamble" in clean.notes


def test_a_row_of_table_alone_is_rewritten_in_its_table(run: Run) -> None:
    row = Record("r0", {"table": {"Kind": "a very calm dog", "Age": "3 whole months"}})
    assert list(one(run(good, "own/swap", row), "own/swap").parts) == ["table"]


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


def test_meaning_is_checked_by_the_encoder_in_one_call_a_row(run: Run) -> None:
    calls: list[int] = []

    class Counting(FakeEncoder):
        async def embed(self, texts: Sequence[str]) -> np.ndarray:
            calls.append(len(texts))
            return await super().embed(texts)

    outputs = run(good, "own/*", encoder=Counting(lambda text: 50.0 * text.startswith("One ")))
    assert calls == [7]  # two sentences, two whole parts, each beside its source, each once
    assert one(outputs, "own/swap").scores["similarity"] == 0.6428
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


LAMP = "这盏灯很旧，但是晚上非常好看。它有一个绿色的灯罩，底座是黄铜做的。开关去年刚刚换过新的。"
LAMPS = {
    "这盏灯很旧，但是晚上非常好看。": "灯虽然旧了，夜里却特别漂亮。",
    "它有一个绿色的灯罩，底座是黄铜做的。": "灯罩是绿的，黄铜做的底座。",
    "开关去年刚刚换过新的。": "去年才换了一个新开关。",
}


def test_sentences_without_blanks_are_rewritten_one_by_one(run: Run) -> None:
    row = Record("r0", {"text": LAMP}, target=0.0)

    def answer(request: Request) -> str:
        return LAMPS[task(request).removeprefix("Rewrite: ")]

    outputs = run(answer, "own/swap", row, summarize=False)
    variant = one(outputs, "own/swap")
    assert variant.reason == ""
    rewritten = [new for old, new in LAMPS.items() if old not in variant.text]
    assert len(rewritten) == 2  # `take: 2`
    assert variant.text.count("。") == 3
    assert " " not in variant.text


def test_an_order_of_sentences_without_blanks_has_none(run: Run) -> None:
    front = (
        "stage: adversarial\nlabel: unsure\nreads: [row, sentences]\nwrites: text\neach: passage\n"
    )
    asked = "{% block user %}{{ row }}\n\n{{ sentences | join(' ') }}{% endblock %}"
    own = {"own/order": f"{front}schema: {{enum: orders}}\n---\n{asked}"}
    row = Record("r0", {"text": LAMP}, target=0.0)
    first, second, third = LAMPS
    order = json.dumps([second, third, first])
    outputs = run(lambda _: order, "own/order", row, own=own, summarize=False)
    assert one(outputs, "own/order").text == f"{second}{third}{first}"
