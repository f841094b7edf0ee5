"""A reward model as a method of the training loop.

>>> pairs = read_pairs("pairs.jsonl").pairs                                    # doctest: +SKIP
>>> method = Reward(RewardConfig(reward_objective="sfc"), pairs)               # doctest: +SKIP
>>> train(method, TrainConfig(output_dir="models/reward"), pairs)              # doctest: +SKIP
>>> Reward.load("models/reward").score([Item({"image": "A red ball."}, "Which colour?", "Red.")])
array([1.3], dtype=float32)                                                    # doctest: +SKIP

Legend: B pairs, N texts, T tokens.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from textcentric.data.media.pictures import PictureError
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.experts.picture_features import BLANK, Eyes
from textcentric.folders import write_text
from textcentric.methods.reward.config import RewardConfig
from textcentric.methods.reward.model import (
    MAIN,
    Branches,
    Texts,
    build_branches,
    halves,
    load_main,
    load_projector,
    save_branches,
)
from textcentric.methods.reward.objective import (
    Rewards,
    bradley_terry,
    failure_coefficient,
    off_centre,
    shortcut_aware,
)
from textcentric.methods.reward.pairs import check_pairs, digest, margins_in_words, margins_of
from textcentric.methods.reward.pictures import Projector
from textcentric.methods.reward.texts import Ids, ResponseReader
from textcentric.methods.reward.worth import rule_of_length, worth
from textcentric.models.loading import Network, load_tokenizer, longest_text, source
from textcentric.models.received import check_model, code_allowed, needs_word
from textcentric.models.tokens import padded
from textcentric.rows import Balance, Pair
from textcentric.security.foreign import foreign
from textcentric.security.trust import writing_ours
from textcentric.training.folder import read_metadata
from textcentric.values import Json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PAPERS, FORMAT = "reward.json", 1
NEEDS = ("config", "data")  # keys of that file
_PROXY = "proxy_"


class Item(NamedTuple):
    """A response to score, its prompt, and what is said of the rest; or why it has no score."""

    descriptions: Mapping[str, str]
    prompt: str
    response: str
    name: str = ""
    images: tuple[str, ...] = ()
    problem: str = ""


class Reading(NamedTuple):
    """What a branch reads: token ids, and the pictures that stand among them."""

    ids: Ids
    images: tuple[str, ...] = ()


class Reward:
    """A reward model, its proxy if it has one, and how both read a pair.

    With `vision_model` the pictures of pairs are files in `image_dir`. Raises DataError for pairs
    that nothing can be learnt from (see `fault` and `too_long`), ConfigError for what does not fit
    together.
    """

    name = "reward"
    on_batch: Callable[[int, int], None] | None = None  # told how many of how many are read
    balance: Balance | None = None  # of the pairs that were trained on, where it is known
    notes: tuple[str, ...] = ()
    held_out: dict[str, Json] | None = None  # where its pairs are from, and what they show

    def __init__(
        self, config: RewardConfig, pairs: Sequence[Pair], image_dir: str | Path | None = None
    ):
        check_pairs(config, pairs)
        self.config = config
        self.eyes = _eyes(config, image_dir)
        if self.eyes:
            self.eyes.look([file for pair in pairs for file in pair.images])
        features = self.eyes.shape[1] if self.eyes else None
        tokenizer = load_tokenizer(config, source(config.model))
        self.model = build_branches(config, tokenizer, features)
        self.reader = _reader(config, tokenizer, self.model.main, self.eyes)
        self._places = {pair.id: at for at, pair in enumerate(pairs)} if config.sfc_ema else {}
        if config.sfc_ema:
            self.model.register_buffer("smoothed", torch.full((len(pairs), 2), torch.nan))
        self._data = digest(pairs, self.eyes)
        self.margins = margins_of(pairs)
        self.notes = (margins_in_words(self.margins),) if self.margins else ()

    def collate(self, rows: Sequence[Pair], epoch: int) -> dict[str, Tensor]:
        """Return a micro-batch: B chosen texts, then the B rejected ones.

        `input_ids`, `attention_mask` (2B, T), with pictures also `places` (2B, T) and `features`
        (M, F); the same as `proxy_...` where there is a proxy; `margin` (B,), 0 where a pair has
        none; `place` (B,), the pair's number.
        """
        batch = self._texts(rows, proxy=False)
        if self.config.proxied:
            batch |= {_PROXY + k: v for k, v in self._texts(rows, proxy=True).items()}
        margins = [pair.margin or 0.0 for pair in rows]
        places = [self._places.get(pair.id, 0) for pair in rows]
        return {
            **batch,
            "margin": torch.tensor(margins, dtype=torch.float32),
            "place": torch.tensor(places),
        }

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the objective of each pair (B,); both branches go through one call."""
        proxied = {k.removeprefix(_PROXY): v for k, v in batch.items() if k.startswith(_PROXY)}
        main, proxy_losses = model(batch, proxied or None, batch["margin"])
        rewards = halves(main)
        losses = bradley_terry(rewards, batch["margin"])
        if proxy_losses is not None:
            weights = self._weights(*self._smoothed(losses, proxy_losses, batch["place"]))
            alone = weights * losses
            losses = alone if self.model.frozen else shortcut_aware(weights, losses, proxy_losses)
        return losses + self.config.center_rewards_coefficient * off_centre(rewards)

    def lengths(self, rows: Sequence[Pair]) -> list[int]:
        """Return the tokens of the longer text of each pair."""
        if self.config.sfc_ema and int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise ConfigError("sfc_ema keeps the losses of one process; start one, or leave it 0")
        return [max(map(len, self.reader.both(pair))) for pair in rows]

    def evaluate(self, rows: Sequence[Pair], batch_size: int) -> dict[str, float]:
        """Return loss, accuracy (ties count half) and margin, and how the proxy does.

        The loss is Bradley-Terry with the margins of pairs that have one, unweighted, uncentred.
        """
        main, proxy = self._pair_rewards(rows, batch_size)
        margins = torch.tensor([pair.margin or 0.0 for pair in rows])
        losses = bradley_terry(main, margins)
        metrics = {
            "loss": float(losses.mean()),
            "accuracy": accuracy(main),
            "margin": float(main.difference.mean()),
        }
        if proxy is None:
            return metrics
        proxy_losses = bradley_terry(proxy, margins)
        weights = failure_coefficient(losses, proxy_losses, self.config.sfc_eps)
        low, high = torch.quantile(weights, torch.tensor([0.1, 0.9])).tolist()
        return metrics | {
            "proxy_loss": float(proxy_losses.mean()),
            "proxy_accuracy": accuracy(proxy),
            "proxy_wrong": float((proxy.difference < 0).float().mean()),
            "sfc_mean": float(weights.mean()),
            "sfc_p10": low,
            "sfc_p90": high,
        }

    def differences(
        self, pairs: Sequence[Pair], batch_size: int = 64
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return chosen - rejected (N,) of the model, and of its proxy where it has one."""
        main, proxy = self._pair_rewards(pairs, batch_size)
        return main.difference.numpy(), None if proxy is None else proxy.difference.numpy()

    def score(self, items: Sequence[Item], batch_size: int = 32) -> np.ndarray:
        """Return the reward (N,) of each response, in the order of the items.

        Raises DataError, with the item's name, for a response that is empty or would be cut.
        """
        for item in items:
            if why := self.fault(item):
                raise DataError(f"item {item.name!r}: {why}", row_id=item.name)
        return self._scores([self._reading(item) for item in items], batch_size)

    def fault(self, item: Item) -> str:
        """Return why `item` cannot be scored, "" where it can."""
        if item.problem:
            return item.problem
        if not item.response.strip():
            return "the response is empty; leave it out"
        if why := self._unseen(item):
            return why
        tokens, most = self.reader.response_tokens(item.response, len(item.images))
        if tokens > most:
            return f"the response has {tokens} tokens and would be cut at {most}; raise max_length"
        return ""

    def _unseen(self, item: Item) -> str:
        """Return why the pictures of `item` cannot be seen, "" where they can or need not be."""
        if self.eyes is None:
            return ""
        if not item.images:
            return f"it has no picture, which {self.config.vision_model!r} is to see"
        try:
            self.eyes.look(item.images)
        except PictureError as error:
            return str(error)
        return ""

    def merge(self) -> None:
        """Fold the LoRA adapter into the model's weights; scores stay, up to rounding."""
        if not self.config.use_peft:
            raise ConfigError("there is no adapter to merge: use_peft is off")
        main = self.model.main
        main.set_adapter(MAIN)
        merged = Branches(main.merge_and_unload(adapter_names=[MAIN]))
        if self.eyes:
            merged.see_by(MAIN, self.model.projector(MAIN))
        self.model = merged
        changes = {"use_peft": False, "reward_objective": "bt", "save_proxy": False}
        changes |= {"proxy_model_name_or_path": None, "proxy_schedule": "joint"}
        changes |= {"sfc_normalize": False, "sfc_shuffle": False}
        self.config = self.config.model_copy(update=changes)

    def finish(
        self, rows: Sequence[Pair], held_out: Sequence[Pair], batch_size: int
    ) -> dict[str, float]:
        """Look at what held-out pairs show, where they are to be evaluated.

        The figures go into `reward.json`, and into `notes` where they show nothing.
        """
        if self.held_out is None or not held_out:
            return {}
        differences = self._rewards(held_out, batch_size, proxy=False).difference.numpy()
        found = worth(differences, held_out, rule_of_length(rows))
        self.held_out |= found.figures()
        self.notes += (found.note(),) if found.note() else ()
        return {"length_alone": found.length["value"]}

    def save(self, folder: str | Path) -> None:
        """Write the model (or adapter and head), its tokenizer and `reward.json`."""
        folder = Path(folder)
        with writing_ours(folder):
            save_branches(self.model, self.config, folder)
            tokenizer = self.reader.tokenizer
            tokenizer.save_pretrained(folder)
            metadata = {"format": FORMAT, "config": self.config.model_dump(mode="json")}
            metadata |= {"data": self._data, "balance": self.balance}
            metadata |= {"margins": self.margins, "held_out": self.held_out}
            write_text(folder / PAPERS, json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(
        cls,
        folder: str | Path,
        image_dir: str | Path | None = None,
        *,
        trust_remote_code: bool = False,
    ) -> Reward:
        """Return what `save` wrote, ready to score, without a proxy; raises RunError.

        A model that sees pictures reads them in `image_dir`. Code in the folder runs with
        `trust_remote_code`, or where the folder is trusted; raises TrustError where it is needed,
        or the folder names another model, and nobody here said so.
        """
        folder = Path(folder)
        check_model(folder)
        metadata = read_metadata(folder, PAPERS, FORMAT, "reward model", "train reward", NEEDS)
        method = cls.__new__(cls)
        with foreign(str(folder / PAPERS), RunError, cure="; copy the folder again"):
            config = RewardConfig.of(metadata["config"])
        needs_word(folder, config, vision_model=config.vision_model)
        allowed = code_allowed(folder, config.trust_remote_code, trust_remote_code)
        method.config = config.model_copy(update={"trust_remote_code": allowed})
        tokenizer = load_tokenizer(method.config, str(folder))
        method.eyes = _eyes(method.config, image_dir)
        method.model = Branches(load_main(method.config, folder, tokenizer))
        if method.eyes:
            width = method.model.main.get_input_embeddings().weight.shape[1]
            projector = Projector(method.eyes.shape[1], width)
            load_projector(projector, folder)
            method.model.see_by(MAIN, projector)
        method.reader = _reader(method.config, tokenizer, method.model.main, method.eyes)
        method._places = {}
        method._data, method.balance = metadata["data"], metadata.get("balance")
        method.margins, method.held_out = metadata.get("margins"), metadata.get("held_out")
        method.notes = ()
        return method

    def fingerprint(self) -> dict[str, Json]:
        """Return the configuration and a digest of the training pairs."""
        config = self.config.model_dump(mode="json")
        return {"method": self.name, "config": config, "data": self._data}

    def _texts(self, rows: Sequence[Pair], *, proxy: bool) -> dict[str, Tensor]:
        both = [self._read(pair, proxy=proxy) for pair in rows]
        return self._batch([one for side in zip(*both, strict=True) for one in side])

    def _read(self, pair: Pair, *, proxy: bool) -> tuple[Reading, Reading]:
        """Return how chosen and rejected are read, by the model or by the proxy."""
        chosen, rejected = self.reader.both(pair, proxy=proxy)
        images = tuple(BLANK for _ in pair.images) if proxy else pair.images
        return Reading(chosen, images), Reading(rejected, images)

    def _reading(self, item: Item) -> Reading:
        pictures = len(item.images)
        ids = self.reader.read(item.descriptions, item.prompt, item.response, item.name, pictures)
        return Reading(ids, item.images)

    def _batch(self, readings: Sequence[Reading]) -> dict[str, Tensor]:
        ids, mask = padded([one.ids for one in readings], self.reader.pad)
        batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if self.eyes:
            places = torch.zeros(ids.shape, dtype=torch.bool)
            for row, one in enumerate(readings):
                places[row, self.reader.places(len(one.images))] = True
            features = [self.eyes.features(one.images) for one in readings]
            batch |= {"places": places, "features": torch.cat(features)}
        return batch

    def _smoothed(self, main: Tensor, proxy: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Return both losses (B,) averaged with those of earlier epochs, where `sfc_ema` says so.

        As in Learning from Failure (arXiv 2007.02561), whose weights have the same form.
        """
        decay = self.config.sfc_ema
        if not decay:
            return main, proxy
        now = torch.stack([main, proxy], dim=1).detach()  # (B, 2)
        before = self.model.smoothed[place]
        now = torch.where(before.isnan(), now, decay * before + (1 - decay) * now)
        if self.model.training:
            self.model.smoothed[place] = now
        return now[:, 0], now[:, 1]

    def _weights(self, main: Tensor, proxy: Tensor) -> Tensor:
        """Return the weight of each pair's own loss (B,)."""
        weights = failure_coefficient(main, proxy, self.config.sfc_eps)
        if self.config.sfc_shuffle:
            weights = weights[torch.randperm(len(weights), device=weights.device)]
        return weights / weights.mean() if self.config.sfc_normalize else weights

    def _pair_rewards(self, rows: Sequence[Pair], size: int) -> tuple[Rewards, Rewards | None]:
        main = self._rewards(rows, size, proxy=False)
        if not self.config.proxied or (self.model.proxy is None and not self.model.shared):
            return main, None
        return main, self._rewards(rows, size, proxy=True)

    def _rewards(self, rows: Sequence[Pair], size: int, *, proxy: bool) -> Rewards:
        flat = [one for pair in rows for one in self._read(pair, proxy=proxy)]
        told = torch.from_numpy(self._scores(flat, size, proxy=proxy))
        return Rewards(told[0::2], told[1::2])

    def _scores(
        self, readings: Sequence[Reading], batch_size: int, *, proxy: bool = False
    ) -> np.ndarray:
        """Return the rewards (N,) of readings, those of like length together, dropout off."""
        if batch_size < 1:
            raise ConfigError(f"batch_size is {batch_size}, expected a number from 1 up")
        order = sorted(range(len(readings)), key=lambda at: len(readings[at].ids))
        told = np.zeros(len(readings), np.float32)
        training, device = self.model.training, next(self.model.parameters()).device
        self.model.eval()
        try:
            with torch.inference_mode():
                for start in range(0, len(order), batch_size):
                    places = order[start : start + batch_size]
                    batch = self._batch([readings[one] for one in places])
                    texts = {name: value.to(device) for name, value in batch.items()}
                    told[places] = self._told(texts, proxy).cpu().numpy()
                    if self.on_batch:
                        self.on_batch(start + len(places), len(order))
        finally:
            self.model.train(training)
        return told

    def _told(self, texts: Texts, proxy: bool) -> Tensor:
        return self.model.proxy_rewards(texts) if proxy else self.model(texts)[0]


def accuracy(rewards: Rewards) -> float:
    """Return the share of pairs whose chosen response has the higher reward; ties count half."""
    difference = rewards.difference
    return float(((difference > 0).float() + 0.5 * (difference == 0).float()).mean())


def _eyes(config: RewardConfig, image_dir: str | Path | None) -> Eyes | None:
    if config.vision_model is None:
        return None
    return Eyes(config.vision_model, image_dir, trust_remote_code=config.trust_remote_code)


def _reader(
    config: RewardConfig, tokenizer: PreTrainedTokenizerBase, model: Network, eyes: Eyes | None
) -> ResponseReader:
    limit = longest_text(model, tokenizer)
    if limit is not None and config.max_length > limit:
        raise ConfigError(
            f"max_length={config.max_length}: model {config.model!r} takes {limit} tokens at most"
        )
    return ResponseReader(
        tokenizer,
        max_length=config.max_length,
        without=config.hidden_fields,
        placeholder=config.proxy_input == "placeholder",
        features=eyes.shape[0] if eyes else 0,
    )
