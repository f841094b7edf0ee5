"""The text expert: the row's own words, cleaned, with their language noted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from textcentric.data.media.digests import digest_value
from textcentric.experts.clean import clean_text
from textcentric.experts.protocol import Description

# Scripts that one language (in the sense of this guess) owns, by the names Unicode gives letters.
_SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru",
    "ARABIC": "ar", "HEBREW": "he", "THAI": "th", "DEVANAGARI": "hi", "TAMIL": "ta",
    "BENGALI": "bn", "GREEK": "el", "LATIN": "latin",
}  # fmt: skip
_DENSE = {"zh": 3, "ja": 2}  # a sign says as much as so many letters
_WORDS = {
    "en": "the and is are was for with you your this that have has they she her his not our to of"
    " in it be my we will can very please from him he a i at on but if who",
    "ms": "yang dan di untuk ini itu dengan saya tidak nak ada dia kepada boleh anak kucing sangat"
    " ke dari pada telah akan atau sudah lagi juga sebab mereka kami awak sy yg utk dgn tak jika",
    "de": "der die das und ist ein eine nicht mit für auf sich dem den von zu ich sie er es wir im"
    " auch sind bei hat wird oder aber sehr",
    "fr": "le la les et est un une des du pas pour avec dans qui que sur je il elle nous vous ce"
    " au sont plus très mais ou son sa",
    "es": "el la los las y es un una de del no para con en que su se por muy como pero más está al"
    " lo mi son",
    "it": "il lo la gli e è un una di del della non per con che si sono molto come ma più in nel"
    " anche questo",
    "pt": "o a os as e é um uma de do da não para com em que se por muito como mas mais está no na"
    " ao seu são",
    "nl": "de het een en is van niet met voor op zijn dat ik ze hij wij ook maar heeft naar te"
    " deze bij heel",
    "pl": "i w na z do jest nie się że to jak ale dla ma po od bardzo oraz przez są",
    "tr": "ve bir bu için çok ile de da ne var yok ama olarak gibi daha kadar değil",
    "vi": "và là của có không cho một các được với này trong những người rất",
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_WORD, _PLAIN_WORD = re.compile(r"[^\W\d_]+"), re.compile("[a-z]+")
_ENOUGH_LETTERS = 6
_ENOUGH = re.compile(rf"(?:[^A-Za-z]*+[A-Za-z]){{{_ENOUGH_LETTERS}}}")
_LOOK_AT = 4000  # characters: more do not change the answer
MOST_CHARACTERS = 250_000  # of a text that are read: more than any model takes


class TextExpert:
    """Clean texts and note their language as `language=en` where it can be told.

    >>> TextExpert().describe(["<p>She is calm and very friendly.</p>"])[0].notes
    ('language=en',)
    """

    modality = "text"
    name = "text"
    version = "1"

    def describe(self, values: Sequence[str]) -> list[Description]:
        """Return one description a text."""
        return [_describe(text) for text in values]

    def digest(self, value: str) -> str:
        """Return a digest of the raw text."""
        return digest_value(value)


def _describe(text: str) -> Description:
    words = clean_text(text[:MOST_CHARACTERS])
    if not words:
        return Description("", notes=("the text is empty",))
    language = guess_language(words)
    notes = [f"language={language}"] if language else []
    if len(text) > MOST_CHARACTERS:
        notes.append(f"text cut: {MOST_CHARACTERS:,} of {len(text):,} characters are read")
    return Description(words, notes=tuple(notes))


def guess_language(text: str) -> str | None:
    """Return an ISO 639-1 code, or None where the text is too short or undecided.

    >>> guess_language("The cat is calm and she likes you."), guess_language("Kiki!")
    ('en', None)
    """
    text = text[:_LOOK_AT]
    if text.isascii():
        return _by_stop_words(text) if _ENOUGH.match(text) else None
    scripts = _count_scripts(text)
    if sum(scripts.values()) < _ENOUGH_LETTERS:
        return None
    top = scripts.most_common(1)[0][0]
    if top == "latin":
        return _by_stop_words(text)
    if top == "zh" and scripts["ja"] > scripts["zh"] // 10:
        return "ja"
    if top == "ru" and re.search("[іїєґ]", text, re.IGNORECASE):
        return "uk"
    return top


def _count_scripts(text: str) -> Counter[str]:
    """Count letters by script, each weighed by how much it says."""
    counts: Counter[str] = Counter()
    for letter, times in Counter(filter(str.isalpha, text)).items():
        language = _SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0].split("-")[0])
        if language:
            counts[language] += times * _DENSE.get(language, 1)
    return counts


def _by_stop_words(text: str) -> str | None:
    """Take the language with the most stop words, if it leads clearly."""
    words = Counter((_PLAIN_WORD if text.isascii() else _WORD).findall(text.lower()))
    total = sum(words.values())
    hits = {
        name: sum(words[word] for word in words.keys() & known)
        for name, known in _STOP_WORDS.items()
    }
    (first, most), (_, next_most) = Counter(hits).most_common(2)
    if most < 2 or most < 0.08 * total or most < 1.2 * next_most:
        return None
    return first
