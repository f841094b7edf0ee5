"""The identity of the checks: another one where they say something else, the same where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.behaviour import changed, read_pairs
from textcentric.checks import identity
from textcentric.checks.identity import VERSION, checks_identity
from textcentric.checks.slips import vocabulary
from textcentric.checks.verdict import WEIGHTS
from textcentric.prompts.calibration import read_calibration, shipped

RAISE = (
    "the checks say something else of these pairs than in version {}: {}. If that is meant, raise"
    " VERSION in textcentric/checks/identity.py, run `python -m tests.support.behaviour`, and"
    " ship a calibration that was read under the new checks (benchmarks/ship_calibration.py)"
)


@pytest.mark.skipif(not vocabulary(), reason="slips need the packaged encoder")
def test_the_checks_say_what_they_said_in_this_version() -> None:
    version, pairs = read_pairs()
    others = [(pair.source[:60], pair.variant[:60]) for pair in changed(pairs)]
    assert not others, RAISE.format(version, others[:5])
    assert version == VERSION, "run `python -m tests.support.behaviour`"
    assert len(pairs) >= 150
    assert all(pair.said for pair in pairs)


def test_the_shipped_calibration_was_read_under_these_checks() -> None:
    assert {reading.checks for reading in read_calibration(shipped()).readings} == {
        checks_identity()
    }


def identity_with(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, old: str, new: str
) -> str:
    """Return the identity where `old` is `new` in a file of lists or weights."""
    (path,) = (one for one in (*identity.LISTS, WEIGHTS) if one.name == name)
    text = path.read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    other = [folder / name if one == path else one for one in (*identity.LISTS, WEIGHTS)]
    with monkeypatch.context() as patched:
        patched.setattr(identity, "LISTS", other[:-1])
        patched.setattr(identity, "WEIGHTS", other[-1])
        return checks_identity.__wrapped__()


def test_the_version_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "VERSION", VERSION + 1)
    assert checks_identity.__wrapped__() != checks_identity()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("weights.json", '"threshold": 0.', '"threshold": 0.1'),
        ("weights.json", '"far": -', '"far": -1'),
        ("english.txt", "[negation]\n", "[negation]\nhardly ever\n"),
        ("languages.txt", "french:", "french: bof"),
        ("thesaurus.txt", "\nabaft ", "\nthing abaft "),
        ("equivalents.txt", "\nbig => ", "\nbig => vast, "),
    ],
)
def test_lists_and_weights_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, old: str, new: str
) -> None:
    assert identity_with(monkeypatch, tmp_path, name, old, new) != checks_identity()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("weights.json", '"about": "', '"about": "Again. '), ("equivalents.txt", "# ", "# Today's ")],
)
def test_comments_and_figures_of_the_training_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, old: str, new: str
) -> None:
    assert identity_with(monkeypatch, tmp_path, name, old, new) == checks_identity()
