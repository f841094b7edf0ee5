"""How data sets lay out preferences: one function a layout, from a row to pairs or reasons.

Column names and rules are those of the libraries and data sets named beside each function.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, product
from statistics import fmean
from typing import Any

from textcentric.data.pairs.messages import (
    apart,
    conversation,
    is_conversation,
    plain,
    role,
    transcript,
)
from textcentric.data.pairs.notation import as_list, parsed
from textcentric.data.pairs.pictures import pictures_of
from textcentric.data.pairs.questions import asked, prompt_column
from textcentric.data.readings import as_float
from textcentric.errors import DataError
from textcentric.rows import Pair
from textcentric.security.foreign import foreign
from textcentric.values import Cell

Row = Mapping[str, Any]
Found = Iterator[Pair | str]  # pairs, and why there is none where one was expected
DESCRIPTIONS = ("image_description", "description", "references")
SUBSETS = ("subset", "query_source", "Category")
RATINGS = (  # columns of how good both responses are
    ("score_chosen", "score_rejected"),
    ("chosen_score", "rejected_score"),
    ("chosen_rating", "rejected_rating"),
    ("chosen-rating", "rejected-rating"),
    ("rating_chosen", "rating_rejected"),
)
TIE = "both responses are rated alike"
UNRATED = "a rating cannot be read"
REVERSED = "chosen is rated below rejected"
IN_TEXT = "a picture stands in the text as base64; give it in a column images"
_SIGNS = ("data:image/", "/9j/", "iVBORw0KGgo", "R0lGOD")
_BASE64 = re.compile(r"data:image/[\w.+-]+;base64,|(?:/9j/|iVBORw0KGgo|R0lGOD)[\w+/]{100}")


@dataclass(frozen=True)
class Layout:
    """A layout: the columns that tell it from others, and how a row is read.

    `looks` settles it by the values of a row where columns do not.
    """

    columns: frozenset[str]
    read: Callable[[str, Row], Found]
    looks: Callable[[Row], bool] = lambda row: True

    def fits(self, columns: Sequence[str], row: Row) -> bool:
        """Say whether a table of `columns`, `row` its first, is laid out so."""
        return self.columns <= set(columns) and self.looks({**dict.fromkeys(columns), **row})


def read_sides(name: str, row: Row) -> Found:
    """Read chosen and rejected, each one response or several (TRL, LLaMA-Factory, RLAIF-V).

    The question stands in a column of its own, or both conversations begin with it. Of several
    responses each chosen one is paired with each rejected one.
    """
    both = _answers(row["chosen"]), _answers(row["rejected"])
    several = max(map(len, both)) > 1
    for (at, chosen), (to, rejected) in product(*map(enumerate, both)):
        called = f"{name}/{at}-{to}" if several else name
        yield _rated(row) or _between(called, row, chosen, rejected, name if several else None)


def read_rlhf_v(name: str, row: Row) -> Found:
    """Read question, chosen and rejected out of one JSON column (RLHF-V)."""
    told = parsed(row["text"]) if isinstance(row["text"], str) else row["text"]
    if not isinstance(told, Mapping) or not {"question", "chosen", "rejected"} <= set(told):
        yield "the JSON column text has no question, chosen and rejected"
        return
    yield from read_sides(name, {**row, **told})


def read_swift(name: str, row: Row) -> Found:
    """Read a conversation whose last message is chosen, and a rejected response (ms-swift).

    Rejected is a response, or a whole conversation in `rejected_messages`.
    """
    chosen = row.get("messages")
    if not is_conversation(chosen):
        yield "the column messages holds no conversation"
        return
    rejected = row.get("rejected_response") or row.get("rejected_messages")
    rest = {key: value for key, value in row.items() if key not in ("messages", "prompt")}
    yield from read_sides(name, {**rest, "chosen": chosen, "rejected": rejected})


def read_query(name: str, row: Row) -> Found:
    """Read a query, its response and a rejected response (ms-swift before version 3)."""
    both = {"chosen": row["response"], "rejected": row["rejected_response"]}
    yield from read_sides(name, {**row, **both})


def read_ranking(name: str, row: Row) -> Found:
    """Read an instruction and two outputs, the better one first (LLaMA-Factory's older form)."""
    outputs = as_list(row["output"])
    if len(outputs) != 2:
        yield "the column output holds not two responses, of which the first is the better"
        return
    yield from read_sides(name, {**row, "chosen": outputs[0], "rejected": outputs[1]})


def read_vl_feedback(name: str, row: Row) -> Found:
    """Pair all rated responses of a prompt, the better mean rating chosen (VLFeedback)."""
    rated = [(_mean_rating(one.get("annotations")), plain(one.get("response"))) for one in
             _records(row["completions"])]  # fmt: skip
    for (at, (first, one)), (to, (second, other)) in combinations(enumerate(rated), 2):
        if first is None or second is None:
            yield UNRATED
        elif first == second:
            yield TIE
        else:
            better, worse = (one, other) if first > second else (other, one)
            yield _pair(f"{name}/{at}-{to}", row, asked(row), better, worse, name)


def read_vl_reward_bench(name: str, row: Row) -> Found:
    """Read two responses and their ranks, 0 the better (VL-RewardBench)."""
    responses = as_list(row["response"])
    ranks = [float(str(rank)) for rank in as_list(row["human_ranking"])]
    if len(responses) != 2 or len(ranks) != 2:
        yield "there are not two responses with a rank each"
    elif ranks[0] == ranks[1]:
        yield TIE
    else:
        better = int(ranks[1] < ranks[0])
        chosen, rejected = plain(responses[better]), plain(responses[1 - better])
        yield _pair(name, row, asked(row), chosen, rejected)


def read_mm_reward_bench(name: str, row: Row) -> Found:
    """Read two outputs and the name of the better one (Multimodal RewardBench)."""
    better = str(row["Better"]).lower()
    outputs = {"output1": plain(row["Output1"]), "output2": plain(row["Output2"])}
    if better not in outputs:
        yield TIE if better in ("tie", "both") else UNRATED
        return
    chosen = outputs.pop(better)
    yield _pair(name, row, asked({**row, "prompt": row["Text"]}), chosen, *outputs.values())


def _of(*columns: str) -> frozenset[str]:
    return frozenset(columns)


def _of_llama_factory(row: Row) -> bool:
    return isinstance(row["chosen"], Mapping) or "conversations" in row or "instruction" in row


def _are_rated(row: Row) -> bool:
    rated = _records(row["completions"])
    return bool(rated) and "response" in rated[0] and prompt_column(row) is not None


def _is_ranked(row: Row) -> bool:
    return len(as_list(row["output"])) > 1


_OF_BENCH = _of("Text", "Output1", "Output2", "Better")
LAYOUTS: dict[str, Layout] = {  # the first that fits is taken
    "vl-feedback": Layout(_of("completions"), read_vl_feedback, _are_rated),
    "vl-rewardbench": Layout(_of("query", "response", "human_ranking"), read_vl_reward_bench),
    "mm-rewardbench": Layout(_OF_BENCH, read_mm_reward_bench),
    "ms-swift": Layout(_of("messages", "rejected_response"), read_swift),
    "ms-swift-messages": Layout(_of("messages", "rejected_messages"), read_swift),
    "ms-swift-query": Layout(_of("query", "response", "rejected_response"), read_query),
    "llama-factory": Layout(_of("chosen", "rejected"), read_sides, _of_llama_factory),
    "rlaif-v": Layout(_of("question", "chosen", "rejected"), read_sides),
    "trl": Layout(_of("chosen", "rejected"), read_sides),
    "llama-factory-ranking": Layout(_of("instruction", "output"), read_ranking, _is_ranked),
    "rlhf-v": Layout(_of("text"), read_rlhf_v, lambda row: "chosen" in str(row["text"])),
}


def said_of_picture(row: Row) -> dict[str, str]:
    """Return what a column says of the picture in words; lists are joined."""
    for name in DESCRIPTIONS:
        if value := row.get(name):
            said = as_list(value) if name == "references" else [value]
            return {"image": " ".join(map(plain, said))}
    return {}


def _answers(value: Cell) -> list[Cell]:
    """Return the responses of a cell: the one that it holds, or those that it lists."""
    value = transcript(value)
    if not isinstance(value, list) or is_conversation(value) or not value:
        return [value]
    if all(isinstance(one, Mapping) and "type" in one for one in value):
        return [value]  # the blocks of one content
    return [transcript(one) for one in value]


def _between(name: str, row: Row, chosen: Cell, rejected: Cell, group: str | None) -> Pair | str:
    """Return the pair of two responses, the turns that they share put before them."""
    one, other = (_turns(side) for side in (chosen, rejected))
    shared, one, other = _shared(one, other)
    return _pair(name, row, asked(row, shared), _said(one), _said(other), group)


def _turns(response: Cell) -> list[Any]:
    return list(response) if is_conversation(response) else [response]


def _shared(chosen: list[Any], rejected: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the turns before both responses, and the two; one may be given without them."""
    for long, short in ((chosen, rejected), (rejected, chosen)):
        if len(short) == 1 and len(long) > 1 and role(long[-2]) == "user":
            ends = (long[-1:], short) if long is chosen else (short, long[-1:])
            return long[:-1], *ends
    return apart(chosen, rejected)


def _said(turns: Sequence[Any]) -> str:
    return plain(turns[0]) if len(turns) == 1 else conversation(turns)


def _rated(row: Row) -> str:
    """Return why the two columns of ratings make no preference, "" where they do or are absent."""
    for names in RATINGS:
        ratings = [row.get(name) for name in names]
        if any(rating is None or rating == "" for rating in ratings):
            continue
        chosen, rejected = map(as_float, ratings)
        if chosen is None or rejected is None:
            return UNRATED
        if not math.isnan(chosen) and not math.isnan(rejected):
            return TIE if chosen == rejected else REVERSED if chosen < rejected else ""
    return ""


def _pair(
    name: str, row: Row, prompt: str, chosen: str, rejected: str, group: str | None = None
) -> Pair | str:
    margin = _number(row.get("margin"))
    if isinstance(margin, str):
        return margin
    images = pictures_of(row)
    group = str(row["group"]) if row.get("group") is not None else images[0] if images else group
    subset = next((row[column] for column in SUBSETS if column in row), None)
    return Pair(
        id=name,
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        descriptions=said_of_picture(row),
        images=images,
        margin=margin,
        group=group,
        subset=_word(subset),
        split=_word(row.get("split")),
    )


def _number(value: Any) -> float | str | None:
    """Return a margin as a number, None where there is none, else what is wrong with it."""
    if value is None or value == "":
        return None
    margin = as_float(value)
    return "the margin is not a finite number" if margin is None else margin


def _records(values: Cell) -> list[Row]:
    """Return a list of records, which `datasets` may hold as a record of lists."""
    values = parsed(values) if isinstance(values, str) else values
    if isinstance(values, Mapping):
        names = list(values)
        return [dict(zip(names, one, strict=True)) for one in zip(*values.values(), strict=True)]
    listed = as_list(values)
    return [one for one in listed if isinstance(one, Mapping)]


def _mean_rating(annotations: Any) -> float | None:
    """Return the mean of the aspects' ratings, None where one of them is no number."""
    with suppress(DataError), foreign("the ratings"):
        return fmean(float(one["Rating"]) for one in annotations.values())
    return None


def _word(value: Cell) -> str | None:
    return None if value is None else str(value)


def fault(pair: Pair) -> str:
    """Return why nothing can be learnt from `pair`, in a few words; "" where something can.

    >>> fault(Pair("1", "Is it red?", "Yes.", "Yes. "))
    'chosen and rejected are equal'
    """
    if not pair.chosen.strip() or not pair.rejected.strip():
        return "a response is empty"
    if pair.chosen.strip() == pair.rejected.strip():
        return "chosen and rejected are equal"
    if pair.margin is not None and not math.isfinite(pair.margin):
        return "the margin is not a finite number"
    if any(map(_holds_base64, (pair.prompt, pair.chosen, pair.rejected))):
        return IN_TEXT
    return ""


def _holds_base64(text: str) -> bool:
    return any(sign in text for sign in _SIGNS) and bool(_BASE64.search(text))
