"""An engine is lent: the one given stays open, the one that settings name is closed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from textcentric.engines import ScriptedEngine, lent_engine
from textcentric.errors import ConfigError
from textcentric.evaluation.config import EvaluateConfig, PredictConfig
from textcentric.settings import Values


class Noted(ScriptedEngine):
    """An engine that tells whether it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def test_a_given_engine_stays_open() -> None:
    engine = Noted("A calm dog.")
    with lent_engine(engine, PredictConfig(engine="vllm")) as lent:
        assert lent is engine
    assert not engine.closed


def test_settings_that_name_no_engine_lend_none() -> None:
    with lent_engine(None, PredictConfig(base_url="http://127.0.0.1:8000/v1")) as lent:
        assert lent is None


def test_settings_open_an_engine_with_its_arguments() -> None:
    config = PredictConfig(engine="scripted", llm="mine", engine_settings={"answer": "Woof."})
    with lent_engine(None, config) as lent:
        assert lent is not None
        assert lent.fingerprint()["model"] == "mine"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"engine_settings": {"api_key": "hunter2"}}, r"engine\.api_key would be saved in run"),
        ({"base_url": "http://me:hunter2@host:8000/v1"}, "host:8000/v1' came with a user"),
    ],
)
def test_what_must_not_be_saved_is_refused_when_settings_are_read(
    values: Values, message: str
) -> None:
    for told in (
        lambda: PredictConfig.of(values),
        lambda: EvaluateConfig.of({"models": (Path("models/a"),), "dataset": "rows", **values}),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            told()
        assert "hunter2" not in str(caught.value)
