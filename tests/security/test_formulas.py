"""Texts that a spreadsheet would run are written as text; numbers stay numbers."""

from __future__ import annotations

import pytest

from textcentric.security.formulas import as_text, is_formula


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x")',
        "=cmd|' /C calc'!A0",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "\t=1+1",
        "\r=1+1",
        "\uff1d1+1",
        "-",
    ],
)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert is_formula(text)
    assert as_text(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-5", "+3.5", "-.5", "-1e-9", "-5%", -5, 0.5, None, True, "a-b"])
def test_numbers_and_plain_texts_stay_as_they_are(value: object) -> None:
    assert not is_formula(value)
    assert as_text(value) is value
