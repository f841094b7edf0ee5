"""The columns of a table by name and by label."""

from __future__ import annotations

from textcentric.data import load
from textcentric.data.memory import InHand, in_hand
from textcentric.data.named_columns import table_labels
from textcentric.data.schema import Schema
from textcentric.rows import Record


def test_columns_go_by_name_and_label_and_what_is_kept_out_is_none() -> None:
    rows = [{"id": "1", "cost_eur": "3", "sold": "yes", "note": "Calm.", "secret": "x", "b": "7"}]
    schema = {"target": "sold", "text": "note", "ignore": "secret",
              "columns": {"b": {"label": "Brand"}}}  # fmt: skip
    assert table_labels(in_hand(rows, schema)) == {
        "cost_eur": "cost eur", "cost eur": "cost eur", "b": "Brand", "Brand": "Brand",
    }  # fmt: skip


def test_rows_in_hand_have_the_columns_that_any_of_them_has() -> None:
    schema = Schema.model_validate({"columns": {"b": {"label": "Brand"}, "gone": {}}})
    records = [Record("1", {"text": "Calm."}), Record("2", {"table": {"Brand": 1, "cost eur": 2}})]
    assert table_labels(InHand(records, schema)) == {
        "b": "Brand", "Brand": "Brand", "cost eur": "cost eur", "cost_eur": "cost eur",
    }  # fmt: skip


def test_the_sample_has_its_columns_but_not_its_target() -> None:
    labels = table_labels(load("petfinder"))
    assert labels["FurLength"] == labels["Fur length"] == "Fur length"
    assert not {"AdoptionSpeed", "PetID", "Description"} & labels.keys()
