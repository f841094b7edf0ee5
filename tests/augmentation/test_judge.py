"""A judge, of the same model or a second one: what it is asked, what its answer does, its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_server import Server, completion, served
from tests.support.one_row import Run, answering, fates, good, one
from tests.support.small_run import run, written
from textcentric.augmentation.config import AugmentConfig
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError
from textcentric.folders import read_yaml

LISTING = "Somebody offers an animal to whoever would like to have it."
SETTINGS: dict[str, Any] = {"prompts": "own/whole", "summarize": False, "embeddings": False}


def judged(folder: Path, verdict: str) -> tuple[Any, Server, ScriptedEngine]:
    """Return a run of two rows whose variants a model `m` behind a server judges."""
    server = Server(completion(json.dumps({"verdict": verdict, "reason": "x"}), logprobs=[-1.0]))
    engine = ScriptedEngine(LISTING)
    with served(server) as url:
        judge: dict[str, Any] = {
            "judge_model": "m",
            "judge_engine": "openai",
            "judge_base_url": url,
        }
        done = run(folder, 2, engine=engine, **SETTINGS, **judge)
    return done, server, engine


@pytest.mark.parametrize(("verdict", "score"), [("yes", 1.0), ("no", 0.0)])
def test_the_judges_answer_is_a_part_of_the_scores(
    tmp_path: Path, verdict: str, score: float
) -> None:
    done, server, engine = judged(tmp_path / "run", verdict)
    rows = [*written(done.path), *written(done.path, "rejected")]
    variants = [row for row in rows if row["prompt"] == "own/whole"]
    assert [row["scores"]["judge"] for row in variants] == [score, score]
    assert (engine.count, len(server.bodies)) == (2, 2)
    assert all(LISTING in body["messages"][-1]["content"] for body in server.bodies)
    accepted = done.manifest["counts"]["own/whole"]["accepted"]
    assert accepted == (2 if verdict == "yes" else 0)


def test_a_run_names_its_judge(tmp_path: Path) -> None:
    done, _, _ = judged(tmp_path / "run", "yes")
    saved = read_yaml(Path(done.path) / "run.yaml")
    assert saved["judge_model"] == "m"
    assert saved["judge_fingerprint"] == {
        "engine": "openai", "model": "m", "model_revision": "", "template_digest": "",
    }  # fmt: skip
    assert done.manifest["judge"] == saved["judge_fingerprint"]
    assert done.manifest["requests"]["sent"] == 4


def test_a_run_without_a_judge_is_the_run_that_it_was_before_there_were_any() -> None:
    assert not {"judge_model", "judge_engine"} & AugmentConfig().identity().keys()
    assert AugmentConfig(judge_model="m").identity()["judge_model"] == "m"


def test_where_a_judge_runs_says_nothing_without_its_name() -> None:
    with pytest.raises(ConfigError, match="no judge is named: give judge_model="):
        AugmentConfig(judge_engine="vllm")


def saying(verdict: str) -> Callable[[Request], Any]:
    def answer(request: Request) -> Any:
        return verdict if "Second listing:" in request.messages[-1].content else good(request)

    return answer


def test_a_judge_that_says_yes_lets_a_variant_count(run: Run) -> None:
    output = one(run(saying('{"verdict": "yes", "reason": "x"}'), "own/whole,judge"), "own/whole")
    assert (output.reason, output.scores["judge"]) == ("", 1.0)
    assert len(output.request_key.split()) == 2


def test_a_judge_that_says_no_rejects_a_variant(run: Run) -> None:
    output = one(run(saying('{"verdict": "no", "reason": "x"}'), "own/whole,judge"), "own/whole")
    assert (output.reason, output.scores["judge"]) == ("label changed", 0.0)


def test_a_judge_that_cannot_be_read_is_asked_twice_and_fails_the_variant(run: Run) -> None:
    engine = ScriptedEngine(saying("I would say yes."))
    outputs = run(engine=engine, prompts="own/whole,judge", summarize=False)
    assert fates(outputs)["own/whole/0"] == "failed at judge: schema"
    assert one(outputs, "own/whole").attempts == 2
    assert engine.count == 3


def test_what_was_rejected_before_is_not_judged(run: Run) -> None:
    engine = ScriptedEngine(answering(Rewrite="I cannot help with that."))
    run(engine=engine, prompts="own/whole,judge", summarize=False)
    assert engine.count == 1
