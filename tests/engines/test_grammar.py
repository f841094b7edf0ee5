"""Answers kept to a JSON schema: what may come next, whatever the model would rather write."""

import json
from typing import Any

import pytest
import torch

from tests.support.pick_schema import picking
from tests.support.tiny_models import byte_tokenizer, tiny_tokenizer
from textcentric.engines.grammar import KEPT, Grammars, follow, keep_to
from textcentric.errors import ConfigError, RequestError

pytest.importorskip("llguidance")

END = 0


@pytest.fixture(scope="module")
def grammars() -> Grammars:
    return Grammars(byte_tokenizer(), {END})


def allowed(matcher: Any, size: int = 258) -> str:
    """Return what may come next, of `size` tokens with equal scores; `.` stands for the end."""
    scores = torch.zeros(size)
    keep_to(matcher, scores)
    ids = torch.isfinite(scores).nonzero()[:, 0].tolist()
    return "".join("." if token == END else byte_tokenizer().decode([token]) for token in ids)


def write(matcher: Any, text: str) -> None:
    for token in byte_tokenizer().encode(text):
        assert follow(matcher, token) == ""


def test_only_the_choices_can_be_written_and_then_the_end(grammars: Grammars) -> None:
    matcher = grammars.matcher(picking("cat", "cow", "dog"))
    assert allowed(matcher) == "{"
    write(matcher, '{"pick":"')
    assert allowed(matcher) == "cd"
    write(matcher, "c")
    assert allowed(matcher) == "ao"
    write(matcher, 'ow"}')
    assert allowed(matcher) == "."


def test_a_choice_is_spelled_as_it_stands(grammars: Grammars) -> None:
    choice = 'é “q” \\ "x"'
    matcher = grammars.matcher(picking(choice))
    write(matcher, json.dumps({"pick": choice}, ensure_ascii=False, separators=(",", ":")))
    assert allowed(matcher) == "."


def test_a_list_may_be_a_choice(grammars: Grammars) -> None:
    matcher = grammars.matcher({"enum": [["a", "b"], ["b", "a"]]})
    write(matcher, '["b"')
    assert allowed(matcher) == ","


@pytest.mark.parametrize("size", [100, 258, 300])
def test_the_scores_may_be_fewer_or_more_than_the_tokens(grammars: Grammars, size: int) -> None:
    matcher = grammars.matcher({"type": "integer"})
    assert allowed(matcher, size) == "-0123456789"


def test_the_answers_to_one_schema_do_not_share_their_place(grammars: Grammars) -> None:
    one, other = grammars.matcher(picking("cat")), grammars.matcher(picking("cat"))
    write(one, '{"pick":"c')
    assert (allowed(one), allowed(other)) == ("a", "{")


def test_a_schema_is_compiled_once_and_not_kept_for_ever() -> None:
    grammars = Grammars(byte_tokenizer(), {END})
    for number in (*range(KEPT + 1), KEPT, 0):
        grammars.matcher({"enum": [number]})
    kept = grammars._compiled.cache_info()
    assert (kept.hits, kept.currsize) == (1, KEPT)


def test_what_follows_the_end_is_nobodys_business(grammars: Grammars) -> None:
    matcher = grammars.matcher({"enum": ["a"]})
    write(matcher, '"a"')
    assert follow(matcher, END) == ""
    assert follow(matcher, 7) == ""
    assert allowed(matcher) == "."


def test_a_token_that_does_not_fit_is_told_and_ends_the_answer(grammars: Grammars) -> None:
    matcher = grammars.matcher({"enum": ["a"]})
    assert "could not be kept to its JSON schema" in follow(matcher, 7)
    assert allowed(matcher) == "."


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "array", "uniqueItems": True}, "Unimplemented keys: .*uniqueItems"),
        ({"enum": []}, "Unsatisfiable schema"),
        ({"type": "strin"}, "Invalid type: strin"),
    ],
)
def test_a_schema_that_would_be_kept_to_in_part_is_refused(
    grammars: Grammars, schema: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RequestError, match=reason):
        grammars.matcher(schema)


def test_a_tokenizer_of_whole_words_is_refused() -> None:
    with pytest.raises(RequestError, match="use engine='vllm' or another model") as refused:
        Grammars(tiny_tokenizer("gpt2"), {3})
    assert refused.value.kind == "unsupported"


def test_without_llguidance_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textcentric.machine.is_installed", lambda name: name != "llguidance")
    with pytest.raises(ConfigError, match=r"needs llguidance: pip install .*\[experts\]"):
        Grammars(byte_tokenizer(), {END})
