"""Lists and objects that are printed in a cell; what no parser reads is text."""

import pytest

from textcentric.data.inspection.kinds import shape_of
from textcentric.data.pairs.notation import as_list, parsed
from textcentric.data.printed import DEEPEST, LONGEST, printed, too_many, too_nested
from textcentric.data.readings import are_several, items
from textcentric.data.schema import Column

ODD = [
    "{[]: 1}",
    "[{}: 1]",
    "{1, [2]}",
    "{{}}",
    "['a', {'b': {[]: 1}}]",
    "[" * 100_000,
    "[" * 5000 + "]" * 5000,
    "[" + "-" * 200_000 + "1]",
    "[1" + "+1" * 50_000 + "]",
    "[a" + ".b" * 50_000 + "]",
    "[" + "1" * 5000 + "]",
    "['\ud800']",
    "['\0']",
    "[f'{1}']",
    "[" + "(" * 300 + ")" * 300 + "]",
]


@pytest.mark.parametrize("text", ODD)
def test_what_no_parser_reads_is_the_text_that_it_is(text: str) -> None:
    assert printed(text) is None
    assert items(text, Column(reads="list")) == [text.strip()]
    assert parsed(text) is text
    assert as_list(text) == [text]
    assert not are_several(text)
    assert shape_of(text) in ("text", "words")


def test_lists_may_be_nested_as_deep_as_people_nest_them() -> None:
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert not too_nested(deep)
    assert printed(deep) is not None
    assert too_nested(f"[{deep}]")
    assert not too_nested('["' + "[" * 500 + '"]')
    assert too_nested('["\\"", ' + "[" * 500)


def test_a_text_of_many_commas_is_no_list_of_many_values() -> None:
    many = "," * 2_000_001
    assert too_many(f"[{many}]")
    assert not too_many(f'["{many}"]')


def test_what_python_prints_has_a_longest_length() -> None:
    inside = "'a', " * (LONGEST // 10)
    assert printed(f"[{inside}]") is not None
    assert printed(f"[{inside * 3}]") is None
    assert printed(f"[{inside * 3} 'a']".replace("'", '"')) is not None


def test_items_that_json_cannot_write_are_items() -> None:
    assert items("[{(1, 2): 3}, b'ab']", Column(reads="list")) == ["{(1, 2): 3}", "b'ab'"]
