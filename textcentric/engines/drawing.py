"""How the transformers engine draws tokens: each row of a batch by its own values, to its own end.

A row draws from its own generator (Gumbel-max: adding the noise and taking the largest draws from
the softmax), so a seed gives its text whatever the batch holds, as far as the batched matrix
products round alike. B rows, V tokens in the vocabulary.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textcentric.engines.grammar import follow, keep_to
from textcentric.engines.protocol import Sampling

if TYPE_CHECKING:
    from llguidance import LLMatcher
    from torch import Generator, Tensor

TAIL = 8  # tokens of the prompt: enough to tell how its last word and the answer's first one meet
CUT_SHORT = "\ufffd"  # what the first bytes of a character decode to


class Row:
    """One answer that grows: `written` holds its tokens, `done` says that there is no more.

    `matcher` keeps it to a JSON schema; `problem` says why that ended it, empty where it did not.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        tokenizer: Any,
        ends: Collection[int],
        matcher: LLMatcher | None = None,
    ) -> None:
        self.prompt, self.sampling, self.matcher = prompt, sampling, matcher
        self.seen = set(prompt)
        self.tokenizer, self.ends = tokenizer, ends
        self.generator = _generator(sampling)
        self.written: list[int] = []
        self.done, self.problem = False, ""

    def choose(self, scores: Tensor) -> Tensor:
        """Return scores (V,) of which the largest is the token drawn."""
        return noisy(scores, self.seen, self.sampling, self.generator)

    def take(self, token: int) -> None:
        """Write `token`, which may be the last."""
        self.written.append(token)
        self.seen.add(token)
        if self.matcher is not None:
            self.problem = follow(self.matcher, token)
        full = len(self.written) >= self.sampling.max_tokens
        self.done = bool(full or self.ended or self.problem or self._stops())

    @property
    def ended(self) -> bool:
        """Say whether the model itself ended the answer."""
        return bool(self.written) and self.written[-1] in self.ends

    def _stops(self) -> bool:
        return bool(self.sampling.stop) and self.text()[1]

    def text(self) -> tuple[str, bool]:
        """Return the text written, cut before its first stop string, and whether there was one.

        It is read after the end of the prompt, or a tokenizer would drop the space before it.
        """
        kept = self.written[:-1] if self.ended else self.written
        whole = self._decoded([*self.prompt[-TAIL:], *kept])
        begun = self._decoded(self.prompt[-TAIL:])
        text = whole[len(begun) :] if whole.startswith(begun) else self._decoded(kept)
        return cut(text.rstrip(CUT_SHORT), self.sampling.stop)

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


class Draw:
    """A logits processor that leaves one token per row, and a criterion that stops rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._steps: list[Tensor] = []  # of each token (B,), its log-probability

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) in which each row's chosen token is the largest."""
        scores = scores.float()
        going = [(at, row) for at, row in enumerate(self.rows) if not row.done]
        for at, row in going:
            if row.matcher is not None:
                keep_to(row.matcher, scores[at])
        own = scores.log_softmax(-1)
        for at, row in going:
            scores[at] = row.choose(scores[at])
        chosen = scores.argmax(-1)  # (B,)
        self._steps.append(own.gather(1, chosen[:, None])[:, 0])
        tokens = chosen.tolist()
        for at, row in going:
            row.take(tokens[at])
        return scores

    def finished(self, input_ids: Tensor, scores: Tensor, **kwargs: object) -> Tensor:
        """Say which rows (B,) are done."""
        import torch

        return torch.tensor([row.done for row in self.rows], device=input_ids.device)

    @cached_property
    def logprobs(self) -> list[list[float]]:
        """Each row's log-probabilities of its tokens, before temperature, penalties and cuts.

        Under a JSON schema, those among the tokens that may come next, as vLLM has them.
        """
        import torch

        told = torch.stack(self._steps, dim=1).tolist()  # (B, T)
        return [row[: len(one.written)] for one, row in zip(self.rows, told, strict=True)]


def _generator(sampling: Sampling) -> Generator:
    """Return the row's generator, on the CPU so that a seed means the same on every device."""
    import torch

    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)
    return generator


def noisy(
    scores: Tensor, seen: AbstractSet[int], sampling: Sampling, generator: Generator | None
) -> Tensor:
    """Return one row's scores (V,) after penalty, temperature, the cuts and Gumbel noise.

    The penalty is for the tokens `seen`, in the prompt or the answer.
    """
    import torch

    if sampling.repetition_penalty != 1.0:
        at = torch.tensor(list(seen), dtype=torch.long, device=scores.device)
        old, penalty = scores[at], sampling.repetition_penalty
        scores = scores.index_copy(0, at, torch.where(old > 0, old / penalty, old * penalty))
    if sampling.temperature == 0:
        return scores
    scores = cut_tail(scores / sampling.temperature, sampling)
    noise = torch.empty(scores.shape[-1]).exponential_(generator=generator)
    return scores - noise.to(scores.device).log()


def cut_tail(scores: Tensor, sampling: Sampling) -> Tensor:
    """Set to minus infinity what top-k, top-p or min-p leave out of one row (V,)."""
    import torch

    out = torch.zeros_like(scores, dtype=torch.bool)
    if 0 < sampling.top_k < len(scores):
        out |= scores < scores.topk(sampling.top_k).values[-1]
    if sampling.top_p < 1:
        ordered, order = scores.masked_fill(out, float("-inf")).sort(descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
        out[order[before >= sampling.top_p]] = True
    if sampling.min_p > 0:
        probabilities = scores.softmax(-1)
        out |= probabilities < sampling.min_p * probabilities.max()
    return scores.masked_fill(out, float("-inf"))


def cut(text: str, stops: Collection[str]) -> tuple[str, bool]:
    """Cut `text` before the stop string that is complete first, and say whether there was one."""
    found = [(text.index(stop) + len(stop), text.index(stop)) for stop in stops if stop in text]
    return (text[: min(found)[1]], True) if found else (text, False)
