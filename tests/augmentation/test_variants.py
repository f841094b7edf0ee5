"""Variants: what a prompt aims at, what the model's words replace, and what stays as it was."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_run import write_prompts
from textcentric.augmentation.curation import check_words
from textcentric.augmentation.variants import Target, aim, assemble, draft_pieces
from textcentric.engines.protocol import Response
from textcentric.errors import PromptError
from textcentric.prompts.prompt import Prompt, read_prompt
from textcentric.rows import TextRow

ROW = TextRow(
    "r1",
    {
        "table": "Age: 3 months.",
        "text": "A calm dog lives here. It likes people very much. Please call us this week."
        "\nAsk for the calm dog.",
        "image": "A brown picture.",
    },
)


def prompt(folder: Path, **front: Any) -> Prompt:
    lines = "\n".join(f"{key}: {value}" for key, value in {"stage": "adversarial", **front}.items())
    write_prompts(folder, {"own/one": f"{lines}\n---\n{{% block user %}}x{{% endblock %}}"})
    return read_prompt(folder / "own" / "one.jinja")


def written(target: Target, one: Prompt, *texts: str, rejected: bool = False) -> TextRow:
    draft = draft_pieces(one, target, [("", Response(text)) for text in texts])
    check_words(draft)
    return assemble(ROW, target, draft, rejected=rejected)


def test_a_prompt_that_writes_the_whole_row_leaves_one_part(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="row")
    target = aim(one, ROW, random.Random(0))
    assert [unit.source for unit in target.units] == [ROW.text()]
    assert written(target, one, "Some other listing.").parts == {"text": "Some other listing."}


def test_the_other_parts_stay_as_they_are(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text")
    variant = written(aim(one, ROW, random.Random(0)), one, "A clam dgo.")
    assert variant.parts == {**ROW.parts, "text": "A clam dgo."}
    assert list(variant.parts) == ["table", "text", "image"]


def test_a_new_part_goes_last(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="distractor")
    variant = written(aim(one, ROW, random.Random(0)), one, "It rained in Lisbon.")
    assert list(variant.parts) == ["table", "text", "image", "distractor"]


def test_a_part_that_the_row_lacks_gives_way_to_its_longest(tmp_path: Path) -> None:
    target = aim(prompt(tmp_path, writes="audio"), ROW, random.Random(0))
    assert target.part == "text"


def test_sentences_are_drawn_by_seed_and_the_others_stay(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text", each="sentence", take=2, reads="[row, sentence]")
    target = aim(one, ROW, random.Random(3))
    assert aim(one, ROW, random.Random(3)) == target
    draws = {tuple(u.source for u in aim(one, ROW, random.Random(n)).units) for n in range(40)}
    assert len(draws) == 6  # pairs of four sentences
    variant = written(target, one, "Frist one.", "Secnod one.")
    sentences = ROW.parts["text"].replace("\n", " ").replace(". ", ".|").split("|")
    kept = [sentence for sentence in sentences if sentence in variant.parts["text"]]
    assert len(kept) == 2
    assert variant.parts["text"].count("\n") == 1
    assert variant.parts["text"].index("Frist one.") < variant.parts["text"].index("Secnod one.")


def test_a_sentence_whose_rewriting_was_dropped_stays_as_it_is(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text", each="sentence", reads="[row, sentence]")
    target = aim(one, ROW, random.Random(0))
    texts = ["A clam dgo lives here.", "I cannot help with that.", "", "Aks for the dog."]
    variant = written(target, one, *texts)
    assert variant.parts["text"] == (
        "A clam dgo lives here. It likes people very much. Please call us this week."
        "\nAks for the dog."
    )


def test_a_rejected_variant_shows_everything_that_was_written(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text", each="sentence", reads="[row, sentence]")
    target = aim(one, ROW, random.Random(0))
    texts = ["I cannot help with that.", "", "I cannot do that.", "Sure, here it is."]
    variant = written(target, one, *texts, rejected=True)
    assert variant.parts["text"] == (
        "I cannot help with that. It likes people very much. I cannot do that.\nSure, here it is."
    )


def test_sentences_of_the_whole_row_are_put_back_into_the_whole_row(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="row", each="sentence", reads="[row, sentence]", take=1)
    target = aim(one, ROW, random.Random(1))
    variant = written(target, one, "Someting else.")
    source = target.units[0].source
    assert variant.parts == {"text": ROW.text().replace(source, "Someting else.")}


def test_sentences_for_a_part_of_its_own_are_those_of_the_row(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="aside", each="sentence", reads="[row, sentence]", take=1)
    target = aim(one, ROW, random.Random(1))
    variant = written(target, one, "Someting else.")
    assert variant.parts["aside"].count("Someting else.") == 1


def test_a_row_without_a_usable_sentence_says_so(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text", each="sentence", reads="[row, sentence]")
    row = TextRow("r", {"text": "???"})
    target = aim(one, row, random.Random(0))
    assert (list(target.units), target.reason) == ([], "no sentence")


def test_a_contradiction_picks_a_modality_that_is_no_free_text(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="modality", reads="[rest, modality]")
    parts = {aim(one, ROW, random.Random(n)).part for n in range(40)}
    assert parts == {"table", "image"}


def test_the_drawn_modality_is_noted_and_its_rest_is_what_remains(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="row", reads="[rest, modality]")
    target = aim(one, ROW, random.Random(0), modality="text")
    assert target.variables["rest"] == "Age: 3 months.\n\nA brown picture."
    assert target.notes == ("modality: text",)


def test_a_row_with_one_modality_has_no_rest(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="row", reads="[rest]")
    target = aim(one, TextRow("r", {"text": "A dog."}), random.Random(0))
    assert (list(target.units), target.reason) == ([], "only one modality")


def test_an_answer_goes_on_from_the_words_it_was_begun_with(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text")
    target = aim(one, ROW, random.Random(0))
    said = [("A calm dog", Response("barks."))]
    assert draft_pieces(one, target, said).pieces[0].text == "A calm dog barks."
    said = [("A calm dog", Response(" barks."))]
    assert draft_pieces(one, target, said).pieces[0].text == "A calm dog barks."


def test_a_template_may_not_write_the_beginning_itself(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text")
    target = aim(one, ROW, random.Random(0))
    with pytest.raises(PromptError, match="may only repeat the first words"):
        draft_pieces(one, target, [("A wild dog", Response("barks."))])


def passage(folder: Path, row: TextRow, take: int | None = None) -> Target:
    front = {"writes": "text", "each": "passage", "reads": "[row, sentences]"}
    one = prompt(folder, **(front | ({"take": take} if take else {})))
    return aim(one, row, random.Random(0))


def test_a_passage_is_neighbouring_sentences_and_every_order_that_keeps_none(
    tmp_path: Path,
) -> None:
    (unit,) = passage(tmp_path, ROW, take=3).units
    assert unit.source in ROW.parts["text"]
    sentences = unit.variables["sentences"]
    assert len(sentences) == 3
    assert unit.variables["orders"] == [
        [sentences[1], sentences[2], sentences[0]],
        [sentences[2], sentences[0], sentences[1]],
    ]


@pytest.mark.parametrize("take", [None, 30])
def test_a_passage_of_many_sentences_has_not_millions_of_orders(
    tmp_path: Path, take: int | None
) -> None:
    row = TextRow("r", {"text": " ".join(f"Sentence number {n} is here." for n in range(60))})
    (unit,) = passage(tmp_path, row, take).units
    assert len(unit.variables["orders"]) == 44  # of five sentences, none in its place


def test_a_piece_keeps_how_likely_it_was(tmp_path: Path) -> None:
    one = prompt(tmp_path, writes="text")
    target = aim(one, ROW, random.Random(0))
    said = [("", Response("A cat.", logprob=-1.5))]
    assert [piece.logprob for piece in draft_pieces(one, target, said).pieces] == [-1.5]
