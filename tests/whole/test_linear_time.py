"""Time grows with the length of what rows and models write, not with its square."""

from __future__ import annotations

import pytest

from tests.support.long_texts import KINDS, growth, texts
from tests.support.own_prompt import prompt_from
from tests.support.text_readers import readers
from textcentric.prompts.prompt import Prompt

FRONT = "stage: adversarial\nfacts: same\neach: sentence\nreads: [row, sentence]"
BODY = "{% block user %}{{ row }} {{ sentence }}{% endblock %}\n"
NAMES = sorted(readers(Prompt.__new__(Prompt)))


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    return prompt_from(tmp_path_factory.mktemp("prompts"), FRONT, BODY)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_kind_of_text_takes_time_by_the_square_of_its_length(name: str, prompt: Prompt) -> None:
    read = readers(prompt)[name]
    ways = (way for kind in KINDS for way in texts(kind))
    slow = [f"{kind}: {said}" for kind, make in ways if (said := growth(read, make))]
    assert not slow, f"{name} reads these too slowly: {slow}"


def test_the_finder_knows_a_square_from_a_line() -> None:
    """A loop over all that was read before takes four times as long for twice the length."""

    def square(text: str) -> None:
        for at in range(0, len(text), 50):
            sum(map(ord, text[:at]))

    def line(text: str) -> None:
        sum(map(ord, text * 20))

    assert growth(square, KINDS["one letter"])
    assert not growth(line, KINDS["one letter"])
