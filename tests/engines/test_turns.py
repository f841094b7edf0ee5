"""Chat templates of strangers: what they do not know is put otherwise, or said before any row."""

from __future__ import annotations

import pytest

from tests.support.chat_models import CHATML, GEMMA, MISTRAL
from tests.support.tiny_models import byte_tokenizer
from textcentric.engines.protocol import Message
from textcentric.engines.turns import ChatTemplate
from textcentric.errors import EngineError, RequestError

ASKED = (Message("system", "You rewrite."), Message("user", "A lamp."))
OPENED = (*ASKED, Message("assistant", "A"))


def template(source: str, told: list[str] | None = None) -> ChatTemplate:
    return ChatTemplate(byte_tokenizer(source), "lm", (told if told is not None else []).append)


def test_a_template_that_refuses_the_system_gets_its_text_before_the_users() -> None:
    told: list[str] = []
    chat = template(GEMMA.template, told)
    assert chat.render(ASKED) == (
        "<bos><start_of_turn>user\nYou rewrite.\n\nA lamp.<end_of_turn>\n<start_of_turn>model\n"
    )
    assert chat.render(OPENED).endswith("A lamp.<end_of_turn>\n<start_of_turn>model\nA")
    assert [line.split(":")[0] for line in told] == ["the chat template of lm knows no system role"]


def test_a_template_that_wants_turns_to_alternate_gets_one_turn() -> None:
    assert template(MISTRAL.template).render(ASKED) == "<s>[INST] You rewrite.\n\nA lamp. [/INST]"


def test_a_template_that_drops_the_system_without_a_word_gets_its_text_too() -> None:
    silent = "{% for m in messages if m.role != 'system' %}{{ m.content }}|{% endfor %}"
    assert template(silent).render(ASKED) == "You rewrite.\n\nA lamp.|"


def test_a_template_that_knows_the_system_is_taken_as_it_stands() -> None:
    told: list[str] = []
    assert template(CHATML.template, told).render(ASKED).startswith("<|im_start|>system\nYou rew")
    assert told == []


@pytest.mark.parametrize(
    "closing",
    [
        "{{ 'user' if m.role == 'user' else raise_exception('the last turn is the model’s') }}",
        "{% if m.role == 'assistant' %}{{ m.content | reverse }}{% endif %}",
        "{# nothing #}",
    ],
)
def test_a_beginning_that_a_template_does_not_leave_open_stands_behind_it(closing: str) -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}\n{% else %}"
        f"{closing}{{% endif %}}{{% endfor %}}{{% if add_generation_prompt %}}model:{{% endif %}}"
    )
    assert template(source).render(OPENED) == "You rewrite.\n\nA lamp.\nmodel:A"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ raise_exception('no tools were given') }}", "TemplateError: no tools were given"),
        ("{{ tools[0].name }}", "'None' has no attribute|None has no element"),
        ("{{ today.year }}", "UndefinedError: 'today' is undefined"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{% for %}", "TemplateSyntaxError"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        ("{{ messages.__class__() }}", "SecurityError"),
        ("{% for i in range(1000000) %}x{% endfor %}", "OverflowError: Range too big"),
        ("{{ 'x' * 3000000 }}", "it wrote 3,000,000 characters"),
        ("Say something.", "leaves out the system"),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_what_it_says(source: str, said: str) -> None:
    with pytest.raises(EngineError, match=said) as raised:
        template(source).render(ASKED)
    assert str(raised.value).startswith("the chat template of 'lm' cannot be used: given the turns")
    assert raised.value.model == "lm"


def test_a_template_that_refuses_what_one_row_says_fails_that_row() -> None:
    picky = (
        "{% for m in messages %}{% if 'lamp' in m.content %}{{ raise_exception('no lamps') }}"
        "{% endif %}{{ m.content }}{% endfor %}"
    )
    chat = template(picky)
    assert chat.render((Message("user", "A kettle."),)) == "A kettle."
    with pytest.raises(RequestError, match=r"the row \(TemplateError: no lamps\)") as raised:
        chat.render((Message("user", "A lamp."),))
    assert raised.value.kind == "template"
