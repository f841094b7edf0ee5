"""How scripts write words: counted, joined and opened where no blank says where one ends."""

from __future__ import annotations

import pytest

from textcentric.writing import count_words, gap, joined, opening, parted, unspaced

CHINESE = "这盏台灯很旧，但是晚上非常好看。"
JAPANESE = "古いランプですが、とてもきれいに光ります。"
THAI = "โคมไฟเก่าแต่ส่องสว่างสวยงาม"
KHMER, BURMESE, LAO = "ចង្កៀងនេះចាស់ណាស់។", "ဒီမီးအိမ်ကဟောင်းပါတယ်။", "ໂຄມໄຟນີ້ເກົ່າແລ້ວ"


@pytest.mark.parametrize("text", [CHINESE, JAPANESE, THAI, KHMER, BURMESE, LAO])
def test_a_sentence_without_blanks_has_several_words(text: str) -> None:
    assert unspaced(text)
    assert 4 <= count_words(text) <= 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("A calm dog , sold", 5),
        ("Тихая кошка", 2),
        ("यह दीपक पुराना है।", 4),
        ("오래된 램프입니다", 2),
        ("灯", 1),
        ("3 灯 for 20 €", 4),
        ("，。", 1),
    ],
)
def test_other_texts_are_counted_by_their_blanks(text: str, words: int) -> None:
    assert count_words(text) == words


def test_a_text_says_more_words_the_longer_it_is() -> None:
    assert count_words(CHINESE * 10) == pytest.approx(10 * count_words(CHINESE), rel=0.1)


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["A dog.", "It barks."], "A dog. It barks."),
        (["灯很旧。", "它很好看。"], "灯很旧。它很好看。"),
        (["他说：“好。”", "灯很旧。"], "他说：“好。”灯很旧。"),
        (["โคมไฟเก่า", "ราคาถูก"], "โคมไฟเก่า ราคาถูก"),
        (["灯很旧。", "A lamp."], "灯很旧。 A lamp."),
        ([], ""),
    ],
)
def test_sentences_are_joined_as_their_script_does(texts: list[str], whole: str) -> None:
    assert joined(texts) == whole


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("A calm", "dog", " "),
        ("A calm ", "dog", ""),
        ("这盏", "台灯", ""),
        ("โคมไฟ", "เก่า", ""),
        ("", "dog", ""),
        ("A calm", "", ""),
        ("LED", "灯", " "),
    ],
)
def test_an_answer_goes_on_behind_its_beginning(before: str, after: str, between: str) -> None:
    assert gap(before, after) == between


def test_a_beginning_is_a_few_words_of_any_script() -> None:
    assert opening("A calm dog barks.", 2) == "A calm"
    assert opening(CHINESE, 3) == "这盏台灯很"
    assert opening(THAI, 2) == "โคมไฟเก่"  # no tone is torn from its letter
    assert opening("灯", 5) == "灯"
    assert len(opening("灯" + "x" * 100_000, 3)) == 60


def test_a_run_of_letters_falls_into_pieces_and_a_name_stays_whole() -> None:
    assert parted("绿色的灯罩").split() == ["绿", "色", "的", "灯", "罩"]
    assert parted("きれいな灯").split() == ["きれ", "れい", "いな", "灯"]
    assert parted("Mr 王小明 came") == "Mr 王小明 came"
