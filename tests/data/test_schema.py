"""Schemas: from YAML, dicts and flags, with faults explained."""

from pathlib import Path
from typing import Any

import pytest

from textcentric.data import read_schema
from textcentric.data.schema import Schema, numeric_target, question
from textcentric.errors import ConfigError


def test_a_schema_reads_from_yaml_and_flags_override_it(tmp_path: Path) -> None:
    path = tmp_path / "homes.yaml"
    path.write_text("id: listing\ntarget: price\ntext: title\ncolumns: {beds: {unit: beds}}\n")
    schema = read_schema(path, target="rent")
    assert (schema.id, schema.target, schema.text) == ("listing", "rent", ("title",))
    assert schema.columns["beds"].unit == "beds"


def test_a_short_image_role_is_a_column_and_choices_may_be_a_list() -> None:
    schema = read_schema({"image": "photo", "choices": ["low", "high"]})
    assert schema.image is not None
    assert schema.image.column == "photo"
    assert schema.choices == {"low": "low", "high": "high"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"targett": "x"}, "unknown key 'targett'; did you mean 'target'?"),
        ({"columns": {"age": {"unti": "months"}}}, "unknown key 'unti'; did you mean 'unit'?"),
        ({"image": {"folderr": "x"}}, "unknown key 'folderr'; did you mean 'folder'?"),
        ({"task": "ranking"}, "'ordinal' or 'regression' (got 'ranking')"),
        ({"image": {"folder": "photos"}}, 'a `pattern` such as "{id}-*.jpg"'),
    ],
)
def test_a_wrong_key_or_value_is_named_with_the_right_one(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read_schema(values)
    assert message in str(error.value)


def test_a_schema_file_that_is_absent_or_no_mapping_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_schema(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- id\n- target\n")
    with pytest.raises(ConfigError, match="holds list, expected lines such as"):
        read_schema(tmp_path / "list.yaml")
    (tmp_path / "torn.yaml").write_text("id: [a, b\n")
    with pytest.raises(ConfigError, match="cannot be read as YAML"):
        read_schema(tmp_path / "torn.yaml")
    (tmp_path / "torn.yaml").write_text("id: a\n# columns:\n  b: {codes: {1: x}}\n")
    with pytest.raises(ConfigError, match=r"line 3: 'b: .*' cannot be read as YAML .* indented"):
        read_schema(tmp_path / "torn.yaml")


@pytest.mark.parametrize("header", [4, True, "true"])
def test_a_header_that_is_no_list_of_names_is_refused(header: object) -> None:
    with pytest.raises(ConfigError, match=r"names of all columns, such as \[id, size, label\]"):
        read_schema({"header": header})


def test_a_list_of_which_all_lines_are_deleted_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: a\nignore:\ntext:\ncolumns:\n")
    assert read_schema(tmp_path / "a.yaml") == Schema(id="a")


@pytest.mark.parametrize(
    ("schema", "numeric"),
    [
        (Schema(task="regression"), True),
        (Schema(task="classification", choices={0: "slow", 1: "fast"}), True),
        (Schema(task="classification", choices={"a": "a"}), False),
        (Schema(), False),
    ],
)
def test_targets_are_numbers_where_the_schema_says_so(schema: Schema, numeric: bool) -> None:
    assert numeric_target(schema) is numeric


def test_the_question_names_the_target_and_its_choices() -> None:
    schema = Schema(target="speed", task="classification", choices={0: "slow", 1: "fast"})
    assert question(schema) == {
        "task": "What is the most likely speed of this listing?",
        "choices": ["slow", "fast"],
    }


@pytest.mark.parametrize("key", ["~", "null"])
def test_a_code_that_yaml_reads_as_nothing_is_put_in_quotes(tmp_path: Path, key: str) -> None:
    (tmp_path / "schema.yaml").write_text(f"columns:\n  kind: {{codes: {{{key}: none known}}}}\n")
    with pytest.raises(ConfigError, match="put it in quotes"):
        read_schema(tmp_path / "schema.yaml")
