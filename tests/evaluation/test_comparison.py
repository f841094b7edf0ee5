from __future__ import annotations

import csv
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.picking import picked
from tests.support.tiny_models import tiny_model
from textcentric.corruption.grid import CLEAN, Cell, CorruptedRows, make_grid
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, DataError
from textcentric.evaluation.comparison.arms import arm_examples, read_trial
from textcentric.evaluation.comparison.comparison import Comparison, by_cell
from textcentric.evaluation.comparison.config import (
    ARMS,
    CompareConfig,
    read_compare_config,
)
from textcentric.evaluation.comparison.running import compare
from textcentric.evaluation.config import EvaluateConfig
from textcentric.evaluation.robustness import evaluate
from textcentric.rows import Example

MOODS = ["calm", "bold", "shy"]
SCHEMA = {
    "id": "id",
    "target": "speed",
    "task": "ordinal",
    "choices": [0, 1, 2],
    "text": ["story"],
    "split": "split",
}


def write_rows(folder: Path, rows: int = 60) -> str:
    """Write rows whose class is the mood in the text; the table says the same in every other."""
    rng = random.Random(0)
    path = folder / "rows.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "speed", "story", "kind", "age", "split"])
        for n in range(rows):
            mood = rng.randrange(3)
            kind = MOODS[mood] if n % 2 else "dog"
            split = "train" if n < rows * 0.6 else "validation" if n < rows * 0.7 else "test"
            story = f"A {MOODS[mood]} cat. A {rng.choice(['red', 'blue'])} bird number {n}."
            table.writerow([f"r{n}", mood, story, kind, rng.randrange(9), split])
    return str(path)


def say_again(request: Request) -> str:
    """Pick where there are choices; else finish the sentence with a letter of it said twice."""
    if request.schema:
        return picked(request)
    shown = request.messages[-1].content
    *_, sentence = re.findall(r"Sentence: (.*)", shown) or [shown.split("\n")[-1]]
    begin = shown.split("\n")[-1].partition(":")[2].strip()
    rest = sentence.removeprefix(begin).split()
    at = random.Random(request.sampling.seed or 0).randrange(len(rest) or 1)
    rest[at : at + 1] = [re.sub(r"(\w)(\W*)$", r"\1\1\2", word) for word in rest[at : at + 1]]
    return " ".join(rest) or "a cat"


ONE_CELL = {
    "seeds": [0],
    "corruptions": ["all"],
    "levels": [0.5],
    "llm_levels": [0.5],
    "orders": 0,
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    tmp_path = tmp_path_factory.mktemp("compare")
    return {
        "dataset": write_rows(tmp_path),
        "table_schema": SCHEMA,
        "arms": ["constant", "plain-text", "text-centric"],
        "seeds": [0, 1],
        "corruptions": ["word-dropout", "all"],
        "levels": [0.5, 0.9],
        "llm_levels": [0.5, 0.9],
        "orders": 4,
        "augment": {"engine": "scripted", "embeddings": False, "prompts": "adversarial/noise"},
        "training": {"num_train_epochs": 2, "learning_rate": 0.01},
        "downstream": {"model": tiny_model(tmp_path / "tiny"), "max_length": 48},
        "output_dir": tmp_path / "out",
    }


def engine() -> ScriptedEngine:
    return ScriptedEngine(say_again)


@pytest.fixture(scope="module")
def results(config: dict[str, Any]) -> dict[str, Any]:
    return compare(Comparison(CompareConfig(**config), engine=engine()))


def test_a_comparison_trains_every_arm_scores_every_cell_and_writes_its_report(
    config: dict[str, Any], results: dict[str, Any]
) -> None:
    assert set(results["arms"]) == {"constant", "plain-text", "text-centric"}
    cells = {(c["arm"], c["corruption"], c["level"]) for c in results["cells"]}
    assert ("plain-text", "word-dropout", 0.5) in cells
    assert ("text-centric", "all", 0.9) in cells
    assert ("text-centric", "word-dropout", 0.5) not in cells, "an LLM's budget is for `all` only"
    clean = next(c for c in results["cells"] if c["arm"] == "plain-text" and c["level"] == 0)
    assert clean["n"] == 18
    assert len(clean["seed_scores"]) == 2
    assert results["arms"]["text-centric"]["llm_requests"] > 36
    assert results["arms"]["plain-text"]["llm_requests"] == 0
    assert {d["against"] for d in results["differences"]} == {"plain-text"}
    assert results["llm_total"]["llm_requests"] == results["arms"]["text-centric"]["llm_requests"]
    assert results["warnings"][0].startswith("18 test rows are too few for these intervals")
    first = results["differences"][0]  # which the page shows first, too
    assert (first["arm"], first["corruption"]) == ("text-centric", "all")
    assert list(results["removed"])[:3] == ["word-dropout-0.5", "word-dropout-0.9", "all-0.5"]
    assert results["removed"]["missing-text"].startswith("words ")
    assert results["verdict"]["sentence"]
    assert {o["arm"]: o["orders"] for o in results["orders"]} == {
        "plain-text": 2,
        "text-centric": 6,
    }
    folder = config["output_dir"]
    assert json.loads((folder / "results.json").read_text())["metric"] == "quadratic_kappa"
    assert "text-centric" in (folder / "robustness.html").read_text()
    assert read_compare_config(folder / "compare.yaml", {}) == CompareConfig(**config)


def test_a_second_comparison_asks_and_trains_nothing(
    config: dict[str, Any], results: dict[str, Any]
) -> None:
    silent = engine()
    said: list[str] = []
    second = compare(Comparison(CompareConfig(**config), engine=silent, say=said.append))
    assert silent.requests == []
    assert second["cells"] == results["cells"]


def test_a_trial_of_other_settings_is_made_again(
    config: dict[str, Any], results: dict[str, Any]
) -> None:
    comparison = Comparison(CompareConfig(**config))
    folder = config["output_dir"] / "arms" / "constant" / "seed-0"
    kept = read_trial(folder, comparison.identity("constant"))
    assert kept is not None
    assert set(kept.predicted) == {cell.name for cell in comparison.cells(llm=False)}
    other = Comparison(CompareConfig(**{**config, "levels": [0.7]}))
    assert read_trial(folder, other.identity("constant")) is None


def test_a_kept_trial_has_the_cells_that_an_arm_added_later_needs(config: dict[str, Any]) -> None:
    few = {**config, "levels": [0.3], "llm_levels": [0.7], "arms": ["plain-text"]}
    alone, more = (
        Comparison(CompareConfig(**{**few, "arms": arms}))
        for arms in (["plain-text"], ["plain-text", "text-centric"])
    )
    assert alone.identity("plain-text") == more.identity("plain-text")
    assert alone.cells(llm=False) == more.cells(llm=False)
    assert {cell.level for cell in alone.cells(llm=False) if cell.corruption == "all"} == {0.3, 0.7}


def test_damage_that_changes_no_word_is_left_out_and_said(
    config: dict[str, Any], tmp_path: Path
) -> None:
    changes = {"arms": ["plain-text"], "seeds": [0], "corruptions": ["image-words", "all"]}
    said: list[str] = []
    settings = CompareConfig(**{**config, **changes, "output_dir": tmp_path})
    found = compare(Comparison(settings, say=said.append))
    assert {cell["corruption"] for cell in found["cells"]} == {"clean", "all", "missing"}
    assert "image-words-0.5 changes no word of any test row: left out" in said


def test_classes_that_only_test_rows_have_are_said(config: dict[str, Any], tmp_path: Path) -> None:
    changes = {"arms": ["constant"], "output_dir": tmp_path, "train_rows": 30}
    assert Comparison(CompareConfig(**{**config, **changes})).notes() == []
    comparison = Comparison(CompareConfig(**{**config, **changes}))
    rows = [replace(row, target=2 if n else 0) for n, row in enumerate(comparison.train_rows)]
    comparison.train_rows = replace(comparison.train_rows, records=rows)
    unseen = sum(row.target == 1 for row in comparison.test_rows)
    assert comparison.notes()[0].startswith(f"{unseen} of 18 rows have a class")


def test_words_of_a_removed_modality_are_refused() -> None:
    kept = Example("r1~missing-image", {"text": "a cat", "image": "a photo"}, 1)
    with pytest.raises(DataError, match="still holds image"):
        by_cell([kept])
    assert by_cell([Example("r1~missing-image", {"text": "a cat"}, 1)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": ["text-centric-k4"]}, "trained on 4 variants of a row, the prompts write 1"),
        ({"augment": {"engine": "scripted", "summarize": False}}, "text-centric reads what an LLM"),
        ({"against": "aligned"}, "against is 'aligned', expected one of the arms"),
    ],
)
def test_an_arm_that_would_not_be_what_its_name_says_is_refused(
    config: dict[str, Any], changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(Comparison(read_compare_config(None, {**config, **changes})))


def test_every_kind_of_the_bank_derives_in_training_what_it_derives_at_test_time(
    config: dict[str, Any], tmp_path: Path
) -> None:
    changes = {
        "arms": ["plain-text", "text-centric-random", "text-centric-instruction"],
        **ONE_CELL,
        "training": {"max_steps": 2},
        "output_dir": tmp_path,
    }
    comparison = Comparison(CompareConfig(**{**config, **changes}), engine=engine())
    found = compare(comparison)
    assert found["verdict"]["sentence"]
    for kind in ("random", "instruction"):
        examples = comparison.perturbed(kind)
        assert all("summary" in example.parts for example in examples)
        assert any(example.variants for example in examples)
    test = comparison.derived_words[CLEAN.name]
    assert all("summary" in parts for parts in test.values())


def test_an_arm_reads_only_what_it_may() -> None:
    row = Example("r", {"text": "a", "summary": "b"}, 1, variants=({"text": "c"},))
    assert arm_examples(ARMS["plain-text"], [row])[0].parts == {"text": "a"}
    assert arm_examples(ARMS["plain-text"], [row])[0].variants == ()
    assert arm_examples(ARMS["perturbed"], [row])[0].parts == {"text": "a"}
    assert arm_examples(ARMS["perturbed"], [row])[0].variants == ({"text": "c"},)
    assert arm_examples(ARMS["aligned"], [row])[0].parts == {"text": "a", "summary": "b"}


def test_the_grid_holds_clean_rows_levels_and_missing_modalities() -> None:
    grid = make_grid(["word-dropout"], [0.5], ["table", "text"])
    assert grid == (
        CLEAN,
        Cell("word-dropout", 0.5),
        Cell("missing", None, ("table",)),
        Cell("missing", None, ("text",)),
    )


def test_what_the_damage_took_is_counted_in_every_cell_but_those_of_noise(
    config: dict[str, Any], tmp_path: Path
) -> None:
    rows = Comparison(CompareConfig(**config)).test_rows
    cells = make_grid(["word-dropout", "image-noise"], [0.5, 1.0], ["table", "text"])
    said = CorruptedRows(rows, cells, tmp_path / "damaged").removals()
    assert list(said) == ["word-dropout-0.5", "word-dropout-1", "missing-table", "missing-text"]
    words = sum(len(record.inputs["text"].split()) for record in rows)
    assert said["missing-text"] == f"words {words} of {words}"
    assert said["missing-table"].startswith("columns ")
    kind, gone, _, total = said["word-dropout-0.5"].split()
    assert (kind, int(total)) == ("words", words)
    assert 0.3 * words < int(gone) < 0.7 * words
    assert not (tmp_path / "damaged").exists()


@pytest.mark.parametrize("level", [-0.1, 0.0, 1.5])
def test_a_level_outside_the_range_is_refused(level: float) -> None:
    with pytest.raises(ConfigError, match="outside"):
        make_grid(["word-dropout"], [level])


def test_damaged_rows_have_ids_of_their_own_and_are_made_anew_each_time(
    config: dict[str, Any],
) -> None:
    rows = Comparison(CompareConfig(**config)).test_rows
    damaged = CorruptedRows(rows, make_grid([], [], ["table", "text"]), config["output_dir"])
    ids = [record.id for record in damaged]
    assert ids[:3] == ["r42~clean", "r42~missing-table", "r42~missing-text"]
    assert [record.id for record in damaged] == ids
    assert damaged.count() == len(ids) == 3 * 18
    assert len(list(damaged.remaining(set(ids[:5])))) == len(ids) - 5


@pytest.mark.parametrize(
    ("levels", "asked"),
    [
        (["0.5"], (0.5,)),
        ([0.1, 0.5, 0.7], (0.5, 0.7)),
        ([0.2, 0.4], (0.2, 0.4)),  # none of those that it is asked about by default
    ],
)
def test_only_the_levels_that_were_asked_for_are_tried(
    levels: list[Any], asked: tuple[float, ...], config: dict[str, Any]
) -> None:
    assert read_compare_config(None, {"levels": levels}).llm_levels == asked
    assert read_compare_config(None, {}).llm_levels == (0.3, 0.5, 0.7)
    values = {**config, "levels": levels, "arms": ["plain-text"], "most_missing": 1}
    del values["llm_levels"]
    cells = Comparison(CompareConfig(**values)).cells(llm=False)
    tried = {cell.level for cell in cells if cell.corruption == "all"}
    assert tried == set(map(float, levels))


def test_a_table_without_a_validation_split_is_compared_on_and_that_is_said(
    config: dict[str, Any], tmp_path: Path
) -> None:
    text = Path(config["dataset"]).read_text().replace(",validation", ",train")
    table = tmp_path / "two.csv"
    table.write_text(text)
    said: list[str] = []
    values = {**config, "dataset": str(table), "output_dir": tmp_path}
    rows = Comparison(CompareConfig(**values), say=said.append).train_rows
    assert (rows.count(), {row.split for row in rows}) == (42, {"train"})
    assert said == ["no row is of split validation, so none is held out"]
    with pytest.raises(ConfigError, match="unknown split 'validation'"):
        Comparison(CompareConfig(**values, held_out_rows=3)).train_rows  # noqa: B018


def test_rows_without_a_target_cannot_be_compared(config: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "blind.csv"
    path.write_text("id,speed,story,split\nr1,,a cat,train\nr2,,a dog,validation\n")
    with pytest.raises(DataError, match="target"):
        list(Comparison(CompareConfig(**{**config, "dataset": str(path)})).tried())


def test_trained_models_are_evaluated_under_the_grid(
    config: dict[str, Any], tmp_path: Path
) -> None:
    from textcentric.augmentation.opening import make_experts
    from textcentric.data.trained import read_of
    from textcentric.methods.downstream import Downstream, DownstreamConfig
    from textcentric.runs.origin import expert_origin
    from textcentric.training.config import TrainConfig
    from textcentric.training.loop import train

    comparison = Comparison(CompareConfig(**config))
    examples = [e for e in comparison.plain if e.split == "train"]
    experts = make_experts(comparison.config.augment_config(), comparison.train_rows)
    origin = expert_origin(comparison.train_rows, experts, read_of(comparison.train_rows))
    method = Downstream(DownstreamConfig.of(config["downstream"]), examples, origin=origin)
    folder = tmp_path / "model"
    train(method, TrainConfig(output_dir=folder, eval_strategy="no"), examples, quiet=True)
    results = evaluate(
        EvaluateConfig(
            models=(folder,),
            dataset=config["dataset"],
            table_schema=SCHEMA,
            levels=(0.5,),
            output_dir=tmp_path / "evaluation",
        )
    )
    names = [(c["corruption"], c["missing"]) for c in results["cells"]]
    assert names == [
        ("clean", None),
        ("all", None),
        ("missing", ["table"]),
        ("missing", ["text"]),
    ]
    assert results["verdict"]["sentence"].startswith("model scores")
    assert results["verdict"]["shown"] is None
    assert "--levels 0.5" in results["reproduce"][0]


def test_with_folds_every_row_is_tested_once_by_models_that_never_saw_it(
    config: dict[str, Any], tmp_path: Path
) -> None:
    changes = {
        "arms": ["constant", "plain-text", "text-centric"],
        **ONE_CELL,
        "folds": 2,
        "training": {"max_steps": 2},
        "output_dir": tmp_path,
    }
    comparison = Comparison(CompareConfig(**{**config, **changes}), engine=engine())
    sides = [
        [{record.id for record in rows} for rows in (part.train_rows, part.test_rows)]
        for part in comparison.by_fold
    ]
    everything = {f"r{n}" for n in range(60)}
    assert all(train | test == everything and not train & test for train, test in sides)
    assert sorted(row for _, test in sides for row in test) == sorted(everything)
    found = compare(comparison)
    assert {cell["n"] for cell in found["cells"]} == {60}
    assert found["rows"]["test"] == 60
    assert found["rows"]["train"] == len(sides[0][0])
    one = comparison.by_fold[0]
    assert sorted(one.trial("plain-text", 0).raw) == sorted(sides[0][0])
    silent = ScriptedEngine(say_again)
    again = compare(Comparison(comparison.config, engine=silent))
    assert silent.count == 0
    assert again["cells"] == found["cells"]


def test_the_constant_beside_a_score_is_that_of_the_fold_and_no_arm_of_its_own(
    config: dict[str, Any], tmp_path: Path
) -> None:
    changes = {"arms": ["constant"], "metric": "rmse", "folds": 3, "output_dir": tmp_path}
    changes |= {**ONE_CELL, "downstream": {"task": "regression"}}
    comparison = Comparison(CompareConfig(**{**config, **changes}))
    found = compare(comparison)
    folds = [{told for _, told in part.constants("rmse")} for part in comparison.by_fold]
    assert len(set().union(*folds)) == 3  # they differ
    for cell in found["cells"]:
        assert cell["constant"] == pytest.approx(cell["score"])


def test_a_metric_of_another_task_is_refused_before_anything_is_made(
    config: dict[str, Any], tmp_path: Path
) -> None:
    changes = {"arms": ["constant"], "metric": "rmse", "output_dir": tmp_path / "out"}
    with pytest.raises(ConfigError, match="metric 'rmse' does not fit the task"):
        compare(Comparison(CompareConfig(**{**config, **changes})))
    assert not (tmp_path / "out").exists()  # nor is any file looked at


def test_one_fold_can_be_done_alone(config: dict[str, Any], tmp_path: Path) -> None:
    changes = {"arms": ["constant"], "folds": 3, "fold": 1, "output_dir": tmp_path}
    found = compare(Comparison(CompareConfig(**{**config, **changes})))
    assert 0 < found["rows"]["test"] < 60
    assert found["rows"]["train"] + found["rows"]["test"] == 60


def test_ordered_classes_in_words_are_compared_as_ranks(
    config: dict[str, Any], tmp_path: Path
) -> None:
    words = ["slow", "usual", "fast"]
    table = tmp_path / "words.csv"
    with Path(config["dataset"]).open(newline="") as numbers, table.open("w", newline="") as file:
        rows = list(csv.DictReader(numbers))
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "speed": words[int(row["speed"])]} for row in rows)
    named = {**config, "dataset": str(table), "table_schema": {**SCHEMA, "choices": words}}
    named |= {"arms": ["constant", "plain-text"], **ONE_CELL, "output_dir": tmp_path / "out"}
    comparison = Comparison(CompareConfig(**named), engine=engine())
    assert comparison.task == "ordinal"
    assert {record.target for record in comparison.test_rows} == {0, 1, 2}
    assert comparison.test_rows.schema.choices == {0: "slow", 1: "usual", 2: "fast"}
    results = compare(comparison)
    assert "classes are scored as ranks: slow 0, usual 1, fast 2" in results["notes"]
    assert results["cells"][0]["n"] == 18
