"""YAML of strangers: small files that are large in memory, and every way to be wrong, end soon."""

from __future__ import annotations

import pytest

from textcentric.errors import ConfigError, PromptError
from textcentric.security.yaml import DEEPEST, MOST_TEXT, Unreadable, load, parse


def levels(first: str, inner: str, count: int = 12) -> str:
    """Return lists that hold the list before them ten times, so that the last has no end."""
    lines = [f"k0: &k0 {first}"]
    for level in range(1, count):
        lines.append(f"k{level}: &k{level} " + inner.replace("*", f"*k{level - 1}"))
    return "\n".join(lines)


TEN = ", ".join("*" * 10)


@pytest.mark.parametrize(
    "text",
    [
        levels("[word]", f"[{TEN}]"),
        levels("{a: 1}", f"{{<<: [{TEN}]}}"),
        levels("a" * 9000, f"[{TEN}]", count=5),
        "all: [" + "&a ".join(["", "[1, 2]"]) + ", *a" * 500_000 + "]",
    ],
    ids=["lists", "merged keys", "characters", "one alias often"],
)
def test_what_aliases_would_make_is_counted_before_it_is_made(text: str) -> None:
    with pytest.raises(Unreadable, match="once its aliases"):
        load(text)


def test_an_alias_inside_of_what_it_names_has_no_end() -> None:
    with pytest.raises(Unreadable, match="an alias stands inside of what it names"):
        load("a: &a [1, *a]")


@pytest.mark.parametrize("open_", ["[", "{a: ", "- ", "? "])
def test_deep_brackets_and_indentations_are_refused(open_: str) -> None:
    with pytest.raises(Unreadable, match=r"nest(ed|ing)"):
        load(open_ * 20_000)


def test_chained_aliases_count_as_depth() -> None:
    with pytest.raises(Unreadable, match=f"nested more than {DEEPEST} deep"):
        load(levels("[1]", "[*]", count=DEEPEST + 2))


def test_depth_up_to_the_bound_is_read() -> None:
    assert load("[" * DEEPEST + "]" * DEEPEST) is not None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("day: 2001-99-99", "'2001-99-99' is no timestamp (month must be in 1..12)"),
        ("at: 2001-01-01T00:00:00+99:99", "is no timestamp"),
        (f"id: {'9' * 6000}", "a number of 6,000 characters"),
        (f"id: {'1:' * 5000}1", "a number of 10,001 characters"),
        ("a: 1\nb: 2\na: 3", "the key 'a' stands twice"),
        ("a: !!python/object:os.system x", "could not determine a constructor for the tag"),
        ("a: !!binary aGk=", "could not determine a constructor for the tag"),
        ("a: !!set {b}", "could not determine a constructor for the tag"),
        ("a: !!int ''", "is no int"),
        ("a: !!bool maybe", "is no bool"),
        ("a: !!timestamp soon", "is no timestamp"),
        ("a: !!map b", "expected a mapping node"),
        ("? [a]\n: b", "unhashable key"),
        ("a: [", "did not find expected node content"),
        ("a\n---\nb", "expected a single document"),
        ("a: \x00", "unacceptable character"),
        ("a: \ud800", "codec can't encode"),
        ("<<: 1", "for merging"),
    ],
)
def test_whatever_is_wrong_is_one_error(text: str, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        load(text)
    assert why in str(caught.value)


def test_a_file_of_many_megabytes_is_not_read() -> None:
    with pytest.raises(Unreadable, match=f"at most {MOST_TEXT:,} are read"):
        load("a" * (MOST_TEXT + 1))


def test_words_of_data_stay_as_they_stand() -> None:
    text = "[NO, 010, 1_000, 12:30, 2024-01-01, 7, 2.5, null]"
    plain = ["NO", "010", "1_000", "12:30", "2024-01-01", 7, 2.5, None]
    assert load(text, words=True) == plain


def test_a_merged_key_may_be_said_again() -> None:
    assert load("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}")["b"] == {"x": 3, "y": 2}


def test_the_error_names_the_file_and_the_line() -> None:
    with pytest.raises(PromptError, match=r"^own/odd\.jinja is not YAML: line 2: the key 'a'"):
        parse("a: 1\na: 2", "own/odd.jinja", PromptError)
    with pytest.raises(ConfigError, match=r"^run\.yaml is not YAML"):
        parse("[", "run.yaml")
