"""The public names: sorted, importable, and the ones that the documentation promises."""

from __future__ import annotations

import pytest

import textcentric


def test_public_names_are_sorted() -> None:
    assert textcentric.__all__ == sorted(textcentric.__all__)


@pytest.mark.parametrize("name", textcentric.__all__)
def test_a_public_name_can_be_imported(name: str) -> None:
    value = getattr(textcentric, name)
    assert value.__name__ == name
    assert value.__module__.startswith("textcentric.")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'augmnet'"):
        _ = textcentric.augmnet


def test_completion_lists_the_public_names() -> None:
    assert dir(textcentric) == textcentric.__all__
