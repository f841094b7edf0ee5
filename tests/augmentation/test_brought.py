"""What a stranger's run says is shown before it has effect, with a way to say it oneself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import textcentric
from textcentric.augmentation.brought import need_word_for_run
from textcentric.augmentation.config import AugmentConfig
from textcentric.errors import TrustError


def test_an_address_can_be_given_in_place_of_the_runs(tmp_path: Path) -> None:
    config = AugmentConfig(dataset="petfinder", engine="openai", base_url="http://example.org/v1")
    told: list[str] = []
    with pytest.raises(TrustError, match="base_url: http://example") as refused:
        need_word_for_run(tmp_path, config, {"dataset"}, told.append)
    assert "give your own (base_url=)" in str(refused.value)
    assert told == []


def test_what_no_option_gives_is_trusted_or_not(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="dataset: petfinder") as refused:
        need_word_for_run(tmp_path, AugmentConfig(dataset="petfinder"), (), print)
    assert "give your own" not in str(refused.value)


def test_each_thing_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.yaml").write_text(
        "dataset: petfinder\nengine: openai\nbase_url: http://a.example/v1\n"
    )
    (run / "prompts").mkdir()
    said = textcentric("runs", "resume", str(run))
    assert said.code == 4
    assert {"  base_url: http://a.example/v1", "  dataset: petfinder"} <= set(said.err.splitlines())
