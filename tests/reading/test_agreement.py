"""Agreement: kappa, who decides what is true, and what enters no figure."""

from __future__ import annotations

import pytest

from textcentric.reading.agreement import figures, is_true, kappa, truths
from textcentric.reading.answers import Answer
from textcentric.reading.groups import Group
from textcentric.reading.items import Item
from textcentric.reading.sheet import Sheet

PARTS = {"text": "A calm dog."}


def sheet_of(*kinds: str) -> Sheet:
    group = Group("p", "9b", "fewer", "tiny", "4f1c", "c0", 0.7)
    items = [
        Item(
            f"{n:03d}", kind, "" if kind == "decoy" else "p", f"o{n}", "r", PARTS, PARTS, "fewer",
            expected="changed" if kind == "decoy" else "", of="001" if kind == "repeat" else "",
        )
        for n, kind in enumerate(kinds, 1)
    ]  # fmt: skip
    return Sheet("1f3a", 0, {"p": group}, {}, items)


def said(sheet: Sheet, reader: str, words: str) -> list[Answer]:
    full = {"s": "same", "l": "less", "c": "changed", "g": "garbled"}
    return [
        Answer(sheet.digest, f"{n:03d}", reader, full[word])
        for n, word in enumerate(words, 1)
        if word != "-"
    ]


def test_kappa_is_cohens() -> None:
    # Agreement 0.7, by chance 0.5 (Cohen 1960): half the distance to perfect is 0.4.
    ones, others = list("ssssscCccc".lower()), list("sssscccccs")
    assert kappa(list("ssssssssss"), list("ssssssssss")) is None
    assert kappa(ones, others) == pytest.approx(0.6)
    assert kappa([], []) is None


@pytest.mark.parametrize(
    ("words", "true"),
    [
        (["same"], True),
        (["changed"], False),
        (["same", "less"], True),
        (["same", "changed"], False),
        (["same", "same", "changed"], True),
        (["same", "changed", "garbled"], False),
        (["same", "same", "changed", "changed"], False),
    ],
)
def test_one_decides_alone_two_must_both_and_of_three_most_must(
    words: list[str], true: bool
) -> None:
    assert is_true(words, ("same", "less")) is true


def test_decoys_and_repeats_enter_no_figure_but_are_the_readers_own() -> None:
    sheet = sheet_of("accepted", "accepted", "refused", "decoy", "repeat")
    found = figures(sheet, said(sheet, "anna", "slccl"))
    (reading,) = found.readings
    assert (reading.read, reading.true) == (2, 2)
    assert (reading.refused_read, reading.refused_true) == (1, 0)
    assert (reading.readers, reading.who, reading.sheet) == (1, ("a person",), sheet.digest)
    (reader,) = found.readers
    assert reader.words() == (
        "anna (a person): 3 read; decoys 1 of 1 right; repeats 0 of 1 the same word"
    )
    assert found.words == {"p": {"same": 1, "less": 1, "changed": 1, "garbled": 0}}


def test_two_readers_agree_more_on_truth_than_on_words() -> None:
    sheet = sheet_of("accepted", "accepted", "accepted", "refused")
    answers = [*said(sheet, "anna", "slcg"), *said(sheet, "bob", "lscc")]
    found = figures(sheet, answers)
    assert found.kappa_true == pytest.approx(1.0)
    assert found.kappa_words == pytest.approx((0.25 - 0.25) / 0.75)
    assert truths(sheet, answers) == {"001": True, "002": True, "003": False, "004": False}


def test_pairs_that_one_of_two_has_read_are_counted() -> None:
    sheet = sheet_of("accepted", "accepted", "accepted")
    found = figures(sheet, [*said(sheet, "anna", "sss"), *said(sheet, "bob", "s--")])
    assert found.alone == 2
    assert found.readings[0].readers == 1


def test_nothing_read_is_nothing_said() -> None:
    assert figures(sheet_of("accepted"), []).readings == ()
