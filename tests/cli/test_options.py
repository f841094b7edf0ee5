"""Options of commands: made from fields, grouped in help, with every one that there was before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.commands import textcentric
from textcentric.augmentation.config import AugmentConfig
from textcentric.cli.app import Listed, all_commands, app, built
from textcentric.cli.options import as_text, options_of
from textcentric.evaluation.comparison.config import ARMS
from textcentric.methods.downstream.config import Training
from textcentric.methods.fusion.config import CrmtConfig
from textcentric.settings import Settings

# Names of options by command and by kind, as they were when options were written by hand.
BEFORE: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "recorded" / "options.json").read_text()
)


def parameters(path: str) -> list[Any]:
    """Return the parameters of a command, such as "train reward"."""
    return list(built(path, dict(all_commands())[path].function).params)


@pytest.mark.parametrize("path", BEFORE)
def test_every_option_of_before_is_taken_and_of_its_kind(path: str) -> None:
    kinds: dict[str, str] = {}
    for parameter in parameters(path):
        kind = "switch" if getattr(parameter, "is_flag", False) else "value"
        kind = "repeated" if getattr(parameter, "multiple", False) else kind
        kinds |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], kind)
    wrong = {
        name: kinds.get(name)
        for kind, names in BEFORE[path].items()
        for name in names
        if kinds.get(name) != kind
    }
    assert wrong == {}


def help_of(*arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "100"})
    assert done.exit_code == 0
    return done.stdout


def test_help_of_augment_reads_as_groups() -> None:
    lines = help_of("augment").splitlines()
    groups = [line[:-1] for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert groups == [
        *("Data", "Prompts", "Engine", "Sampling", "Limits", "Configuration", "Output")
    ]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    "line",
    [
        "  --samples INTEGER             Variants of a row by each prompt.  [default: 1]",
        "  --data-dir PATH               Folder of the data set's files.",
        "  --[no-]summarize  Add a summary to each row, by summarize/pick or your own;"
        " rules alone add none.  [default: on]",
        "  --format parquet|jsonl        jsonl writes JSON lines beside the parquet.",
    ],
)
def test_an_option_shows_its_type_its_choices_and_its_default(line: str) -> None:
    words = " ".join(help_of("augment").split())
    assert " ".join(line.split()) in words


def test_a_name_is_not_parted_at_its_hyphens() -> None:
    assert all(f" {name}" in help_of("compare").replace("\n", " ") for name in ARMS)
    assert not {"\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}"} & {*help_of("compare")}


def test_going_on_with_a_run_shows_no_default_for_what_the_run_has() -> None:
    assert "[default:" not in help_of("runs", "resume")


def test_defaults_of_a_method_are_shown_over_those_of_the_loop() -> None:
    words = " ".join(help_of("train", "align-vl").split())
    assert "Rows of a micro-batch. [default: 1024]" in words
    assert "Of AdamW. [default: 0.1]" in words
    assert "Rows of a micro-batch. [default: 16]" in " ".join(help_of("train", "crmt").split())


def test_a_former_flag_is_taken_with_a_note_and_not_shown() -> None:
    said = textcentric("train", "downstream", "--run", "nowhere", "--lora-rank", 2)
    assert "downstream.lora_rank is called lora_r now" in said.err
    assert "lora-rank" not in help_of("train", "downstream")


def test_every_field_is_an_option_or_reached_by_a_dot() -> None:
    known = {option.field for option in options_of(AugmentConfig)}
    assert set(AugmentConfig.model_fields) - known == {"engine_settings"}
    known = {option.field for option in options_of(Training)}
    models: list[type[Settings]] = [Training, *Training.sections.values()]
    names = {name for model in models for name in model.model_fields}
    assert names - known == {"train", "downstream", "classes"}


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        ("parts", "text, table", ["text", "table"]),
        ("dropout_levels", "0,0.3", ["0", "0.3"]),
        ("lora_target_modules", "all-linear", "all-linear"),
        ("lora_target_modules", "query,value", ["query", "value"]),
        ("text", ["a, b", "c"], ["a, b", "c"]),
    ],
)
def test_lists_are_given_by_commas_and_columns_by_repeating_the_flag(
    field: str, given: Any, value: Any
) -> None:
    (option,) = (o for o in options_of(Training) if o.flags == (f"--{field.replace('_', '-')}",))
    assert option.value(given) == value


def test_a_choice_of_numbers_is_taken_as_a_number() -> None:
    options = {option.field: option for option in options_of(CrmtConfig)}
    given = {"image_channels": "1", "mcr_game": "-1"}
    values = {name: options[name].value(text) for name, text in given.items()}
    assert values == {"image_channels": 1, "mcr_game": -1}
    assert CrmtConfig.of(values).mcr_game == -1
    assert options["image_channels"].value("2") == "2"  # which the field refuses with its choices


def test_choices_are_completed() -> None:
    (option,) = (o for o in options_of(AugmentConfig) if o.field == "perturb")
    assert option.completions("t") == ["train"]


@pytest.mark.parametrize(
    ("default", "text"),
    [(None, ""), ({}, ""), (True, "on"), ((0.5, 1.0), "0.5,1"), (1e-05, "1e-05"), ("a", "a")],
)
def test_a_default_is_shown_as_it_is_typed(default: object, text: str) -> None:
    assert as_text(default) == text


@pytest.mark.parametrize(
    ("name", "listed"), list(all_commands()), ids=lambda value: getattr(value, "function", value)
)
def test_the_list_of_commands_leads_to_a_command_that_says_what_it_does(
    name: str, listed: Listed
) -> None:
    assert len(str(built(name, listed.function).help)) > 20
    assert 10 < len(listed.about) < 70


@pytest.mark.parametrize(
    ("words", "nearest"), [(["trian"], "train"), (["train", "rewrd"], "reward")], ids=str
)
def test_a_command_that_does_not_exist_is_answered_with_the_nearest(
    words: list[str], nearest: str
) -> None:
    said = textcentric(*words)
    assert (said.code, f"Did you mean '{nearest}'?" in said.err) == (2, True)
