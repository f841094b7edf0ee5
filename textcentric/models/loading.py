"""Models of transformers from the hub or a folder: tokenizer, weights, revision, dropout."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import torch

from textcentric.errors import ConfigError
from textcentric.models.hub import lacking, reached
from textcentric.models.packaged import packaged_encoder
from textcentric.models.received import check_base, check_model, refuse_code
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

PACKAGED = "packaged"  # MiniLM
PACKAGED_HUB = "sentence-transformers/all-MiniLM-L6-v2"  # its weights are that file, byte by byte
# What families call the dropout of their layers (BERT and its kin; DistilBERT; GPT-2; Llama, OPT).
DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"),
    *("resid_pdrop", "embd_pdrop", "attn_pdrop"),
)
Network: TypeAlias = "PreTrainedModel | PeftModel"  # with or without a LoRA adapter
OFFSET_POSITIONS = ("camembert", "longformer", "mpnet", "roberta", "xlm-roberta")
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")


class ByName(Protocol):
    """Settings that name a model: as messages call it, and how it is loaded."""

    @property
    def model(self) -> str: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def trust_remote_code(self) -> bool: ...


def source(model: str) -> str:
    """Return the hub name or folder behind `model`."""
    return str(packaged_encoder()) if model == PACKAGED else model


def hub_name(model: str) -> str:
    """Return `model` as others load it.

    >>> hub_name("packaged")
    'sentence-transformers/all-MiniLM-L6-v2'
    """
    return PACKAGED_HUB if model == PACKAGED else model


@contextmanager
def without_bars() -> Iterator[None]:
    """Keep the bars of transformers off stderr: progress is shown where it is asked for."""
    if "transformers" not in sys.modules:
        yield
        return
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def found(loader: Any, name: str, called: str, **options: Any) -> Any:
    """Load by `loader`; raises ConfigError, which names the model as `called`, where it cannot.

    Code of the model runs only with `trust_remote_code` among the options; what a folder may not
    bring is refused first, see `textcentric.models.received`.
    """
    options = {"trust_remote_code": False, **_of_folder(loader, Path(name)), **options}
    try:
        with without_bars(), foreign(f"model {called!r}", ConfigError), reached(name) as place:
            return loader.from_pretrained(place, **options)
    except ConfigError as error:
        reason = str(error.__cause__ or error).strip().splitlines() or [""]
        if "trust_remote_code" in str(error.__cause__):
            raise refuse_code(called, reason[0]) from error
        if cure := lacking(name, error):
            raise ConfigError(f"model {called!r} cannot be loaded: {cure} ({reason[0]})") from error
        raise ConfigError(
            f"model {called!r} cannot be loaded: {reason[0]}. Expected a folder with a Hugging"
            " Face model, a hub name that is reachable or in the cache, or 'packaged'"
        ) from error


def _of_folder(loader: Any, folder: Path) -> dict[str, Any]:
    """Return the options of a model in a folder, after a look at what lies there."""
    if not folder.is_dir():
        return {}
    check_model(folder)
    if not loader.__name__.startswith("AutoModel"):
        return {}
    check_base(folder)
    return {"use_safetensors": True}


def load_tokenizer(config: ByName, name: str) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a model by hub name or folder; raises ConfigError where none is.

    `config` holds `model`, as messages call it, `revision` and `trust_remote_code`.
    """
    from transformers import AutoTokenizer

    options = {"revision": config.revision} if config.revision is not None else {}
    with quiet():
        tokenizer: PreTrainedTokenizerBase = found(
            AutoTokenizer,
            name,
            config.model,
            trust_remote_code=config.trust_remote_code,
            **options,
        )
    return tokenizer


def longest_text(encoder: Network, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return how many tokens the model takes, None where it says no limit."""
    settings = encoder.config
    limits = [tokenizer.model_max_length]
    positions = getattr(settings, "max_position_embeddings", None) or 0
    if positions > 0 and getattr(settings, "position_biased_input", True):
        taken = settings.model_type in OFFSET_POSITIONS
        limits.append(positions - (settings.pad_token_id + 1 if taken else 0))
    limit = min(limits)
    return None if limit > 1e9 else int(limit)


def checked_layers(layers: int, settings: PreTrainedConfig, model: str) -> int:
    """Return `layers`; raises ConfigError where the model has fewer."""
    most = getattr(settings, "num_hidden_layers", 0)
    if layers > most:
        raise ConfigError(f"layers={layers}: model {model!r} has {most}; give at most as many")
    return layers


def dropout_settings(share: float, settings: PreTrainedConfig) -> dict[str, float]:
    """Return the dropout settings of the model's family, all of them `share`."""
    return {name: share for name in DROPOUTS if hasattr(settings, name)}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from `seed` inside, and leave the state of torch's generators as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from telling of the pooler that is left out, and from drawing bars."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def load_model(model: str, auto_class: str, *, expert: str, expected: str) -> tuple[Any, Any]:
    """Return processor and model, ready to be asked, by one of transformers' `auto_class`es.

    On a CPU the numbers are float32, whatever they were saved as; inputs take the model's dtype.
    Raises ConfigError where the model cannot be loaded, naming the `expert` and what it expected.
    """
    import torch
    import transformers

    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float32 if device == "cpu" else "auto"
    try:
        with quiet():
            processor = found(transformers.AutoProcessor, model, model)
            loaded = found(getattr(transformers, auto_class), model, model, dtype=dtype)
    except ConfigError as error:
        raise ConfigError(
            f"the {expert} expert {model!r} cannot be loaded: {error}; expected {expected}, as a"
            " folder or a name on the hub"
        ) from error
    return processor, loaded.to(device).eval()


def revision(model: str) -> str:
    """Return the commit of a hub model (8 hex digits) or a digest of a folder's weights.

    Raises ConfigError where there is no such model.
    """
    folder = Path(model)
    return _digest_weights(folder) if folder.is_dir() else _hub_commit(model)


def _digest_weights(folder: Path) -> str:
    files = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    if not files:
        raise ConfigError(
            f"the model folder {str(folder)!r} holds no weights; expected a file such as"
            " model.safetensors: save the model there with save_pretrained"
        )
    whole = hashlib.blake2b(digest_size=4)
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _hub_commit(model: str) -> str:
    from transformers.utils.hub import cached_file

    try:
        with reached(model) as name:
            path = cached_file(name, "config.json")
    except OSError as error:
        raise ConfigError(
            f"there is no model {model!r} on this machine or the hub: {error}"
        ) from error
    return Path(str(path)).parent.name[:8]  # .../snapshots/COMMIT/config.json


def load_encoder(name: str, processor: str, modality: str, code: bool) -> tuple[Any, Any]:
    """Return the processor and the model `name`, whose own `code` may run where that is said.

    Raises ConfigError where they cannot be loaded.
    """
    import torch
    import transformers

    try:
        kind = getattr(transformers, processor)
        ready = found(kind, name, name, trust_remote_code=code)
        model = found(transformers.AutoModel, name, name, trust_remote_code=code)
    except ConfigError as error:
        raise ConfigError(
            f"{modality} encoder {name!r} cannot be loaded: {str(error).splitlines()[0]}; expected"
            " a folder or a hub name of a model with its preprocessor"
        ) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return ready, model.to(device).eval().requires_grad_(False)
