"""What a folder brings has effect only where the folder was made, or is trusted, here."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.errors import RunError, TrustError
from textcentric.security import trust


@pytest.fixture
def received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "received"
    folder.mkdir()
    (folder / "run.yaml").write_text("engine: openai\nbase_url: http://example.org/v1\n")
    return folder


def test_what_a_received_folder_brings_needs_a_word(received: Path) -> None:
    brought = {"base_url": "http://example.org/v1", "engine": None}
    with pytest.raises(TrustError, match=r"It says\n  base_url: http:"):
        trust.need_word(received, brought, "--base-url")


def test_a_folder_that_brings_nothing_needs_none(received: Path) -> None:
    trust.need_word(received, {"base_url": None, "trust_remote_code": False})


def test_a_folder_of_ours_needs_none(received: Path) -> None:
    trust.made_here(received, [received / "run.yaml"])
    trust.need_word(received, {"base_url": "http://example.org/v1"})
    assert trust.record_file().stat().st_mode & 0o077 == 0


def test_trust_ends_where_settings_or_code_change(received: Path) -> None:
    trust.trust(received)
    assert trust.is_trusted(received)
    (received / "part-0.parquet").write_bytes(b"rows are no settings")
    assert trust.is_trusted(received)
    (received / "modeling.py").write_text("import os")
    assert not trust.is_trusted(received)
    trust.trust(received)
    (received / "run.yaml").write_text("base_url: http://example.com/v1\n")
    assert not trust.is_trusted(received)


def test_a_folder_with_links_is_not_trusted(received: Path) -> None:
    (received / "data").symlink_to("/")
    with pytest.raises(RunError, match="data is a link"):
        trust.trust(received)


def test_a_record_that_cannot_be_written_is_told(received: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place")
    with pytest.warns(UserWarning, match="cannot be recorded"):
        trust.made_here(received, [received / "run.yaml"])


def test_what_is_written_here_vouches_for_nothing_beside_it(received: Path) -> None:
    (received / "theirs.py").write_text("import os")
    trust.made_here(received, [received / "run.yaml"])
    assert not trust.is_trusted(received)
    (received / "theirs.py").unlink()
    assert trust.is_trusted(received)


def test_what_is_written_inside_is_ours_and_what_lay_there_is_not(received: Path) -> None:
    (received / "config.json").write_text("{}")
    with trust.writing_ours(received):
        (received / "config.json").write_text('{"model_type": "bert"}')
        (received / "reward.json").write_text("{}")
    assert not trust.is_trusted(received)
    (received / "run.yaml").unlink()
    assert trust.is_trusted(received)
    with trust.writing_ours(received, ours=False):
        (received / "downstream.json").write_text("{}")
    assert not trust.is_trusted(received)


def test_a_model_of_ours_inside_a_run_of_ours_takes_nothing_from_it(received: Path) -> None:
    trust.made_here(received, [received / "run.yaml"])
    with trust.writing_ours(received / "models/first"):
        (received / "models/first/proxy").mkdir(parents=True)
        (received / "models/first/config.json").write_text("{}")
        (received / "models/first/proxy/config.json").write_text('{"a": 1}')
    assert trust.is_trusted(received / "models/first")
    assert trust.is_trusted(received)
    (received / "models/first/proxy/config.json").write_text('{"a": 2}')
    assert not trust.is_trusted(received)


def test_a_file_is_trusted_under_its_own_name_alone(received: Path) -> None:
    trust.trust(received)
    (received / "run.yaml").rename(received / "config.json")
    assert not trust.is_trusted(received)


def test_a_folder_that_says_nothing_vouches_for_no_other(received: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    trust.trust(tmp_path / "empty")
    assert not trust.is_trusted(tmp_path / "empty")
    assert not trust.is_trusted(received)


def test_where_nobody_has_a_home_that_is_told(
    received: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.warns(UserWarning, match="no home folder is known; set XDG_STATE_HOME"):
        trust.made_here(received, [received / "run.yaml"])
    assert not trust.is_trusted(received)
