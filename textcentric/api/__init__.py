"""Everything from Python: what the commands do, as functions, in the same words.

Settings are keyword arguments under the names of the flags, and an unknown one is answered with the
nearest. `progress` is off unless it is True, a line on stderr, or a function that is told what is
being done and how much of it. All work inside a running event loop too.
"""

from typing import TYPE_CHECKING

from textcentric.machine import importing

if TYPE_CHECKING:
    from textcentric.api.checks import check
    from textcentric.api.evaluations import (
        ablate,
        compare,
        evaluate,
        evaluate_fusion,
        evaluate_reward,
    )
    from textcentric.api.inspection import inspect, list_methods
    from textcentric.api.models import latents, load_model, predict, retrieve, score, train
    from textcentric.api.reading import calibrate, review
    from textcentric.api.results import Result, Run, RunList
    from textcentric.api.runs import (
        augment,
        describe,
        estimate,
        list_runs,
        load,
        make_report,
        stream,
    )
    from textcentric.api.trusting import trust

__all__ = [
    "Result",
    "Run",
    "RunList",
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
    "predict",
    "retrieve",
    "review",
    "score",
    "stream",
    "train",
    "trust",
]

__getattr__ = importing(
    __name__,
    {
        "checks": ["check"],
        "evaluations": "ablate compare evaluate evaluate_fusion evaluate_reward".split(),
        "inspection": ["inspect", "list_methods"],
        "models": "latents load_model predict retrieve score train".split(),
        "reading": "calibrate review".split(),
        "results": "Result Run RunList".split(),
        "runs": "augment describe estimate list_runs load make_report stream".split(),
        "trusting": ["trust"],
    },
)
