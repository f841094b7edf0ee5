"""A sequence classifier with one label, and the proxy that is trained beside it.

The classifier is an ordinary one of transformers, so that what is saved loads without this
package. Its head computes in float32 whatever the body does: in bfloat16 12.03 - 11.98 is 0.
Legend: N texts, T tokens, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textcentric.errors import ConfigError, RunError
from textcentric.machine import require
from textcentric.methods.reward.config import RewardConfig
from textcentric.methods.reward.head import check_adapter, check_head
from textcentric.methods.reward.objective import Rewards, bradley_terry
from textcentric.methods.reward.pictures import Projector, in_place
from textcentric.models.loading import (
    Network,
    checked_layers,
    dropout_settings,
    found,
    quiet,
    seeded,
    source,
)
from textcentric.models.received import ADAPTER, adapted

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROXY = "proxy"
EARLY_SCALE = 2.0**10  # exact, and keeps small gradients of layers in float16 from vanishing
MAIN = "default"  # the adapter's name in PEFT
PROJECTOR = "projector.safetensors"
TOGETHER = 4  # texts that a CPU reads at once
Texts = Mapping[str, Tensor]  # input_ids, attention_mask (N, T); with pictures places, features


class Float32Linear(nn.Linear):
    """A linear layer in float32, also under autocast; its state is that of `nn.Linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return outputs (..., 1) in float32 of hidden states (..., D)."""
        bias = None if self.bias is None else self.bias.float()
        with torch.autocast(input.device.type, enabled=False):
            return nn.functional.linear(input.float(), self.weight.float(), bias)


class Branches(nn.Module):
    """The model, and the proxy where there is one.

    The proxy is a model of its own, or a second adapter on the backbone of the first.
    """

    main: Any  # a Network
    proxy: Any  # a Network where there is one
    smoothed: Tensor  # losses of each training pair in both branches, where they are smoothed

    def __init__(
        self,
        main: Network,
        proxy: Network | None = None,
        *,
        shared: bool = False,
        frozen: bool = False,
    ):
        super().__init__()
        self.main = main
        self.proxy = proxy
        self.projectors = nn.ModuleDict()  # of MAIN and of PROXY, where pictures are read
        self.shared = shared
        self.frozen = frozen
        self._trained = [one for one in self.parameters() if one.requires_grad]

    def see_by(self, branch: str, projector: Projector) -> None:
        """Let MAIN or PROXY read pictures through `projector`, trained as the branch is."""
        trained = branch == MAIN or not self.frozen
        self.projectors[branch] = projector.requires_grad_(trained)
        if trained:
            self._trained += projector.parameters()

    def projector(self, branch: str) -> Projector:
        """Return that of MAIN or PROXY."""
        found = self.projectors[branch]
        assert isinstance(found, Projector)
        return found

    def forward(
        self, main: Texts, proxy: Texts | None = None, margin: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return the rewards (2B,) of the model, and the losses (B,) of the proxy on its own texts.

        Texts are those of B chosen responses, then of the B rejected ones; `margin` (B,) is of the
        proxy's losses.
        """
        told = None if proxy is None else self._proxy_losses(proxy, margin)
        return self._rewards(self.main, MAIN, main), told

    def _proxy_losses(self, texts: Texts, margin: Tensor | None) -> Tensor:
        with self._as_proxy() as proxy:  # also while gradients are taken: layers may run again
            losses = bradley_terry(halves(self._rewards(proxy, PROXY, texts)), margin)
            if not losses.requires_grad:
                return losses
            return with_early_gradients(losses, [p for p in self._trained if p.requires_grad])

    def proxy_rewards(self, texts: Texts) -> Tensor:
        """Return the rewards (N,) of the proxy alone."""
        with self._as_proxy() as proxy:
            return self._rewards(proxy, PROXY, texts)

    def _rewards(self, model: Network, branch: str, texts: Texts) -> Tensor:
        if branch not in self.projectors:
            return rewards(model, texts)
        vectors = self.projectors[branch](texts["features"])
        with in_place(model.get_input_embeddings(), texts["places"], vectors):
            return _read(model, texts["input_ids"], texts["attention_mask"])

    @contextmanager
    def _as_proxy(self) -> Iterator[Network]:
        """Yield the proxy: a model of its own, or the backbone with the proxy's adapter on it."""
        if not self.shared:
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
                yield self.proxy
            return
        self.main.set_adapter(PROXY)
        try:
            yield self.main
        finally:
            self.main.set_adapter(MAIN)
            for one in self._trained:  # PEFT would train the active adapter only
                one.requires_grad_(True)


def halves(rewards: Tensor) -> Rewards:
    """Return rewards (2B,), the chosen ones first, as pairs."""
    half = len(rewards) // 2
    return Rewards(rewards[:half], rewards[half:])


def with_early_gradients(losses: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Return `losses` (B,) with the gradient of their sum taken now, and nothing else kept of it.

    What they were computed from can be freed before another model runs. Only their sum may be
    differentiated: all of them must weigh the same in what follows.

    >>> weight = nn.Parameter(torch.tensor(2.0))
    >>> with_early_gradients(weight * torch.tensor([1.0, 3.0]), [weight]).sum().backward()
    >>> weight.grad
    tensor(4.)
    """
    scaled = losses.sum() * EARLY_SCALE
    gradients = torch.autograd.grad(scaled, parameters, allow_unused=True)
    told: Tensor = _Early.apply(losses.detach(), gradients, *parameters)
    return told


class _Early(torch.autograd.Function):
    """Losses (B,) whose gradients are known."""

    @staticmethod
    def forward(
        ctx: Any, losses: Tensor, gradients: Sequence[Tensor | None], *parameters: Tensor
    ) -> Tensor:
        ctx.gradients = gradients
        return losses.clone()

    @staticmethod
    def backward(ctx: Any, weights: Tensor) -> Any:
        weight = weights[0] / EARLY_SCALE
        return None, None, *(one if one is None else one * weight for one in ctx.gradients)


def rewards(model: nn.Module, texts: Texts) -> Tensor:
    """Return the rewards (N,) in float32 of token ids (N, T), padding on the right.

    A CPU gains nothing from large batches: there, texts of like length are read `TOGETHER` at a
    time, without the padding that longer ones would need.
    """
    ids, mask = texts["input_ids"], texts["attention_mask"]
    lengths = mask.sum(dim=1)
    if ids.device.type != "cpu" or len(ids) <= TOGETHER:
        return _read(model, ids, mask)
    order = lengths.argsort()
    groups = [(some, int(lengths[some].max())) for some in order.split(TOGETHER)]
    told = [_read(model, ids[some, :longest], mask[some, :longest]) for some, longest in groups]
    return torch.cat(told)[order.argsort()]


def _read(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    logits: Tensor = model(input_ids=ids, attention_mask=mask).logits  # (N, 1)
    return logits[:, 0].float()


def build_branches(
    config: RewardConfig, tokenizer: PreTrainedTokenizerBase, features: int | None = None
) -> Branches:
    """Return what `config` names, with fresh heads, adapters, and projectors for `features`."""
    main: Network = classifier(config, source(config.model), tokenizer, seed=config.seed)
    with seeded(config.seed):
        main = with_adapter(main, config) if config.use_peft else main
    if not config.proxied:
        return _seeing(Branches(main), config, features)
    with seeded(config.seed + 1):
        if config.shares_backbone:
            add_adapter(main, config)
            return _seeing(Branches(main, shared=True), config, features)
        proxy = _proxy(config, tokenizer)
    frozen = config.proxy_schedule == "frozen"
    return _seeing(Branches(main, proxy, frozen=frozen), config, features)


def _seeing(branches: Branches, config: RewardConfig, features: int | None) -> Branches:
    """Give each branch a projector of its own, from where the branch starts if one is there."""
    if features is None:
        return branches
    starts = {MAIN: config.model}
    if config.proxied:
        starts[PROXY] = config.proxy_model_name_or_path or config.model
    for number, (branch, start) in enumerate(starts.items()):
        with seeded(config.seed + number):
            body = branches.main if branch == MAIN or branches.shared else branches.proxy
            branches.see_by(branch, _projector(body, Path(start), features))
    return branches


def _projector(body: Any, start: Path, features: int) -> Projector:
    embeddings = body.get_input_embeddings()
    projector = Projector(features, embeddings.weight.shape[1])
    if (start / PROJECTOR).is_file():
        load_projector(projector, start)
    else:
        projector.start_like(embeddings)
    return projector


def load_projector(projector: Projector, folder: Path) -> None:
    """Read the projector's weights; raises RunError where they are absent or of another shape."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        projector.load_state_dict(load_file(folder / PROJECTOR))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise RunError(
            f"{folder / PROJECTOR} cannot be used ({error}); copy the folder again, or train again"
        ) from error


def classifier(
    config: RewardConfig,
    name: str,
    tokenizer: PreTrainedTokenizerBase,
    *,
    seed: int = 0,
    saved: bool = False,
) -> PreTrainedModel:
    """Load `name` as a classifier of one label, with a fresh head where it has none.

    Raises ConfigError where that cannot be done.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification

    called = config.model if saved or name == source(config.model) else name
    options: dict[str, Any] = {"trust_remote_code": config.trust_remote_code}
    if config.revision is not None and not saved:
        options["revision"] = config.revision
    with quiet(), seeded(seed):
        settings = found(AutoConfig, name, called, **options)
        if config.attn_implementation is not None:
            options["attn_implementation"] = config.attn_implementation
        if config.layers is not None:
            options["num_hidden_layers"] = checked_layers(config.layers, settings, config.model)
        if config.disable_dropout:
            options |= dropout_settings(0.0, settings)
        model: PreTrainedModel
        model, told = found(
            AutoModelForSequenceClassification,
            name,
            called,
            num_labels=1,
            dtype=getattr(torch, config.dtype),
            output_loading_info=True,
            **options,
        )
        if told["missing_keys"]:
            _fresh_head(model)
    model.config.pad_token_id = _pad_token(tokenizer, config)
    if hasattr(model.config, "use_cache"):
        model.config.use_cache = False
    head(model).__class__ = Float32Linear
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})  # the other kind has no grad
    return model


def head(model: nn.Module) -> nn.Linear:
    """Return the layer that gives the reward: the last linear one with a single output."""
    linear = [
        one for one in model.modules() if isinstance(one, nn.Linear) and one.out_features == 1
    ]
    if not linear:
        raise ConfigError(
            f"{type(model).__name__} has no linear head with one output; give another model"
        )
    return linear[-1]


def _fresh_head(model: nn.Module) -> None:
    """Draw the head's weights from N(0, 1 / (D + 1)), its bias 0: rewards begin near 0."""
    layer = head(model)
    nn.init.normal_(layer.weight, std=1 / (layer.in_features + 1))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def with_adapter(model: Network, config: RewardConfig) -> Network:
    """Return `model` frozen behind a fresh LoRA adapter (arXiv 2106.09685) and its own head."""
    require("a LoRA adapter")
    from peft import get_peft_model

    try:
        return get_peft_model(model, _lora(config, model))
    except ValueError as error:
        raise ConfigError(f"lora_target_modules={config.lora_target_modules!r}: {error}") from error


def add_adapter(model: Any, config: RewardConfig) -> None:
    """Put the proxy's adapter and head beside the model's, all of them trained."""
    model.add_adapter(PROXY, _lora(config, model))
    for name, one in model.named_parameters():
        if f".{PROXY}." in name:
            one.requires_grad_(True)


def _proxy(config: RewardConfig, tokenizer: PreTrainedTokenizerBase) -> Network:
    """Return a proxy of its own, from its start or that of the model; frozen if it is finished."""
    name = config.proxy_model_name_or_path or config.model
    proxy = classifier(config, source(name), tokenizer, seed=config.seed + 1)
    if config.proxy_schedule == "frozen":
        return proxy.requires_grad_(False)
    return with_adapter(proxy, config) if config.use_peft else proxy


def save_branches(branches: Branches, config: RewardConfig, folder: Path) -> None:
    """Write the model (or its adapter) and nothing of the proxy, unless `save_proxy` is on."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(branches.main, config, folder, MAIN)
    _save_projector(branches, MAIN, folder)
    if config.save_proxy:
        proxy = branches.main if branches.shared else branches.proxy
        _save(proxy, config, folder / PROXY, PROXY if branches.shared else MAIN)
        _save_projector(branches, PROXY, folder / PROXY)


def _save_projector(branches: Branches, branch: str, folder: Path) -> None:
    from safetensors.torch import save_file

    if branch in branches.projectors:
        save_file(branches.projectors[branch].state_dict(), folder / PROJECTOR)


def load_main(config: RewardConfig, folder: Path, tokenizer: PreTrainedTokenizerBase) -> Network:
    """Return the model that `save_branches` wrote; raises RunError where it cannot be loaded."""
    from safetensors import SafetensorError

    try:
        if (folder / ADAPTER).is_file():
            check_adapter(folder)
            model: Network = adapted(classifier(config, source(config.model), tokenizer), folder)
        else:
            check_head(folder)
            model = classifier(config, str(folder), tokenizer, saved=True)
    except (ConfigError, SafetensorError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise RunError(
            f"the reward model in {folder} cannot be loaded ({error}); a file is missing, cut short"
            " or of another model: copy the folder again, or train again"
        ) from error
    return model


def _save(model: Network, config: RewardConfig, folder: Path, adapter: str) -> None:
    if config.use_peft:
        about = model.peft_config[adapter]
        about.base_model_name_or_path = config.model  # not where it lay on this machine
        model.save_pretrained(str(folder), selected_adapters=[adapter], save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty card; ours follows
    else:
        with quiet():
            model.save_pretrained(str(folder))


def _lora(config: RewardConfig, model: nn.Module) -> LoraConfig:
    from peft import LoraConfig, TaskType
    from transformers.pytorch_utils import Conv1D

    targets = config.lora_target_modules
    return LoraConfig(
        task_type=TaskType.SEQ_CLS,  # which trains the head and saves it with the adapter
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        fan_in_fan_out=any(isinstance(one, Conv1D) for one in model.modules()),  # GPT-2's layers
    )


def _pad_token(tokenizer: PreTrainedTokenizerBase, config: RewardConfig) -> int:
    """Return the id of padding; a decoder finds the last token of a text by it."""
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise ConfigError(
        f"the tokenizer of {config.model!r} has neither a pad nor an end token, by which the last"
        " token of a text is found; give it one and save it"
    )
