"""Values taken apart and put together again: words, statements, sights, labels."""

from collections.abc import Callable
from typing import Any

import pytest

from textcentric.corruption.pieces import sift_labels, sift_sights, sift_statements, sift_words
from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.experts.labels import LabelsExpert
from textcentric.experts.table import TableExpert

TEXT = "She is calm.\nCall\tme soon!\n\nThank you"
PHOTOS = (
    PhotoLabels("1.jpg", (("cat", 0.99), ("eye", 0.8)), (("808080", 0.6), ("d01818", 0.2))),
    PhotoLabels("2.jpg", (("cat", 0.97), ("paw", 0.7)), (("606060", 0.5),)),
)
SIGHTS = (
    "2 photos. Seen: clearly a St. Bernard (0.99), eye (0.80). A dog sits."
    " Colours: mainly grey, then brown and white. Light: dark (1); normal (1)."
)


def keep_these(*answers: int) -> Callable[[], bool]:
    return iter([bool(answer) for answer in answers]).__next__


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        ("11111111", "She is calm.\nCall me soon!\n\nThank you"),
        ("10100111", "She calm.\nsoon!\n\nThank you"),
        ("11100011", "She is calm.\n\nThank you"),
        ("00011100", "Call me soon!"),
        ("00000000", ""),
    ],
)
def test_lines_and_paragraphs_stay_and_emptied_lines_go(keep: str, left: str) -> None:
    assert sift_words(TEXT, keep_these(*map(int, keep))) == left


def test_a_sign_of_chinese_or_japanese_is_a_word() -> None:
    assert sift_words("你好。小狗 dog", keep_these(1, 0, 1, 1, 0)) == "你 小狗"
    assert sift_words("ねこ cat", keep_these(0, 1, 1)) == "こ cat"
    assert sift_words("ab中cd", keep_these(1, 0, 1)) == "ab cd"


def image_left(*answers: int) -> tuple[PhotoLabels, ...]:
    return sift_labels(PHOTOS, keep_these(*answers))


def test_a_label_goes_from_all_photos_at_once_and_colours_go_by_name() -> None:
    # cat, eye, paw; grey (of both photos), red
    left = image_left(0, 1, 1, 0, 1)
    assert [photo.labels for photo in left] == [(("eye", 0.8),), (("paw", 0.7),)]
    assert [photo.colors for photo in left] == [(("d01818", 0.2),), ()]
    assert left[0].photo == "1.jpg"


def test_an_emptied_photo_still_counts_and_none_left_is_no_image() -> None:
    left = image_left(0, 1, 0, 0, 0)
    assert LabelsExpert(guesses=True).describe([left])[0].text == "2 photos. Seen: eye (0.80)."
    assert image_left(0, 0, 0, 0, 0) == ()


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        ("111111111", SIGHTS),
        (
            "011010111",
            "2 photos. Seen: eye (0.80). A sits. Colours: brown, then white."
            " Light: dark (1); normal (1).",
        ),
        ("100001000", "2 photos. Seen: clearly a St. Bernard (0.99). Colours: mainly grey."),
        ("000000001", "2 photos. Light: dark (1); normal (1)."),
        ("000000000", ""),
    ],
)
def test_listed_words_of_an_image_go_one_by_one_and_the_count_goes_last(
    keep: str, left: str
) -> None:
    assert sift_sights(SIGHTS, keep_these(*map(int, keep))) == left


def test_what_the_labels_expert_writes_is_taken_apart_wholly() -> None:
    told = LabelsExpert(guesses=True).describe([PHOTOS])[0].text
    asked = []
    assert sift_sights(told, lambda: not asked.append(1)) == told  # type: ignore[func-returns-value]
    assert len(asked) == 5  # cat, eye, paw; grey, red


@pytest.mark.parametrize(
    "cells",
    [
        {"Type": "cat", "Age": "3 months", "Fee": 12.5},
        {"Breed": "St. Bernard mix", "Note": "Wow! Really.", "Ends": "so …"},
        {"Hours": "Open: Mon. and Tue.", "größe": "mittel", "品种": "混种"},
        {"a_long_name": "x", "Fee": None, "Videos": True},
    ],
)
def test_statements_of_the_table_expert_are_found_whole(cells: dict[str, Any]) -> None:
    told = TableExpert().describe([cells])[0].text
    values = [cell for cell in cells.values() if cell is not None]
    for i in range(len(values)):
        stays = [place == i for place in range(len(values))]
        alone = {label: cell for label, cell in cells.items() if cell is values[i]}
        assert sift_statements(told, keep_these(*stays)) == TableExpert().describe([alone])[0].text


def test_a_table_told_in_prose_loses_words() -> None:
    assert (
        sift_statements("The cat is calm. Age: 3.", keep_these(1, 0, 1, 0, 1)) == "The is Age: 3."
    )
