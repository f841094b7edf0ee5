"""What `train reward` holds out, what it says of a model that shows nothing, and of margins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import textcentric
from tests.support.small_reward import rows, train, write


def many(place: Path, name: str = "many.jsonl", **values: Any) -> tuple[str, Path]:
    """Write 240 pairs of 120 prompts, and return how they are given to a training."""
    lines = [
        row | {"id": f"p{n}", "prompt": f"kind : {n % 120}", **values}
        for n, row in enumerate(rows(240))
    ]
    return "--dataset-name", write(place / name, lines)


def metadata(folder: Path, file: str = "reward.json") -> dict[str, Any]:
    return dict(json.loads((folder / file).read_text()))


def test_a_share_is_held_out_where_the_data_name_none_and_it_is_said(place: Path) -> None:
    source = many(place)
    how = "a share of 0.2, whole prompts or groups, drawn by seed 0"
    share = ("--held-out-share", 0.2)
    planned = train(*share, "--dry-run", pairs=source)
    assert f"held out {how}\n" in planned.out
    said = train(*share, "-o", "models/shared", pairs=source)
    assert said.code == 0, said.err
    assert f"held out: 48 pairs, {how}" in said.err
    assert "192 pairs of many, 48 held out" in said.err
    assert "metrics  loss" in said.out
    told = metadata(place / "models" / "shared")
    assert told["balance"] == {"source": 240, "given": 240, "left_out": {}}
    of = told["held_out"]
    assert (of["source"], of["pairs"], of["groups"]) == (how, 48, 24)
    assert of["length_alone"]["rule"] in ("the shorter response", "the longer response")


def test_no_share_is_held_out_where_it_is_switched_off_or_nothing_is_evaluated(place: Path) -> None:
    source = many(place)
    for options, told in (
        (("--held-out-share", 0), "no pair of many is in the split validation: nothing"),
        (("--eval-strategy", "no"), ""),
    ):
        said = train(*options, "-o", f"models/all{options[1]}", pairs=source)
        assert said.code == 0, said.err
        assert "240 pairs of many, 0 held out" in said.err
        assert told in said.err
        assert metadata(place / "models" / f"all{options[1]}")["held_out"] is None
        assert "none: no pair was held out" in said.out


def test_pairs_that_are_named_are_held_out_and_no_others(place: Path) -> None:
    said = train("--eval-dataset", "held-out.jsonl", "-o", "models/named", pairs=many(place))
    assert "240 pairs of many, 4 held out" in said.err
    assert metadata(place / "models" / "named")["held_out"]["source"] == "those of held-out"


def test_a_few_pairs_are_all_learnt_from_and_it_is_said_why(place: Path) -> None:
    lines = write(place / "two.jsonl", rows(12, group="one"))
    said = train("-o", "models/whole", pairs=("--dataset-name", lines))
    assert "and no prompt or group is as small as 0.1 of the pairs" in said.err
    assert "12 pairs of two, 0 held out" in said.err


def test_what_shows_nothing_is_said_at_the_end_and_in_the_card_and_else_not(place: Path) -> None:
    source = many(place)
    share = ("--held-out-share", 0.3)
    said = train(*share, "-o", "models/nothing", "--learning-rate", 1e-9, pairs=source)
    assert "note     accuracy 0." in said.out
    assert " on 72 pairs is not shown to be better than chance, 0.5 (choosing the " in said.out
    card = (place / "models" / "nothing" / "README.md").read_text()
    assert "on 72 pairs is not shown to be better than chance, 0.5 (choosing the " in card.replace(
        "\\", ""
    )
    assert len(metadata(place / "models" / "nothing", "train.json")["notes"]) == 1
    source = many(place, "easy.jsonl", chosen="cat", rejected="dog")
    learns = ("--max-steps", 10, "--learning-rate", 1e-2)
    said = train(*share, *learns, "-o", "models/something", pairs=source)
    assert said.code == 0, said.err
    assert metadata(place / "models" / "something")["held_out"]["accuracy"]["value"] > 0.9
    assert "note" not in said.out
    assert "better than" not in (place / "models" / "something" / "README.md").read_text()
    sets = ("--dataset", "easy.jsonl,many.jsonl")
    said = textcentric("evaluate", "reward", "something", *sets)
    assert "note       something on many: accuracy" in said.out
    assert "something on easy" not in said.out


@pytest.mark.parametrize("objective", ["bt", "sfc"])
def test_margins_are_used_and_said_by_either_objective(place: Path, objective: str) -> None:
    lines = [row | {"margin": n % 3} for n, row in enumerate(rows(12))]
    source = ("--dataset-name", write(place / "margins.jsonl", lines))
    of = "8 of 12 pairs have a margin by which the chosen response must be better, 1 to 2 (mean 1.5"
    chosen = ("--reward-objective", objective)
    assert f"margins  {of}" in train(*chosen, "--dry-run", pairs=source).out
    said = train(*chosen, "-o", f"models/margins-{objective}", pairs=source)
    assert said.code == 0, said.err
    assert of in said.err
    folder = place / "models" / f"margins-{objective}"
    assert metadata(folder)["margins"]["pairs"] == 8
    assert of in (folder / "README.md").read_text().replace("\\", "")
    without = train(*chosen, "--dry-run")
    assert "margin" not in without.out
