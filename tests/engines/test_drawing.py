"""How the transformers engine draws tokens: exact sampling on small numbers, and ends of rows."""

import math
from typing import Any

import pytest
import torch

from tests.support.tiny_models import byte_tokenizer
from textcentric.engines.drawing import Draw, Row, cut, cut_tail, noisy
from textcentric.engines.protocol import Sampling

INF = float("inf")
END = 0


def scores(*probabilities: float) -> Any:
    return torch.tensor(probabilities).log()


def kept(row: Any) -> list[int]:
    return [index for index, score in enumerate(row.tolist()) if score > -INF]


@pytest.mark.parametrize(
    ("sampling", "left"),
    [
        (Sampling(), [0, 1, 2, 3]),
        (Sampling(top_k=2), [1, 3]),
        (Sampling(top_p=0.5), [1]),
        (Sampling(top_p=0.51), [1, 3]),
        (Sampling(min_p=0.3), [1, 2, 3]),
        (Sampling(top_k=3, top_p=0.9), [1, 2, 3]),
    ],
    ids=str,
)
def test_the_tail_is_cut_as_asked(sampling: Sampling, left: list[int]) -> None:
    assert kept(cut_tail(scores(0.04, 0.5, 0.16, 0.3), sampling)) == left


def test_without_temperature_nothing_is_drawn() -> None:
    row = scores(0.1, 0.7, 0.2)
    assert noisy(row, set(), Sampling(temperature=0), None).tolist() == row.tolist()


def test_a_repetition_penalty_lowers_what_was_seen_whatever_its_sign() -> None:
    row = torch.tensor([2.0, -2.0, 1.0])
    sampling = Sampling(temperature=0, repetition_penalty=2.0)
    assert noisy(row, {0, 1}, sampling, None).tolist() == [1.0, -4.0, 1.0]


def test_draws_follow_the_probabilities() -> None:
    generator = torch.Generator().manual_seed(0)
    sampling, row = Sampling(temperature=1.0), scores(0.2, 0.5, 0.3)
    draws = [int(noisy(row, set(), sampling, generator).argmax()) for _ in range(4000)]
    for token, share in enumerate((0.2, 0.5, 0.3)):
        assert math.isclose(draws.count(token) / 4000, share, abs_tol=0.03)


# ---- rows


def row(text: str = "", prompt: str = "Say.\n", ended: bool = False, **values: Any) -> Row:
    """Return a row that has written `text`, byte by byte, until it was done."""
    tokenizer = byte_tokenizer()
    sampling = Sampling(**{"temperature": 0, "max_tokens": 50, **values})
    row = Row(tokenizer.encode(prompt), sampling, tokenizer, {END})
    for token in [*tokenizer.encode(text), *([END] if ended else [])]:
        if not row.done:
            row.take(token)
    return row


def test_a_row_is_done_at_its_end_its_limit_or_a_stop_string() -> None:
    assert not row("A dog").done
    assert row("A dog", ended=True).done
    full = row("A calm dog", max_tokens=6)
    assert (full.done, full.text()) == (True, ("A calm", False))
    stopped = row("A dog. END and STOP", stop=("STOP", "END"))
    assert (stopped.done, stopped.text()) == (True, ("A dog. ", True))
    assert len(stopped.written) == len("A dog. END")


def test_the_end_is_counted_and_not_shown() -> None:
    ended = row("A dog", ended=True)
    assert (ended.ended, len(ended.written), ended.text()) == (True, 6, ("A dog", False))


def test_text_ends_before_the_stop_string_that_is_complete_first() -> None:
    assert cut("A dog. END and STOP", ("STOP", "END")) == ("A dog. ", True)
    assert cut("one two", ("one two", "e t")) == ("on", True)
    assert cut("A dog.", ("END",)) == ("A dog.", False)


def test_half_a_character_is_left_out() -> None:
    assert row("A dog \N{DOG}", max_tokens=8).text() == ("A dog ", False)


def test_a_space_between_prompt_and_answer_is_kept() -> None:
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    words = {
        "\N{LOWER ONE EIGHTH BLOCK}" * (at > 1) + w: at
        for at, w in enumerate(("<e>", "<u>", "4,", "5"))
    }
    fast = Tokenizer(models.WordLevel(words, unk_token="<u>"))
    fast.decoder = decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=fast, eos_token="<e>", unk_token="<u>")
    assert tokenizer.decode([3]) == "5"
    row = Row([2], Sampling(temperature=0), tokenizer, {0})
    row.take(3)
    assert row.text() == (" 5", False)


def test_the_models_own_probability_is_kept_whatever_was_cut_or_drawn() -> None:
    samplings = [Sampling(temperature=0), Sampling(temperature=0.1, top_k=1, seed=3)]
    draw = Draw([Row([0], sampling, None, {9}) for sampling in samplings])
    for probabilities in ((0.1, 0.7, 0.2), (0.5, 0.25, 0.25)):
        draw(torch.zeros((2, 1), dtype=torch.long), torch.stack([scores(*probabilities)] * 2))
    expected = [math.log(0.7), math.log(0.5)]
    assert draw.logprobs == [pytest.approx(expected), pytest.approx(expected)]


def test_a_row_that_is_done_draws_no_more() -> None:
    rows = [Row([0], Sampling(temperature=0, max_tokens=size), None, {9}) for size in (1, 2)]
    draw, ids = Draw(rows), torch.zeros((2, 1), dtype=torch.long)
    for _ in range(2):
        draw(ids, torch.stack([scores(0.1, 0.9)] * 2))
    assert [row.written for row in rows] == [[1], [1, 1]]
    assert [len(logprobs) for logprobs in draw.logprobs] == [1, 2]
    assert draw.finished(ids, ids).tolist() == [True, True]
