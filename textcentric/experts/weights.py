"""Models of experts, from a folder or the hub: loading one, and telling two of one name apart."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from textcentric.errors import ConfigError

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")


def load_model(model: str, auto_class: str, *, expert: str, expected: str) -> tuple[Any, Any]:
    """Return processor and model, ready to be asked, by one of transformers' `auto_class`es.

    Raises ConfigError where the model cannot be loaded, naming the `expert` and what it expected.
    """
    import torch
    import transformers

    try:
        processor = transformers.AutoProcessor.from_pretrained(model)
        loaded = getattr(transformers, auto_class).from_pretrained(model)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the {expert} expert {model!r} cannot be loaded: {error}; expected {expected}, as a"
            " folder or a name on the hub"
        ) from error
    return processor, loaded.to("cuda" if torch.cuda.is_available() else "cpu").eval()


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
        path = cached_file(model, "config.json")
    except OSError as error:
        raise ConfigError(
            f"there is no model {model!r} on this machine or the hub: {error}"
        ) from error
    return Path(str(path)).parent.name[:8]  # .../snapshots/COMMIT/config.json
