"""How data sets lay out preferences: one function a layout, from a row to pairs or reasons.

Column names and rules are those of the libraries and data sets named beside each function.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from textcentric.data.pairs.messages import apart, conversation, is_conversation, plain
from textcentric.errors import DataError
from textcentric.rows import Pair
from textcentric.values import Cell

Row = Mapping[str, Any]
Found = Iterator[Pair | str]  # pairs, and why there is none where one was expected
IMAGES = ("images", "image", "img_path", "image_path", "Image")
PROMPTS = ("prompt", "question", "query")
DESCRIPTIONS = ("image_description", "description", "references")
TIE = "both responses are rated alike"
UNRATED = "a rating cannot be read"


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
        return self.columns <= set(columns) and self.looks(row)


def read_trl(name: str, row: Row) -> Found:
    """Read chosen and rejected, with the prompt beside them or as their beginning (TRL)."""
    chosen, rejected = row["chosen"], row["rejected"]
    prompt = _prompt(row)
    if is_conversation(chosen) and is_conversation(rejected):
        shared, chosen, rejected = apart(chosen, rejected)
        prompt = [*prompt, *shared] if is_conversation(prompt) else prompt or shared
    yield _pair(name, row, prompt, _said(chosen), _said(rejected))


def read_rlhf_v(name: str, row: Row) -> Found:
    """Read question, chosen and rejected out of one JSON column (RLHF-V)."""
    try:
        told = json.loads(row["text"]) if isinstance(row["text"], str) else dict(row["text"])
        question, chosen, rejected = told["question"], told["chosen"], told["rejected"]
    except (ValueError, KeyError, TypeError):
        yield "the JSON column text has no question, chosen and rejected"
        return
    yield _pair(name, row, question, plain(chosen), plain(rejected))


def read_rlaif_v(name: str, row: Row) -> Found:
    """Read question, chosen and rejected (RLAIF-V)."""
    yield _pair(name, row, row["question"], plain(row["chosen"]), plain(row["rejected"]))


def read_swift(name: str, row: Row) -> Found:
    """Read a conversation whose last message is chosen, and a rejected response (ms-swift)."""
    messages = row["messages"] or []
    if not is_conversation(messages):
        yield "the column messages holds no conversation"
        return
    rejected = _said(row["rejected_response"])
    yield _pair(name, row, messages[:-1], plain(messages[-1]), rejected)


def read_llama_factory(name: str, row: Row) -> Found:
    """Read a conversation, or an instruction and its input, and two responses (LLaMA-Factory)."""
    prompt = row.get("conversations")
    if prompt is None:
        prompt = "\n".join(filter(None, (plain(row.get(n)) for n in ("instruction", "input"))))
    yield _pair(name, row, prompt, plain(row["chosen"]), plain(row["rejected"]))


def read_vl_feedback(name: str, row: Row) -> Found:
    """Pair all rated responses of a prompt, the better mean rating chosen (VLFeedback)."""
    rated = [(_mean_rating(one.get("annotations")), plain(one.get("response"))) for one in
             _listed(row["completions"])]  # fmt: skip
    for (at, (first, one)), (to, (second, other)) in combinations(enumerate(rated), 2):
        if first is None or second is None:
            yield UNRATED
        elif first == second:
            yield TIE
        else:
            better, worse = (one, other) if first > second else (other, one)
            yield _pair(f"{name}/{at}-{to}", row, row["prompt"], better, worse)


def read_vl_reward_bench(name: str, row: Row) -> Found:
    """Read two responses and their ranks, 0 the better (VL-RewardBench)."""
    responses, ranks = list(row["response"]), list(row["human_ranking"])
    if len(responses) != 2 or len(ranks) != 2:
        yield "there are not two responses with a rank each"
    elif ranks[0] == ranks[1]:
        yield TIE
    else:
        better = int(ranks[1] < ranks[0])
        chosen, rejected = plain(responses[better]), plain(responses[1 - better])
        yield _pair(name, row, row["query"], chosen, rejected)


def read_mm_reward_bench(name: str, row: Row) -> Found:
    """Read two outputs and the name of the better one (Multimodal RewardBench)."""
    better = str(row["Better"]).lower()
    outputs = {"output1": plain(row["Output1"]), "output2": plain(row["Output2"])}
    if better not in outputs:
        yield TIE if better in ("tie", "both") else UNRATED
        return
    chosen = outputs.pop(better)
    yield _pair(name, row, row["Text"], chosen, *outputs.values())


def _of(*columns: str) -> frozenset[str]:
    return frozenset(columns)


def _of_llama_factory(row: Row) -> bool:
    return isinstance(row["chosen"], Mapping) or "conversations" in row or "instruction" in row


LAYOUTS: dict[str, Layout] = {  # the first that fits is taken
    "vl-feedback": Layout(_of("prompt", "completions"), read_vl_feedback),
    "vl-rewardbench": Layout(_of("query", "response", "human_ranking"), read_vl_reward_bench),
    "mm-rewardbench": Layout(_of("Text", "Output1", "Output2", "Better"), read_mm_reward_bench),
    "ms-swift": Layout(_of("messages", "rejected_response"), read_swift),
    "llama-factory": Layout(_of("chosen", "rejected"), read_llama_factory, _of_llama_factory),
    "rlaif-v": Layout(_of("question", "chosen", "rejected"), read_rlaif_v),
    "trl": Layout(_of("chosen", "rejected"), read_trl),
    "rlhf-v": Layout(_of("text"), read_rlhf_v, lambda row: "chosen" in str(row["text"])),
}


def find_layout(columns: Sequence[str], row: Row, path: str) -> str:
    """Return the name of the layout of a table; raises DataError where none fits."""
    for name, layout in LAYOUTS.items():
        if layout.fits(columns, row):
            return name
    tried = "; ".join(f"{n} ({', '.join(sorted(one.columns))})" for n, one in LAYOUTS.items())
    raise DataError(
        f"{path} has the columns {', '.join(columns)}, in which no layout of preferences is"
        f" found; tried: {tried}. Rename columns, or give them in TRL's: prompt, chosen, rejected"
    )


def said_prompt(row: Row) -> str:
    """Return the prompt of a row as plain text, "" where it has none."""
    prompt = _prompt(row)
    return conversation(prompt) if is_conversation(prompt) else plain(prompt)


def said_of_picture(row: Row) -> dict[str, str]:
    """Return what a column says of the picture in words; lists are joined."""
    for name in DESCRIPTIONS:
        value = row.get(name)
        if value:
            return {"image": " ".join(map(str, value)) if isinstance(value, list) else str(value)}
    return {}


def pictures_of(row: Row) -> tuple[Any, ...]:
    """Return the pictures of a row: files, or data."""
    for name in IMAGES:
        value = row.get(name)
        if value is not None and value != "":
            return tuple(value) if isinstance(value, list) else (value,)
    return ()


def _prompt(row: Row) -> Cell:
    return next((row[name] for name in PROMPTS if row.get(name) is not None), "")


def _pair(name: str, row: Row, prompt: Cell, chosen: str, rejected: str) -> Pair | str:
    margin = _number(row.get("margin"))
    if isinstance(margin, str):
        return margin
    images = pictures_of(row)
    group = row.get("group")
    if group is None and images and isinstance(images[0], str):
        group = images[0]
    return Pair(
        id=name,
        prompt=conversation(prompt) if is_conversation(prompt) else plain(prompt),
        chosen=chosen,
        rejected=rejected,
        descriptions=said_of_picture(row),
        images=images,
        margin=margin,
        group=None if group is None else str(group),
        subset=_word(row.get("subset", row.get("query_source", row.get("Category")))),
        split=_word(row.get("split")),
    )


def _number(value: Any) -> float | str | None:
    """Return a margin as a number, None where there is none, else what is wrong with it."""
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return "the margin is not a finite number"


def _said(value: Cell) -> str:
    """Return a response: plain text, a message, or the last messages of a conversation."""
    return conversation(value) if is_conversation(value) and len(value) > 1 else plain(value)


def _listed(values: Any) -> list[Row]:
    """Return a list of records, which `datasets` may hold as a record of lists."""
    if isinstance(values, Mapping):
        names = list(values)
        return [dict(zip(names, one, strict=True)) for one in zip(*values.values(), strict=True)]
    return list(values or [])


def _mean_rating(annotations: Any) -> float | None:
    """Return the mean of the aspects' ratings, None where one of them is no number."""
    try:
        return fmean(float(one["Rating"]) for one in annotations.values())
    except (AttributeError, KeyError, TypeError, ValueError):
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
    return ""
