"""Arguments of engines: a name that an engine does not take is refused before it is opened."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.opening import make_engine
from textcentric.engines import Request, ScriptedEngine, open_engine
from textcentric.engines.arguments import check_arguments, check_settings
from textcentric.engines.vllm import VllmEngine
from textcentric.errors import ConfigError


@pytest.mark.parametrize(
    ("engine", "settings", "message"),
    [
        ("openai", {"extra_bdy": {}}, "unknown setting of engine openai 'extra_bdy'; did you mean"),
        ("openai", {"time_out": 3}, "did you mean 'timeout'"),
        (
            "openai",
            {"concurrency": "many"},
            "engine.concurrency='many': Input should be a valid in",
        ),
        ("scripted", {"answr": "x"}, "unknown setting of engine scripted 'answr'; did you mean"),
        ("transformers", {"batch": 0}, "engine.batch=0: expected 1 or more requests at a time"),
        ("transformers", {"dtype": "int3"}, "engine.dtype='int3': Input should be 'float32', 'bf"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused_with_the_nearest(
    engine: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        open_engine(engine, **settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "instead"), [({"model": "m"}, "give it as model="), ({"name": "vllm"}, "engine=")]
)
def test_what_has_a_setting_of_its_own_is_no_setting_of_an_engine(
    settings: dict[str, Any], instead: str
) -> None:
    with pytest.raises(ConfigError, match=instead):
        check_settings(settings)
    with pytest.raises(ConfigError, match=instead):
        make_engine(AugmentConfig(engine="scripted", engine_settings=settings))


def test_arguments_that_fit_are_handed_on_as_they_are() -> None:
    def answer(request: Request) -> str:
        return request.model

    engine = open_engine("scripted", answer=answer, delay=0)
    assert isinstance(engine, ScriptedEngine)
    assert engine.answer is answer


class Passing:
    """An engine that passes arguments on to a library."""

    def __init__(self, model: str | None = None, **settings: object) -> None:
        self.model, self.settings = model, settings

    @staticmethod
    def foreign_arguments() -> frozenset[str] | None:
        return frozenset(["block_size"])


class Blind(Passing):
    """One that cannot tell what the library takes."""

    @staticmethod
    def foreign_arguments() -> frozenset[str] | None:
        return None


def test_what_is_passed_on_is_checked_by_what_the_library_takes() -> None:
    check_arguments(Passing, "passing", {"model": "m", "block_size": "any"})
    check_arguments(Blind, "blind", {"blok_size": 1})
    with pytest.raises(ConfigError, match="'blok_size'; did you mean 'block_size'"):
        check_arguments(Passing, "passing", {"blok_size": 1})


def test_vllms_arguments_are_known_without_importing_it() -> None:
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    names = VllmEngine.foreign_arguments()
    assert names is not None
    assert names >= {"max_model_len", "max_num_seqs", "enforce_eager", "enable_log_requests"}
