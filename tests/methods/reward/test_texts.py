"""Texts of like length are read together: what is computed stays what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.methods.reward.test_method import config_of, pairs
from textcentric.methods.reward import Reward
from textcentric.methods.reward.model import TOGETHER, rewards


class Seen:
    """Note the shape of every batch that a model reads."""

    def __init__(self, model: torch.nn.Module):
        self.shapes: list[tuple[int, ...]] = []
        model.register_forward_pre_hook(self._note, with_kwargs=True)

    def _note(self, module: Any, args: Any, kwargs: dict[str, Tensor]) -> None:
        self.shapes.append(tuple(kwargs["input_ids"].shape))


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_rewards_in_groups_are_those_of_each_text_alone(tmp_path: Path, kind: str) -> None:
    method = Reward(config_of(tmp_path, kind), pairs())
    rows = [pair for n, pair in enumerate(pairs()) if n != 3]
    rows[0] = rows[0].__class__(**{**_values(rows[0]), "prompt": "kind : dog ? " * 6})
    texts = method._texts(rows, proxy=False)
    seen = Seen(method.model.main)
    together = rewards(method.model.main, texts)
    assert len(seen.shapes) == -(-len(together) // TOGETHER)
    assert sum(n * t for n, t in seen.shapes) < texts["input_ids"].numel()
    alone = [
        rewards(method.model.main, {k: v[n : n + 1, :length] for k, v in texts.items()})
        for n, length in enumerate(texts["attention_mask"].sum(dim=1).tolist())
    ]
    torch.testing.assert_close(together, torch.cat(alone))


def _values(pair: Any) -> dict[str, Any]:
    return {name: getattr(pair, name) for name in pair.__dataclass_fields__}
