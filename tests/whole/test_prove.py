"""`make prove` in small: the scripted engine, a tiny transformer, and shares that are known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.ceiling import MODALITIES, Ceiling, Pet, pet_points
from benchmarks.prove import Share, prove, shares, table, verdict
from benchmarks.prove import __file__ as prove_file
from tests.support.picking import picked
from tests.support.tiny_models import tiny_model
from textcentric.corruption.grid import CLEAN, Cell
from textcentric.data.sample.petfinder import BREEDS, COLORS, STATES, pets
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.evaluation.comparison.config import ARMS, read_compare_config
from textcentric.evaluation.findings import Findings
from textcentric.rows import Target

CONFIG = Path(prove_file).with_suffix(".yaml")

ROWS, SEED, LENGTH = 260, 3, 320
CELLS = (CLEAN, *(Cell("missing", None, (name,)) for name in MODALITIES))
TABLE_WORDS = """
type name age breed second third gender colour size when grown fur length vaccinated dewormed
sterilized health quantity fee state videos photos dog cat male female mixed a group not stated
small medium large extra short long yes no sure healthy minor serious injury free ringgit months
animal animals photo colours mainly then and light sharpness very dark normal bright blurred soft
sharp by pixels black grey white red orange yellow green turquoise blue purple pink brown beige
table text image summary : . , ; ( )
"""


def made_up(pets: dict[str, Pet], tell: Any) -> Findings:
    """Return findings of one arm that predicts `tell(row, pet, cell)`."""
    told = {cell.name: {row: tell(pet, cell) for row, pet in pets.items()} for cell in CELLS}
    targets: dict[str, Target] = {row: pet.speed for row, pet in pets.items()}
    return Findings(
        metric="quadratic_kappa",
        targets=targets,
        groups=dict.fromkeys(targets),
        cells=[*CELLS, Cell("all", 0.5)],
        predicted={"text-centric": {0: told, 1: told}},
        constants=dict.fromkeys(targets, 4),
        resamples=200,
    )


@pytest.fixture(scope="module")
def known() -> dict[str, Pet]:
    return pet_points(300, seed=1)


def test_the_best_predictor_comes_all_the_way(known: dict[str, Pet]) -> None:
    best = {cell: Ceiling(cell.missing) for cell in CELLS}
    found = shares(made_up(known, lambda pet, cell: best[cell].predict([pet])[0]), known)
    assert [share.removed for share in found] == ["", *MODALITIES]
    assert [share.share for share in found] == pytest.approx([1, 1, 1, 1])
    assert found[1].share_interval == pytest.approx((1, 1))
    assert found[0].score > 0.97
    assert found[1].drop == pytest.approx(1 - found[1].score / found[0].score)
    holds, sentence = verdict(found, "text-centric")
    assert holds
    assert sentence.startswith("Holds in every interval: ")


def test_the_most_frequent_class_comes_no_way(known: dict[str, Pet]) -> None:
    found = shares(made_up(known, lambda pet, cell: 4), known)
    assert [share.share for share in found] == pytest.approx([0, 0, 0, 0])
    assert [share.drop for share in found] == [None] * 4
    assert "undefined" in table(found)


def test_a_share_is_measured_from_the_majority_to_the_ceiling() -> None:
    share = Share("text-centric", "image", 9, 0.0, 0.8, 0.6, 0.75, (0.7, 0.85), 0.2, (0.1, 0.3))
    high = Share("text-centric", "table", 9, 0.0, 0.8, 0.7, 0.9, (0.79, 0.95), 0.1, None)
    holds, sentence = verdict([high, share], "text-centric")
    assert not holds
    assert sentence.startswith("Does not hold: with one modality removed text-centric keeps")
    assert sentence.endswith("the least is 75% [70%, 85%], without image (9 test rows).")
    assert verdict([high], "text-centric")[1].startswith("Holds, not of every interval: ")
    head, line = table([share]).splitlines()
    assert re.split(r"  +", line) == [
        *("image", "text-centric", "0.000", "0.800", "0.600"),
        *("0.750 [0.700, 0.850]", "0.200 [0.100, 0.300]"),
    ]
    assert head.index("drop ratio") == line.index("0.200")


def test_the_configuration_of_make_prove_is_one_that_can_be_read() -> None:
    config = read_compare_config(CONFIG, {})
    assert len(config.seeds) == 3
    assert "plain-text" in config.arms
    assert any(ARMS[name].derived and ARMS[name].variants for name in config.arms)
    assert config.llm_missing == config.most_missing == 1
    used = (config.train_rows or 0) + (config.held_out_rows or 0) + (config.test_rows or 0)
    assert 0 < used <= 1500


def retell(request: Request) -> str:
    """Pick where there are choices; else answer with the last words of the row that is shown."""
    if request.schema:
        return picked(request)
    asked = next(turn.content for turn in reversed(request.messages) if turn.role == "user")
    shown = asked.rsplit("\n\n", 1)[0]
    return " ".join(shown.split()[-24:])


def words_of_the_sample() -> list[str]:
    texts = [row["Description"] for row, _ in pets(ROWS, SEED)]
    names = [*STATES, *COLORS, *(name for kind in BREEDS.values() for name in kind)]
    text = " ".join([TABLE_WORDS, *texts, *names, *map(str, range(500))]).lower()
    return sorted(set(re.findall(r"\w+|[^\w\s]", text)))


def tiny_transformer(folder: Path) -> str:
    """Write a tiny BERT, without dropout, that reads whole rows of the sample."""
    still: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    words = words_of_the_sample()
    return tiny_model(folder, words=words, max_position_embeddings=LENGTH, **still)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a small configuration like that of `make prove`, and a folder to prove it in."""
    folder = tmp_path_factory.mktemp("prove")
    values = yaml.safe_load(CONFIG.read_text()) | {
        "arms": ["plain-text", "text-centric+dropout"],
        "seeds": [0, 1],
        "train_rows": 120,
        "held_out_rows": 20,
        "test_rows": 30,
        "training": {"num_train_epochs": 2, "learning_rate": 5e-3},
        "downstream": {
            "model": tiny_transformer(folder / "tiny"),
            "task": "ordinal",
            "max_length": LENGTH,
            "variants": 1,
        },
    }
    values["augment"] |= {"engine": "scripted", "embeddings": False}
    values["augment"] |= {"prompts": "adversarial/omission", "max_tokens": 64}
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(values))
    return config, folder / "out"


@pytest.mark.slow
def test_a_small_proof_says_how_far_every_arm_comes_and_is_not_made_twice(
    small: tuple[Path, Path],
) -> None:
    config, folder = small
    engine, said = ScriptedEngine(retell), list[str]()
    found = prove(config, folder, rows=ROWS, seed=SEED, engine=engine, say=said.append)
    expected = [
        (name, arm) for name in ("", *MODALITIES) for arm in ("plain-text", "text-centric+dropout")
    ]
    assert [(share.removed, share.arm) for share in found] == expected
    assert [share.majority for share in found] == pytest.approx([0] * 8)
    assert all(-1 < share.share < 1 and 15 < share.rows <= 30 for share in found)
    assert found[0].ceiling == found[1].ceiling > max(share.ceiling for share in found[2:])
    assert table(found).count("\n") == 8
    assert "Does not hold" in verdict(found, "text-centric+dropout")[1]
    run = json.loads((folder / "compare" / "augmented" / "manifest.json").read_text())
    assert run["totals"]["accepted"] > 220, "140 clean rows, and variants of 120 training rows"
    assert len(engine.requests) > 300, "summaries of all rows and cells, and the variants"
    assert [entry["arm"] for entry in json.loads((folder / "shares.json").read_text())] == [
        arm for _, arm in expected
    ]
    silent = ScriptedEngine(retell)
    again = prove(config, folder, rows=ROWS, seed=SEED, engine=silent, say=said.append)
    assert (again, silent.requests) == (found, [])
    assert said[-1].startswith("report: ")
