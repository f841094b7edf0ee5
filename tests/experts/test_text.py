"""The text expert: cleaning and the guess at the language."""

import pytest

from textcentric.experts.clean import clean_line, clean_text
from textcentric.experts.text import TextExpert, guess_language


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\x00b\x07c\x1b[0m", "abc[0m"),
        ("zero\u200bwidth\ufeff and\u00ad soft", "zerowidth and soft"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("  wide \t\u00a0 space  \n\n\n\n end ", "wide space\n\nend"),
        ("<p>Hi <b>there</b></p>bye<br/>now", "Hi there\nbye\nnow"),
        ("Tom &amp; Jerry &lt;b&gt; &#128049; &#x41;", "Tom & Jerry <b> 🐱 A"),
        ("R&D, AT&T; a < b > c, <3", "R&D, AT&T; a < b > c, <3"),
        ("evil\u202eorder\u2066x\u2069", "evilorderx"),
        ("lone \ud83d surrogate", "lone surrogate"),
    ],
)
def test_dirt_is_removed_and_words_stay(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👧 and 🏳️‍🌈 ❤️",
        "قطة صغيرة وجميلة",
        "חתול קטן וחמוד",
        "می‌خواهم",
        "我家小猫",
        "{{ row }} {% raw %} ${x}",
    ],
)
def test_emoji_right_to_left_text_and_templates_are_kept(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    "active", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<iframe src='x'>"]
)
def test_active_markup_stays_visible_as_text(active: str) -> None:
    assert clean_text(f"cat {active}") == f"cat {active}"


def test_entities_are_decoded_once() -> None:
    assert clean_text("&amp;lt;b&amp;gt;") == "&lt;b&gt;"


def test_cleaning_twice_changes_nothing_for_plain_text() -> None:
    once = clean_text("Two <i>kittens</i>\n\nand a&nbsp;dog\x00")
    assert clean_text(once) == once


def test_a_line_is_cut_inside_a_word_only_if_it_must() -> None:
    assert clean_line("x" * 50, longest=10) == "xxxxxxxxx …"
    assert clean_line("short\nline") == "short line"


@pytest.mark.parametrize("hostile", ["<" * 100_000, "<b " * 50_000, "&#" * 50_000])
def test_what_begins_like_markup_and_never_ends_stays_as_it_is(hostile: str) -> None:
    assert clean_text(hostile) == hostile.strip()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("She is a very friendly dog and loves to play with you.", "en"),
        ("Anak kucing ini sangat manja dan tidak takut dengan orang, boleh datang ambil.", "ms"),
        ("Diese Katze ist sehr ruhig und sucht ein neues Zuhause mit Garten.", "de"),
        ("Ce petit chat est très calme et il cherche une maison avec un jardin.", "fr"),
        ("Es un perro muy tranquilo y busca una casa con jardín para los niños.", "es"),
        ("Продам диван, почти новый, самовывоз", "ru"),
        ("Продаю диван, майже новий, є доставка", "uk"),
        ("小猫很可爱，希望有人领养", "zh"),
        ("この子猫はとても元気です", "ja"),
        ("قطة صغيرة وجميلة جدا", "ar"),
        ("Kiki!", None),
        ("0123 456-789", None),
        ("Toyota Corolla 1998", None),
        ("", None),
    ],
)
def test_the_language_is_told_or_left_open(text: str, language: str | None) -> None:
    assert guess_language(text) == language


def test_the_language_becomes_a_note() -> None:
    told = TextExpert().describe(["Мягкий диван в отличном состоянии", "Kiki!", "\x00"])
    assert [one.notes for one in told] == [("language=ru",), (), ("the text is empty",)]
    assert told[2].text == ""


def test_the_digest_is_that_of_the_raw_text() -> None:
    digest = TextExpert().digest
    assert digest("a") == digest("a") != digest("a ")
    assert len(digest("\ud83d")) == 32
