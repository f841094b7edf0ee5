"""What a model's card lists; a card that cannot be read lists nothing."""

from pathlib import Path

import pytest

from textcentric.models.languages import card_languages


def card(folder: Path, content: str | bytes) -> Path:
    path = folder / "README.md"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("front", "languages"),
    [
        ("language: en", {"en"}),
        ("language: [en, de]", {"en", "de"}),
        ("language:\n- fr\n- code: pt", {"fr"}),
        ("license: mit", None),
    ],
)
def test_the_languages_of_a_card(tmp_path: Path, front: str, languages: set[str] | None) -> None:
    assert card_languages(card(tmp_path, f"---\n{front}\n---\n# A model\n")) == languages


@pytest.mark.parametrize(
    "content",
    [
        "---\ntitle: one: two\n---\n",
        "---\n\t- tab\n---\n",
        "---\nmade: 2023-02-31\n---\n",
        "---\nlanguage: 7\n---\n",
        "---\nlanguage: {en: 1}\n---\n",
        "---\nlanguage: [[en]]\n---\n",
        "---\n- en\n---\n",
        b"---\nlanguage: \xff\xfe\n---\n",
        b"---\nlanguage: \xed\xa0\x80\n---\n",
        "---\nlanguage: " + "[" * 5000 + "\n---\n",
        "---\nlanguage: !!python/object:os.system x\n---\n",
        "no front matter",
        "",
    ],
)
def test_a_card_that_cannot_be_read_lists_nothing(tmp_path: Path, content: str | bytes) -> None:
    assert card_languages(card(tmp_path, content)) is None


def test_a_device_or_nothing_in_place_of_a_card_lists_nothing(tmp_path: Path) -> None:
    assert card_languages(tmp_path / "README.md") is None
    (tmp_path / "README.md").symlink_to("/dev/zero")
    assert card_languages(tmp_path / "README.md") is None
