"""Models are loaded and saved without a bar of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoModel
from transformers.utils import logging

from tests.support.tiny_models import tiny_model
from textcentric.models.loading import found, without_bars


@pytest.mark.parametrize("shown", [True, False])
def test_loading_shows_no_bar_and_leaves_the_setting_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], shown: bool
) -> None:
    name = tiny_model(tmp_path / "bert")
    monkeypatch.setattr(logging, "_tqdm_active", shown)
    capfd.readouterr()
    model = found(AutoModel, name, "bert")
    with without_bars():
        model.save_pretrained(tmp_path / "saved")
    assert capfd.readouterr().err == ""
    assert logging.is_progress_bar_enabled() is shown
