"""Whole federations: the command, its folder and history, resuming, and what goes wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import textcentric as tc
from tests.support.commands import textcentric
from tests.support.small_federation import HAS, SMALL, federation, sited
from tests.support.small_fusion import rows_of
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.machine import require
from textcentric.methods.fusion import Crmt
from textcentric.methods.fusion.federated.client import FusionClient
from textcentric.methods.fusion.federated.clients import members
from textcentric.methods.fusion.federated.config import FederatedConfig
from textcentric.methods.fusion.federated.rounds import one_round, run
from textcentric.rows import Record

BOTH = ("image", "audio")


def sited_table(folder: Path, place: Path) -> Path:
    """Write the clips with their sites as a table of its own; some cells are empty."""
    rows = list(csv.DictReader((folder / "clips.csv").read_text().splitlines()))
    for at, row in enumerate(rows):
        row["site"] = sorted(HAS)[at // 3 % 3]
        if row["split"] == "train":
            row["picture"] *= "image" in HAS[row["site"]]
            row["sound"] *= "audio" in HAS[row["site"]]
    path = place / "sites.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def flags(values: dict[str, Any]) -> list[str]:
    encoders = {f"{name}_encoder": one for name, one in values.get("encoders", {}).items()}
    plain = {name: value for name, value in values.items() if name != "encoders"} | encoders
    told = [[f"--{name.replace('_', '-')}", str(value)] for name, value in plain.items()]
    return [one for pair in told for one in (pair if pair[1] != "True" else pair[:1])]


def command(folder: Path, place: Path, *more: str) -> list[str]:
    table = sited_table(folder, place)
    roles = ["--id", "id", "--target", "class", "--split-column", "split", "--image", "picture"]
    roles += ["--audio", "sound", "--ignore", "words", "--ignore", "age"]
    roles += ["--allow-missing", "image", "--allow-missing", "audio"]
    data = ["--dataset", str(table), "--data-dir", str(folder), *roles]
    return ["train", "federated", *data, *flags(SMALL), "-o", str(place / "model"), *more]


def trained(folder: Path, place: Path, **values: Any) -> Any:
    rows = sited(rows_of(folder, *BOTH))
    held_out = rows_of(folder, *BOTH, split="validation")
    return tc.train("federated", [*rows, *held_out], output_dir=place, **{**SMALL, **values})


def test_the_command_leaves_a_fusion_model_and_a_history(folder: Path, tmp_path: Path) -> None:
    said = textcentric(*command(folder, tmp_path, "--json"))
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["steps"] == 2
    lines = [json.loads(x) for x in (tmp_path / "model" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["clients"], line["lost"]) for line in lines] == [
        (1, 3, 0),
        (2, 3, 0),
    ]
    assert {"eval_accuracy", "eval_accuracy_image", "eval_accuracy_audio"} <= lines[1].keys()
    model = Crmt.load(tmp_path / "model", folder)
    held_out = rows_of(folder, *BOTH, split="validation")
    assert model.evaluate(held_out, 8)["accuracy"] == told["metrics"]["accuracy"]
    assert model.names == BOTH
    assert float(model.fusion.bias.detach().abs().sum()) == 0
    assert model.tau is not None
    about = json.loads((tmp_path / "model" / "train.json").read_text())["identity"]
    assert about["clients"]["west"] == {"modalities": ["image", "audio"], "rows": 6}


def test_a_dry_run_shows_the_clients_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    told = textcentric(*command(folder, tmp_path, "--dry-run")).out
    assert "client            east: 6 rows, image\n" in told
    assert "client            west: 6 rows, image, audio" in told
    assert not (tmp_path / "model").exists()


def test_a_model_of_clients_is_evaluated_as_any_fusion_model(folder: Path, tmp_path: Path) -> None:
    trained(folder, tmp_path / "model")
    loaded = tc.load_model(tmp_path / "model", files=folder)
    assert isinstance(loaded, Crmt)
    table = command(folder, tmp_path)[2:]
    data = table[: table.index("--client-column")]
    words = ["evaluate", "fusion", str(tmp_path / "model"), *data, "-o", str(tmp_path / "attacked")]
    said = textcentric(*words, "--limit", "3")
    assert said.code == 0, said.err
    assert "missing image" in said.out


def test_twelve_rounds_learn_what_the_clips_tell(folder: Path, tmp_path: Path) -> None:
    told = trained(folder, tmp_path / "model", rounds=12)
    assert told.values["metrics"]["accuracy"] > 0.8


class Dies(Exception):
    """What ends a client."""


def dying(made: Any, name: str, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the client `name` raise in round `at`."""
    fit = FusionClient.fit

    def once(self: FusionClient, parameters: Any, config: Any) -> Any:
        if self.name == name and config["round"] == at:
            raise Dies("no power")
        return fit(self, parameters, config)

    monkeypatch.setattr(FusionClient, "fit", once)


def test_a_client_that_dies_is_left_out_and_counted(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = federation(folder)
    dying(made, "north", 2, monkeypatch)
    told = run(made, tmp_path / "model")
    assert [(line["clients"], line["lost"]) for line in told.history] == [(3, 0), (2, 1)]
    assert told.metrics["clients_lost"] == 1
    said = capsys.readouterr().err
    assert "round 2: client north was lost and left out (Dies: no power)" in said


def test_a_round_is_that_of_the_clients_that_live(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = federation(folder)
    state = made.begin()
    without = [client for client in made.clients if client.name != "west"]
    expected = one_round(without, state, 1).updates
    dying(made, "west", 1, monkeypatch)
    found = one_round(made.clients, state, 1)
    assert list(found.lost) == ["west"]
    for one, other in zip(found.updates, expected, strict=True):
        for name, value in one.state.items():
            assert_array_equal(value, other.state[name])


def test_a_client_that_returns_no_numbers_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = federation(folder)
    fit = FusionClient.fit

    def broken(self: FusionClient, parameters: Any, config: Any) -> Any:
        arrays, rows, told = fit(self, parameters, config)
        if self.name == "east":
            arrays[0][:] = np.nan
        return arrays, rows, told

    monkeypatch.setattr(FusionClient, "fit", broken)
    found = one_round(made.clients, made.begin(), 1)
    assert "not finite" in found.lost["east"]
    assert sorted(one.client for one in found.updates) == ["north", "west"]


def test_a_round_that_nobody_lives_through_ends_the_training(folder: Path, tmp_path: Path) -> None:
    made = federation(folder, learning_rate=1e30)
    with pytest.raises(RunError, match=r"round 1: no client lived through it; the first, east,"):
        run(made, tmp_path / "model", quiet=True)


def test_figures_that_are_no_numbers_end_the_training_and_leave_no_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    made = federation(folder, rounds=2, learning_rate=1e30, batch_size=64)
    with pytest.raises(DataError, match=r"round 1: loss is nan, so what was averaged.*lower"):
        run(made, tmp_path / "m", quiet=True)
    assert not list(tmp_path.glob("m-checkpoints/*.safetensors"))
    assert not (tmp_path / "m" / "crmt.json").exists()


def test_the_method_of_a_federation_is_chosen_from_python_too(folder: Path, tmp_path: Path) -> None:
    trained(folder, tmp_path / "m", method="ha-fed", rounds=1)
    facts = json.loads((tmp_path / "m" / "train.json").read_text())
    assert facts["identity"]["train"]["method"] == "ha-fed"


@pytest.mark.parametrize("method", ["fedavg", "mfcpl"])
def test_a_training_that_was_cut_short_ends_as_an_undisturbed_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    values: dict[str, Any] = {"method": method, "rounds": 3}
    run(federation(folder, **values), tmp_path / "whole", quiet=True)
    with monkeypatch.context() as patch:
        fit = FusionClient.fit

        def cut(self: FusionClient, parameters: Any, config: Any) -> Any:
            if config["round"] == 2 and self.name == "north":
                raise KeyboardInterrupt
            return fit(self, parameters, config)

        patch.setattr(FusionClient, "fit", cut)
        with pytest.raises(KeyboardInterrupt):
            run(federation(folder, **values), tmp_path / "cut", quiet=True)
    calls: list[int] = []

    def counted(self: FusionClient, parameters: Any, config: Any) -> Any:
        calls.append(config["round"])
        return fit(self, parameters, config)

    monkeypatch.setattr(FusionClient, "fit", counted)
    told = run(federation(folder, **values), tmp_path / "cut", quiet=True)
    assert calls == [2, 2, 2, 3, 3, 3]
    assert [line["step"] for line in told.history] == [1, 2, 3]
    weights = [(tmp_path / x / "model.safetensors").read_bytes() for x in ("whole", "cut")]
    assert weights[0] == weights[1]


def test_another_federation_is_not_gone_on_with(folder: Path, tmp_path: Path) -> None:
    run(federation(folder, rounds=1), tmp_path / "model", quiet=True)
    (tmp_path / "model" / "train.json").unlink()
    with pytest.raises(RunError, match=r"train.momentum: 0.9 -> 0.5"):
        run(federation(folder, rounds=1, momentum=0.5), tmp_path / "model", quiet=True)


def test_resume_always_needs_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds no checkpoint; leave out resume='always'"):
        run(federation(folder, resume="always"), tmp_path / "model", quiet=True)


def found(rows: Sequence[Record], **values: Any) -> list[tuple[str, tuple[str, ...], int]]:
    told = members(rows, FederatedConfig.of({"client_column": "site", **values}))
    return [(one.name, one.modalities, len(one.rows)) for one in told]


def test_clients_have_what_their_rows_have(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH))
    assert found(rows) == [
        ("east", ("image",), 6),
        ("north", ("audio",), 6),
        ("west", ("image", "audio"), 6),
    ]


def test_a_value_has_a_client_for_each_set_that_is_named(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH), {"east": BOTH, "west": BOTH})
    assert found(rows, client_modalities="audio|image+audio") == [
        ("east/audio", ("audio",), 9),
        ("east/image+audio", ("image", "audio"), 9),
        ("west/audio", ("audio",), 9),
        ("west/image+audio", ("image", "audio"), 9),
    ]


def test_the_column_of_clients_is_no_input(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH))
    told = members(rows, FederatedConfig(client_column="site"))
    assert all("table" not in row.inputs for one in told for row in one.rows)


def test_groups_may_be_clients(folder: Path) -> None:
    rows = [replace(row, group=f"g{at % 2}") for at, row in enumerate(rows_of(folder, *BOTH))]
    config = FederatedConfig(client_column="speaker")
    assert [one.name for one in members(rows, config, "speaker")] == ["g0", "g1"]


def test_an_unknown_client_column_is_told_with_the_nearest(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH))
    with pytest.raises(ConfigError, match=r"'sight'; did you mean 'site'\? Known: .*ignore"):
        found(rows, client_column="sight")


def test_no_client_column_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"who are the clients\? Give client_column="):
        tc.train("federated", "clips.csv")


def test_a_row_without_a_client_is_told(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH))
    rows[4] = replace(rows[4], inputs={**rows[4].inputs, "table": {"site": None}})
    with pytest.raises(DataError, match=r"row 'train4' has no value in the client column 'site'"):
        found(rows)


def test_one_client_is_no_federation(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH), {"east": BOTH})
    with pytest.raises(ConfigError, match=r"one value, 'east', and a federation needs two"):
        found(rows)


def test_a_client_without_rows_of_its_modality_is_told(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH))
    with pytest.raises(
        DataError, match=r"client 'east/audio': none of its 6 rows has the modality 'audio'.*image"
    ):
        found(rows, client_modalities="audio|image")


def test_a_client_without_rows_that_can_be_read_is_told(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH))
    with pytest.raises(DataError, match=r"client 'north' has no row with any of image"):
        found(rows, modalities=("image",))


def test_a_client_of_other_columns_is_told(folder: Path) -> None:
    rows = [
        replace(
            row,
            inputs={"table": {"site": f"s{at % 2}", "age": at, **({"size": at} if at % 2 else {})}},
        )
        for at, row in enumerate(rows_of(folder, *BOTH))
    ]
    with pytest.raises(DataError, match=r"client 's0' has no table column 'size', which other"):
        found(rows)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ("audio|imago", r"modality of client_modalities 'imago'.*image"),
        ("audio|audio", r"names a set twice"),
        ("", r"modality of client_modalities ''"),
    ],
)
def test_sets_of_modalities_that_are_none_are_told(folder: Path, sets: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        found(sited(rows_of(folder, *BOTH)), client_modalities=sets)


def test_a_class_that_no_client_has_is_told(folder: Path) -> None:
    rows = sited(rows_of(folder, *BOTH), {"east": BOTH, "west": BOTH})
    odd = rows[0]
    rows[0] = replace(
        odd, target="rare", inputs={"image": odd.inputs["image"], "table": odd.inputs["table"]}
    )
    with pytest.raises(DataError, match=r"no client has a row of class 'rare' \(row 'train0'"):
        found(rows, client_modalities="audio")


def test_prototypes_need_a_client_with_all_modalities(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"method='mfcpl' makes prototypes.*method='fedavg'"):
        federation(folder, {"east": ("image",), "west": ("audio",)}, method="mfcpl")


def test_kappa_is_of_one_method() -> None:
    with pytest.raises(ConfigError, match=r"kappa=0.5 is of method='ha-fed'"):
        FederatedConfig.of({"kappa": 0.5})


def test_settings_of_the_other_loop_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown key of train.*weight_decay"):
        tc.train("federated", "clips.csv", client_column="site", train={"weight_decay": 0.1})


def test_several_processes_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"2 processes were launched, and the clients"):
        trained(folder, tmp_path / "model")


def test_without_flower_the_command_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r"needs flwr: pip install 'textcentric\[federated\]'"):
        require("train federated", lambda package: package != "flwr")
