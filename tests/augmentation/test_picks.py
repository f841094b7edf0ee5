"""Picks: what a row gives to choose from, what code makes of a choice, and what is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tests.support.one_row import run_row
from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.picks.marks import louder
from textcentric.augmentation.picks.omission import omission
from textcentric.augmentation.picks.statements import Table, leans
from textcentric.augmentation.picks.summary import summary
from textcentric.augmentation.picks.values import column_statements, values
from textcentric.augmentation.plan import make_plan
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.experts.table import statements
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Record, TextRow
from textcentric.runs.columns import Failure, Output
from textcentric.runs.journal import Journal

CELLS = {"Type": "cat", "Name": "Bingo", "Age": "3 months", "Fee": "free", "State": "Kedah"}
TEXT = "Bingo was found at a bus stop. He likes boxes. And he sleeps. Write to me after six."
ROW = Record("r1", {"table": CELLS, "text": TEXT})
WORDS = TextRow("r1", {"table": " ".join(statements(CELLS).values()), "text": TEXT})
TABLE = Table(statements(CELLS))
LIBRARY = PromptLibrary.load()
Choose = Callable[[Request, str, list[str]], str]


def first(request: Request, key: str, choices: list[str]) -> str:
    return choices[0]


def last(request: Request, key: str, choices: list[str]) -> str:
    return choices[-1]


def picking(choose: Choose) -> ScriptedEngine:
    """Answer every question with a choice for each of its keys."""

    def answer(request: Request) -> str:
        properties: dict[str, Any] = dict(request.schema or {})["properties"]
        return json.dumps({key: choose(request, key, of["enum"]) for key, of in properties.items()})

    return ScriptedEngine(answer)


def run(
    journal: Journal,
    prompts: str,
    choose: Choose = first,
    row: Record = ROW,
    columns: Mapping[str, Sequence[str]] | None = None,
    engine: ScriptedEngine | None = None,
) -> dict[str, Output]:
    engine = engine or picking(choose)
    plan = make_plan(AugmentConfig(prompts=prompts, perturb="all"), LIBRARY)
    outputs = run_row(plan, journal, engine, row, columns=columns)
    assert not any(isinstance(one, Failure) for one in outputs)
    return {one.prompt: one for one in outputs if isinstance(one, Output)}


def test_a_summary_is_a_fact_of_each_third_and_a_sentence_that_stands_alone(
    journal: Journal,
) -> None:
    clean = run(journal, "summarize", last)["clean"]
    parts = clean.parts
    assert parts["summary"] == "Name: Bingo. Age: 3 months. State: Kedah. Write to me after six."
    assert list(parts) == ["table", "text", "summary"]


def test_a_summary_asks_once_under_a_schema_of_the_rows_own_words() -> None:
    (question,) = summary(WORDS, TABLE)
    assert question.choices == {
        "first_fact": ["Type: cat.", "Name: Bingo."],
        "second_fact": ["Age: 3 months."],
        "third_fact": ["Fee: free.", "State: Kedah."],
        "sentence": ["Bingo was found at a bus stop.", "Write to me after six."],
    }
    schema = question.schema()
    assert schema["properties"]["second_fact"] == {"enum": ["Age: 3 months."]}
    assert schema["required"] == list(question.choices)


def test_a_summary_has_at_most_forty_words() -> None:
    long = "A word " * 20 + "here."
    (question,) = summary(
        TextRow("r", {"table": WORDS.parts["table"], "text": f"{long} Ok."}), TABLE
    )
    assert "sentence" not in question.choices
    fits = "It " + "really " * 28 + "purrs."
    row = TextRow("r", {"table": WORDS.parts["table"], "text": fits})
    (question,) = summary(row, TABLE)
    chosen = {key: max(texts, key=len) for key, texts in question.choices.items()}
    text, _ = question.carry(chosen)
    assert fits in text
    assert len(text.split()) <= 40


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        ({"table": "Type: cat. Fee: free.", "image": "A grey cat on a chair."}, 3),
        ({"text": "Bingo was found at a bus stop."}, 1),
        ({"text": "Bingo purrs a lot at night.", "image": "2 photos. Light: dark."}, 2),
        ({"text": "ok"}, 0),
    ],
)
def test_a_summary_takes_what_the_row_has(parts: dict[str, str], keys: int) -> None:
    assert sum(len(one.choices) for one in summary(TextRow("r", parts), Table())) == keys


def test_a_row_without_anything_to_pick_has_no_summary_and_says_so(journal: Journal) -> None:
    clean = run(journal, "summarize", row=Record("r", {"text": "ok"}))["clean"]
    assert clean.parts == {"text": "ok"}
    assert "summary not written: nothing to write on" in clean.notes


@pytest.mark.parametrize(
    "sentence",
    ["He does that too.", "And he sleeps.", "This is why.", "So cute!", "Colours:", "Really?"],
)
def test_a_sentence_that_leans_on_another_is_none_for_a_summary(sentence: str) -> None:
    assert leans(sentence)


@pytest.mark.parametrize("sentence", ["He likes boxes.", "There is a garden.", "Solid oak table."])
def test_a_sentence_that_stands_alone_is_one(sentence: str) -> None:
    assert not leans(sentence)


def test_omission_leaves_out_what_is_picked_and_every_part_keeps_its_place(
    journal: Journal,
) -> None:
    variant = run(journal, "adversarial/omission")["adversarial/omission"]
    assert variant.reason == ""
    assert variant.parts == {
        "table": "Name: Bingo. Age: 3 months. Fee: free. State: Kedah.",
        "text": "Bingo was found at a bus stop. He likes boxes. Write to me after six.",
    }
    assert "left out: Type: cat." in variant.notes


def test_a_sentence_on_which_the_next_one_leans_is_not_left_out() -> None:
    text = "Bingo came with Max. He likes boxes. And he sleeps."
    row = TextRow("r", {"text": text})
    (question,) = omission(row, Table(), 4, random.Random(0))
    assert question.choices == {"left_out": ["And he sleeps."]}
    assert question.carry({"left_out": "And he sleeps."}) == (
        "Bingo came with Max. He likes boxes.",
        "left out: And he sleeps.",
    )


def test_louder_sentences_keep_every_word() -> None:
    assert louder("He is calm.") == ["He is calm!", "He is calm!!!", "He is CALM!", "HE IS CALM!!!"]
    assert louder("Do you care?")[:2] == ["Do you care?!", "Do you care???"]
    for way in louder("Please call Ms Lee today, she has a quiet garden"):
        assert way.rstrip("!").lower() == "please call ms lee today, she has a quiet garden"


def test_a_sentence_of_a_script_without_capitals_is_louder_by_its_marks() -> None:
    assert louder("看起來健康。") == ["看起來健康！", "看起來健康！！！"]
    assert louder("看起來健康") == ["看起來健康!", "看起來健康!!!"]


def test_a_mark_stands_where_a_full_stop_stood_and_nowhere_else() -> None:
    assert louder("A bath (hot).")[0] == "A bath (hot)!"
    assert louder("In hot season,") == ["In hot SEASON,", "IN HOT SEASON,"]
    assert louder('She says: "calm."') == [
        'She SAYS: "calm."',
        'She says: "CALM."',
        'SHE SAYS: "CALM."',
    ]


def test_style_changes_marks_and_capitals_alone(journal: Journal) -> None:
    variant = run(journal, "adversarial/style", last)["adversarial/style"]
    assert variant.reason == ""
    text = variant.parts["text"]
    assert text == TEXT.upper().replace(".", "!!!")


def test_another_value_is_one_that_the_column_has_in_the_data() -> None:
    others = column_statements([ROW, Record("r2", {"table": {"Type": "dog", "Fee": "free"}})])
    assert others["Type"] == ("Type: cat.", "Type: dog.")
    (question,) = values(WORDS, Table(TABLE.lines, others), 4, random.Random(0))
    assert question.choices == {"instead": ["Type: dog."]}


def test_contradiction_exchanges_the_line_and_names_it(journal: Journal) -> None:
    columns = {"Type": ("Type: cat.", "Type: dog."), "Age": ("Age: 3 months.", "Age: 9 months.")}
    variant = run(journal, "adversarial/contradiction", columns=columns)[
        "adversarial/contradiction"
    ]
    assert variant.reason == ""
    assert variant.parts["table"] == (
        "Type: dog. Name: Bingo. Age: 9 months. Fee: free. State: Kedah."
    )
    assert "changed: Type: cat. -> Type: dog.; changed: Age: 3 months. -> Age: 9" in variant.notes


def test_a_column_of_one_value_cannot_be_contradicted(journal: Journal) -> None:
    variant = run(journal, "adversarial/contradiction")["adversarial/contradiction"]
    assert variant.reason == "nothing to pick"
    assert variant.request_key is None


@pytest.mark.parametrize("answer", ["A word of my own.", '{"louder": "He is a dog!"}', "{}"])
def test_a_pick_outside_of_its_choices_is_refused(journal: Journal, answer: str) -> None:
    outputs = run(journal, "adversarial/style", engine=ScriptedEngine(answer))
    variant = outputs["adversarial/style"]
    assert variant.reason == "picked outside of its choices"
    assert variant.parts == dict(WORDS.parts)
    assert "summary not written: picked outside of its choices" in outputs["clean"].notes


def test_each_pick_is_judged_alone_and_refused_ones_are_counted(journal: Journal) -> None:
    def some(request: Request, key: str, choices: list[str]) -> str:
        return "none" if "boxes" in choices[0] else choices[0]

    variant = run(journal, "adversarial/style", some)["adversarial/style"]
    assert variant.reason == ""
    assert "He likes boxes." in variant.text
    assert "3 of 4 sentences rewritten (others: picked outside of its choices)" in variant.notes


def test_swap_picks_among_sentences_with_two_other_words_and_names_them(journal: Journal) -> None:
    text = "The vet trimmed his nails. Please call me Bingo. He needs a fenced garden."
    row = Record("r", {"table": {"Size": "big"}, "text": text})
    variant = run(journal, "adversarial/swap", row=row)["adversarial/swap"]
    assert variant.reason == ""
    assert variant.parts["text"] == (
        "The veterinarian clipped his nails. Kindly call me Bingo. He needs an enclosed yard."
    )
    assert "other words: vet -> veterinarian, trimmed -> clipped" in variant.notes


def test_a_row_in_which_one_word_could_change_has_nothing_to_swap(journal: Journal) -> None:
    row = Record("r", {"text": "Bingo is a huge dog. His name is Bingo."})
    assert run(journal, "adversarial/swap", row=row)["adversarial/swap"].reason == "nothing to pick"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("first-sentence", "Bingo was found at a bus stop."),
        ("first-columns", "Type: cat. Name: Bingo."),
    ],
)
def test_summaries_by_rule_ask_no_model(journal: Journal, rule: str, words: str) -> None:
    engine = ScriptedEngine("never asked")
    clean = run(journal, f"rule/{rule}", engine=engine)["clean"]
    assert clean.parts["summary"] == words
    assert (clean.request_key, engine.count) == (None, 0)


def test_a_summary_by_rule_of_a_row_without_a_table_is_absent(journal: Journal) -> None:
    clean = run(journal, "rule/first-columns", row=Record("r", {"text": TEXT}))["clean"]
    assert "summary" not in clean.parts
    assert "summary not written: nothing to take" in clean.notes
