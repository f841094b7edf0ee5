"""Text-centric robustness for models over pictures, tables, sound and text.

>>> import textcentric as tc                                                   # doctest: +SKIP
>>> rows = tc.load("petfinder", split="train", limit=24)                       # doctest: +SKIP
>>> run = tc.augment(rows, prompts=["adversarial"], output_dir="runs/first")   # doctest: +SKIP
>>> run.dataset[0]["text"]                                                     # doctest: +SKIP

Names are imported when they are first used, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.api import (
        Run,
        ablate,
        augment,
        calibrate,
        check,
        compare,
        describe,
        estimate,
        evaluate,
        evaluate_fusion,
        evaluate_reward,
        inspect,
        latents,
        list_methods,
        list_runs,
        load,
        load_model,
        make_report,
        predict,
        retrieve,
        review,
        score,
        stream,
        train,
        trust,
    )
    from textcentric.augmentation.config import AugmentConfig
    from textcentric.engines import (
        Engine,
        Message,
        Request,
        Response,
        Sampling,
        ScriptedEngine,
        open_engine,
    )
    from textcentric.errors import (
        ConfigError,
        DataError,
        EngineError,
        PromptError,
        RequestError,
        RunError,
        StoppedError,
        TextCentricError,
        TrustError,
    )
    from textcentric.prompts.library import PromptLibrary
    from textcentric.prompts.prompt import Prompt
    from textcentric.rows import Pair, Record, TextRow

__all__ = [
    "AugmentConfig",
    "ConfigError",
    "DataError",
    "Engine",
    "EngineError",
    "Message",
    "Pair",
    "Prompt",
    "PromptError",
    "PromptLibrary",
    "Record",
    "Request",
    "RequestError",
    "Response",
    "Run",
    "RunError",
    "Sampling",
    "ScriptedEngine",
    "StoppedError",
    "TextCentricError",
    "TextRow",
    "TrustError",
    "ablate",
    "augment",
    "calibrate",
    "check",
    "compare",
    "describe",
    "estimate",
    "evaluate",
    "evaluate_fusion",
    "evaluate_reward",
    "inspect",
    "latents",
    "list_methods",
    "list_runs",
    "load",
    "load_model",
    "make_report",
    "open_engine",
    "predict",
    "retrieve",
    "review",
    "score",
    "stream",
    "train",
    "trust",
]


API = (
    "Run ablate augment calibrate check compare describe estimate evaluate evaluate_fusion"
    " evaluate_reward inspect latents list_methods list_runs load load_model make_report predict"
    " retrieve review score stream train trust"
)

__getattr__ = importing(
    __name__,
    {
        "api": API.split(),
        "augmentation.config": "AugmentConfig".split(),
        "engines": "Engine Message Request Response Sampling ScriptedEngine open_engine".split(),
        "errors": (
            "ConfigError DataError EngineError PromptError RequestError RunError StoppedError"
            " TextCentricError TrustError"
        ).split(),
        "prompts.library": "PromptLibrary".split(),
        "prompts.prompt": "Prompt".split(),
        "rows": "Pair Record TextRow".split(),
    },
)


def __dir__() -> list[str]:
    """List the public names for completion."""
    return __all__
