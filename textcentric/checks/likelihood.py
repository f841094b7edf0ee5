"""Likelihoods: how likely the source is to become the variant, and the variant the source.

After BARTScore (Yuan et al., 2021): mean log-probabilities of a language model, here of the one
that wrote. Forward, they come with the generation; backward, the model is asked how likely it is
that the source's tail follows the source's first words, where it was shown the variant.
"""

from __future__ import annotations

from textcentric.checks.edit import Edit

LOWEST = -8.0  # nats a token; what is less likely is counted as this
SYSTEM = "You edit listings. First comes a listing, then one task. Answer with the new text only."
TASK = "Say sentences in other words."
SHOTS = (
    ("The flat has a sunny kitchen near the station.",
     "The flat comes with a bright kitchen, close to the trains."),
    ("Please call me if you are interested.", "Please phone me if you want it."),
    ("My uncle found it behind our house last week.",
     "My uncle discovered it at the back of our home some days ago."),
)  # fmt: skip


def forward_part(edit: Edit) -> float | None:
    """Return the mean log-probability of what was written, at least LOWEST; None if not known."""
    return None if edit.logprob is None else max(LOWEST, edit.logprob)


def back_part(edit: Edit) -> float | None:
    """Return the mean log-probability of the source's tail, at least LOWEST; None if not known."""
    return None if edit.back is None else max(LOWEST, edit.back)


def back_reading(edit: Edit) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the (role, text) turns to ask with, and the text whose likelihood is wanted.

    The last turn is the beginning of the answer: the first words that source and variant share.
    """
    shots = "\n\n".join(f"Sentence: {after}\nOther words: {before}" for before, after in SHOTS)
    begin = edit.begin if edit.source.startswith(edit.begin) else ""
    opening = f"{shots}\n\nSentence: {edit.variant}\nOther words:{' ' if begin else ''}{begin}"
    turns = (("system", SYSTEM), ("user", f"{edit.variant}\n\n{TASK}"), ("assistant", opening))
    return turns, edit.source[len(begin) :].rstrip() if begin else f" {edit.source.strip()}"
