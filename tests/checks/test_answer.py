"""Whether an answer answers at all, in scripts that write no blanks between words."""

from __future__ import annotations

import pytest

from textcentric.checks.answer import SENTENCE_END, answer_fault, goes_in_circles, pick_fault
from textcentric.checks.edit import Edit
from textcentric.checks.words import written_words
from textcentric.prompts.prompt import Checks

SOURCE = "这盏台灯很旧，但是晚上非常好看。"
REWORDED = "这台灯虽然旧了，夜里却特别漂亮。"
LONG = f"{REWORDED}灯罩是绿色的，底座用黄铜做成，开关去年刚刚换过。"
ANY = Checks()


@pytest.mark.parametrize(
    ("variant", "checks", "fault"),
    [
        (REWORDED, ANY, ""),
        (SOURCE, ANY, "unchanged"),
        ("", ANY, "empty"),
        ("旧灯。", Checks(length=(0.5, 1.5)), "too short"),
        (LONG, Checks(length=(0.5, 1.5)), "too long"),
        (REWORDED, Checks(length=(0.5, 1.5)), ""),
        (REWORDED, Checks(words=(4, 12)), ""),
        (LONG, Checks(words=(4, 12)), "too long"),
        ("这盏台灯很旧，但晚上非常好看。", Checks(new_words=(0.3, 1.0)), "copied"),
        ("昨天下了一场很大的雨。", Checks(new_words=(0.1, 0.8)), "foreign words"),
        (REWORDED, Checks(new_words=(0.1, 0.9)), ""),
        ("台灯非常好看。台灯非常好看。台灯非常好看。台灯非常好看。", ANY, "loop"),
    ],
)
def test_an_answer_without_blanks_is_judged_by_its_letters(
    variant: str, checks: Checks, fault: str
) -> None:
    assert answer_fault(Edit(SOURCE, variant, row=SOURCE), checks) == fault


def test_a_pick_without_blanks_has_its_size() -> None:
    edit = Edit(SOURCE, SOURCE * 3)
    assert pick_fault(edit, Checks(length=(0.5, 1.5))) == "too long"


def test_an_answer_that_goes_no_further_than_its_beginning_is_empty() -> None:
    edit = Edit(SOURCE, "这盏台灯很", row=SOURCE, begin="这盏台灯很")
    assert answer_fault(edit, ANY) == "empty"


def test_a_prompt_in_chinese_is_not_to_be_repeated() -> None:
    asked = "请用不同的词语改写下面的句子：{{ sentence }}"
    echo = Edit(SOURCE, "请用不同的词语改写下面的句子，灯很旧。", row=SOURCE)
    assert answer_fault(echo, ANY, [asked]) == "instruction echoed"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("灯很旧。它好看！真的？", 3),
        ("他说：“好。”走了。", 2),
        ("A dog. A cat! 3.5 days", 2),
        ("यह पुराना है। सुंदर है।", 2),
    ],
)
def test_sentences_end_with_and_without_a_blank(text: str, ends: int) -> None:
    assert len(SENTENCE_END.findall(text)) == ends


def test_words_keep_the_vowels_that_stand_on_their_letters() -> None:
    assert written_words("यह दीपक, पुराना है।") == ("यह", "दीपक", "पुराना", "है")
    assert written_words("เก่าแต่ดี") == tuple(map("".join, zip("เก่าแต่ด", "ก่าแต่ดี", strict=True)))


def test_a_text_of_three_equal_sentences_goes_in_circles() -> None:
    assert goes_in_circles("灯很旧。它好看。灯很旧。它好看。灯很旧。")
    assert not goes_in_circles(SOURCE + REWORDED)
