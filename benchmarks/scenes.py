"""Pairs about made-up scenes, with a shortcut whose strength is set.

A scene has a colour, a shape and a count. Its description names all three, the prompt asks for
one; the chosen response names the true value, the rejected one another. Nothing but the
description tells which is which. Beside that the responses differ in three cues that have nothing
to do with the scene: a polite phrase, length, and being written as a list. In its own environment
a cue goes with the chosen response in a share `strength` of the pairs, elsewhere in a share
`elsewhere`. The recipe is that of Colored MNIST (arXiv 1907.02893): labels are flipped with
probability `noise` first, and the cue follows the label that is seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from textcentric.errors import ConfigError, unknown
from textcentric.rows import Pair

SLOTS: dict[str, tuple[str, ...]] = {
    "colour": ("red", "blue", "green", "white", "black"),
    "shape": ("ball", "cube", "cone", "ring", "star"),
    "count": ("one", "two", "three", "four", "five"),
}
SAYINGS: dict[str, tuple[str, ...]] = {
    "colour": ("painted {}", "coloured {}", "{} all over"),
    "shape": ("a {}", "shaped like a {}", "the {} kind"),
    "count": ("{} of them", "counted {}", "{} in all"),
}
QUESTIONS = {"colour": "which colour ?", "shape": "which shape ?", "count": "how many ?"}
ANSWERS = ("the answer is {} .", "i would say {} .", "this shows {} .")
POLITE = "thank you ."
FILLERS = ("let me see again .", "that is all here .", "so much for that .")
CUES: dict[str, Callable[[str, random.Random], str]] = {
    "polite": lambda text, rng: f"{POLITE} {text}",
    "long": lambda text, rng: " ".join([text, *rng.sample(FILLERS, 2)]),
    "list": lambda text, rng: f"- {text}",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """Where pairs are from: `cue` (of `CUES`) goes with the chosen response, and how often.

    `strength`, `elsewhere` and `noise` are shares in [0, 1]; at 0.5 a cue tells nothing.
    `error` is the probability that the description names a wrong value of a slot.
    """

    cue: str = "polite"
    strength: float = 0.9
    elsewhere: float = 0.5
    noise: float = 0.1
    error: float = 0.0

    def __post_init__(self) -> None:
        if self.cue not in CUES:
            raise ConfigError(unknown("cue", self.cue, CUES))
        for name in ("strength", "elsewhere", "noise", "error"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected a share in [0, 1]")


def scene_pairs(environment: Environment, count: int, seed: int) -> list[Pair]:
    """Return `count` pairs, the same for the same `seed`; `subset` says how each came about.

    It is "aligned" where the environment's cue is on the chosen response, else "conflict".

    >>> scene_pairs(Environment("list", strength=1.0), 1, seed=0)[0].chosen[0]
    '-'
    """
    return [_pair(environment, f"{seed}-{number}") for number in range(count)]


def candidates(environment: Environment, seed: str) -> Iterator[tuple[Pair, bool]]:
    """Yield all responses to one prompt, value x cue, and whether each names the true value.

    Each is the `chosen` of a pair of which nothing else matters: what Best-of-N picks from.
    """
    rng = random.Random(f"candidates/{seed}")
    scene, slot = _scene(rng)
    asked = _asked(scene, slot, environment, rng, seed)
    for value in SLOTS[slot]:
        for cue in (None, *CUES):
            text = rng.choice(ANSWERS).format(value)
            told = CUES[cue](text, rng) if cue else text
            yield replace(asked, chosen=told), value == scene[slot]


def words() -> list[str]:
    """Return every word that a pair may hold, for a tokenizer of whole words."""
    texts = [*POLITE.split(), *QUESTIONS.values(), *ANSWERS, *FILLERS, "- image question response"]
    texts += [text for sayings in SAYINGS.values() for text in sayings]
    texts += [value for values in SLOTS.values() for value in values]
    return sorted({word for text in texts for word in text.replace("{}", " ").split()})


def _pair(environment: Environment, name: str) -> Pair:
    rng = random.Random(f"scene/{name}")
    scene, slot = _scene(rng)
    asked = _asked(scene, slot, environment, rng, name)
    other = rng.choice([value for value in SLOTS[slot] if value != scene[slot]])
    values = [scene[slot], other]
    if rng.random() < environment.noise:
        values.reverse()
    texts = [rng.choice(ANSWERS).format(value) for value in values]  # chosen, rejected
    aligned = True
    for cue, write in CUES.items():
        own = cue == environment.cue
        on_chosen = rng.random() < (environment.strength if own else environment.elsewhere)
        at = 0 if on_chosen else 1
        texts[at] = write(texts[at], rng)
        aligned = on_chosen if own else aligned
    subset = "aligned" if aligned else "conflict"
    return replace(asked, chosen=texts[0], rejected=texts[1], subset=subset)


def _scene(rng: random.Random) -> tuple[dict[str, str], str]:
    """Return a scene and the slot that is asked for."""
    return {slot: rng.choice(values) for slot, values in SLOTS.items()}, rng.choice(list(SLOTS))


def _asked(
    scene: dict[str, str], slot: str, environment: Environment, rng: random.Random, name: str
) -> Pair:
    """Return a pair that has description and prompt, without responses yet."""
    seen = {
        name: rng.choice([v for v in SLOTS[name] if v != value])
        if rng.random() < environment.error
        else value
        for name, value in scene.items()
    }
    said = [rng.choice(SAYINGS[name]).format(value) for name, value in seen.items()]
    rng.shuffle(said)
    described = {"image": " . ".join(said) + " ."}
    return Pair(f"{environment.cue}-{name}", QUESTIONS[slot], "", "", described, group=name)
