"""What a text model reads: blocks, order, variants, dropping, and a fair cut."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.support.tiny_models import tiny_tokenizer
from textcentric.errors import ConfigError
from textcentric.methods.downstream.config import DownstreamConfig
from textcentric.methods.downstream.texts import (
    TextReader,
    check_parts,
    chosen,
    drawn_variants,
    fair_shares,
    training_parts,
)
from textcentric.models.tokens import padded
from textcentric.rows import Example

ROW = {"table": "kind : dog .", "text": "a calm dog", "image": "red ."}
VARIANTS = tuple({"text": f"variant {n}"} for n in range(10))


def reader(kind: str = "bert", **options: Any) -> TextReader:
    return TextReader(tiny_tokenizer(kind), **{"max_length": 20, "headers": True, **options})


def words(ids: np.ndarray) -> str:
    text: str = tiny_tokenizer().decode(ids.tolist())
    return text


def test_blocks_are_chosen_and_ordered_by_name() -> None:
    assert list(chosen(ROW, None)) == ["table", "text", "image"]
    assert chosen(ROW, ["image", "audio", "table"]) == {"image": "red .", "table": "kind : dog ."}


def test_a_part_that_only_an_attack_has_goes_last() -> None:
    attacked = {"distractor": "rain", **ROW}
    kept = chosen(attacked, ["text"], frozenset(ROW))
    assert list(kept) == ["text", "distractor"]


def test_a_part_that_no_row_has_is_told_the_nearest_name() -> None:
    config = DownstreamConfig.of({"parts": ["table", "sumary"]})
    rows = [Example("a", ROW), Example("b", {"summary": "s"})]
    with pytest.raises(ConfigError, match="unknown part 'sumary'; did you mean 'summary'"):
        check_parts(config, rows)
    assert check_parts(DownstreamConfig.of({}), rows) == {"table", "text", "image", "summary"}


def test_variants_are_drawn_by_seed_epoch_and_row_only() -> None:
    config = DownstreamConfig.of({"variants": 4})
    row = Example("r1", ROW, variants=VARIANTS)
    first = drawn_variants(row, config, 0)
    assert len(first) == 4
    assert len({variant["text"] for variant in first}) == 4
    assert drawn_variants(row, config, 0) == first
    assert drawn_variants(row, config, 1) != first
    assert drawn_variants(Example("r2", ROW, variants=VARIANTS), config, 0) != first
    other_seed = config.model_copy(update={"seed": 1})
    assert drawn_variants(row, other_seed, 0) != first


def test_over_many_epochs_every_variant_is_drawn_equally_often() -> None:
    config, row = DownstreamConfig.of({"variants": 2}), Example("r", ROW, variants=VARIANTS)
    drawn = Counter(v["text"] for epoch in range(2000) for v in drawn_variants(row, config, epoch))
    assert len(drawn) == 10
    assert all(320 < times < 480 for times in drawn.values())


def test_a_row_with_fewer_variants_brings_those_it_has() -> None:
    config = DownstreamConfig.of({"variants": 4})
    assert len(drawn_variants(Example("r", ROW, variants=VARIANTS[:3]), config, 0)) == 3
    assert drawn_variants(Example("r", ROW), config, 0) == []


def test_the_share_of_rows_that_bring_variants_is_the_one_asked_for() -> None:
    config = DownstreamConfig.of({"variant_share": 0.25})
    rows = [Example(str(n), ROW, variants=VARIANTS) for n in range(2000)]
    share = sum(bool(drawn_variants(row, config, 0)) for row in rows) / len(rows)
    assert share == pytest.approx(0.25, abs=0.03)


def test_without_options_a_training_text_is_the_row_itself() -> None:
    assert training_parts(ROW, DownstreamConfig.of({}), 3, "r", 0) == ROW


def test_dropping_is_drawn_for_each_text_and_epoch() -> None:
    config = DownstreamConfig.of({"dropout_levels": [0, 0.3, 0.6]})
    row = {"text": " ".join(f"w{n}" for n in range(50))}
    first = training_parts(row, config, 0, "r", 0)
    assert training_parts(row, config, 0, "r", 0) == first
    kept = [len(training_parts(row, config, e, "r", 0)["text"].split()) for e in range(300)]
    assert {length == 50 for length in kept} == {True, False}
    assert kept.count(50) / 300 == pytest.approx(1 / 3, abs=0.08)
    assert np.mean(kept) == pytest.approx(50 * (1 + 0.7 + 0.4) / 3, abs=2)
    texts = {training_parts(row, config, 0, "r", number)["text"] for number in range(8)}
    assert len(texts) > 3


def test_modality_dropout_leaves_at_least_one_part() -> None:
    config = DownstreamConfig.of({"modality_dropout": 0.6})
    sizes = [len(training_parts(ROW, config, epoch, "r", 0)) for epoch in range(200)]
    assert set(sizes) == {1, 2, 3}
    assert training_parts({}, config, 0, "r", 0) == {}


def test_order_shuffle_gives_every_order() -> None:
    config = DownstreamConfig.of({"order_shuffle": True})
    orders = {tuple(training_parts(ROW, config, epoch, "r", 0)) for epoch in range(100)}
    assert len(orders) == 6
    assert training_parts(ROW, config, 0, "r", 0) == ROW  # as a mapping


def test_a_row_reads_as_headed_blocks_between_special_tokens() -> None:
    [ids] = reader().read([{"table": "kind : dog .", "text": "A calm dog"}])
    assert words(ids) == "[CLS] table : kind : dog . text : a calm dog [SEP]"
    [ids] = reader(headers=False).read([{"table": "kind : dog .", "text": ""}])
    assert words(ids) == "[CLS] kind : dog . [SEP]"


def test_what_is_remembered_reads_the_same() -> None:
    one = reader()
    rows = [ROW, {"text": "a calm dog"}, ROW]
    first = [ids.tolist() for ids in one.read(rows)]
    assert [ids.tolist() for ids in one.read(rows)] == first
    assert [ids.tolist() for ids in one.read(rows, remember=False)] == first
    assert [ids.tolist() for ids in reader().read(rows, remember=False)] == first


def test_short_blocks_stay_whole_and_long_ones_share_the_rest() -> None:
    assert fair_shares([3, 50, 20], 30) == [3, 14, 13]
    assert fair_shares([10, 10], 30) == [10, 10]
    assert fair_shares([100, 1, 100], 21) == [10, 1, 10]
    assert fair_shares([5, 5, 5], 2) == [1, 1, 0]
    assert fair_shares([], 5) == []


def test_a_row_that_is_too_long_keeps_the_beginning_of_every_block() -> None:
    long = {"table": "kind : dog . " * 20, "text": "calm cat " * 20, "image": "red"}
    [ids] = reader().read([long])
    assert len(ids) == 20
    assert words(ids).endswith("image : red [SEP]")
    assert "text : calm cat" in words(ids)


def test_a_special_token_in_the_text_of_a_row_is_plain_characters() -> None:
    [ids] = reader(headers=False).read([{"text": "dog [SEP] cat"}])
    assert ids.tolist().count(3) == 1


def test_a_decoder_gets_no_special_tokens_and_an_empty_row_one_token() -> None:
    one = reader("gpt2")
    read = one.read([{"text": "calm"}, {}])
    assert [ids.tolist() for ids in read] == [one.read([{"text": "calm"}])[0].tolist(), [3]]
    assert one.pad == 3


def test_an_empty_row_of_an_encoder_is_its_special_tokens() -> None:
    assert reader().read([{}])[0].tolist() == [2, 3]


def test_batches_are_as_long_as_their_longest_row() -> None:
    ids, mask = padded([np.array([5, 6]), np.array([7])], pad=0)
    assert ids.tolist() == [[5, 6], [7, 0]]
    assert mask.tolist() == [[1, 1], [1, 0]]
