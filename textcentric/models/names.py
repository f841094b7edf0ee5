"""What a model's name stands for: a folder with weights, its revision and its chat template.

Everything here reads files only, so that the keys of a run are known before any engine starts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textcentric.errors import EngineError, option, unknown
from textcentric.models.hub import reached
from textcentric.models.packaged import FULL_NAME, NAME, packaged_model
from textcentric.models.received import check_model
from textcentric.security.foreign import foreign

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.gguf")
_SETTINGS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "preprocessor_config.json",
)
_SAMPLES, _SAMPLE_BYTES = 64, 16_384


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be loaded: its name in keys, where it lies, and what decides its answers."""

    name: str
    folder: Path
    source: str  # what a loader is given: the folder, or the hub's name
    revision: str
    template_digest: str
    config: dict[str, Any]

    @property
    def context(self) -> int | None:
        """Return the longest prompt and answer in tokens, as far as the configuration says."""
        config = {**self.config, **self.config.get("text_config", {})}
        return config.get("max_position_embeddings") or config.get("n_positions")


def find_model(name: str | Path | None = None) -> Model:
    """Find the model `name`: `smollm2` (the packaged one, the default), a folder or a hub name.

    Raises:
        EngineError: nothing lies there, or a folder lacks its configuration or its weights.
    """
    if name is None or str(name) in (NAME, FULL_NAME):
        folder = packaged_model()
        return _describe(FULL_NAME, folder, str(folder), folder_revision(folder))
    path = Path(name).expanduser()
    if path.is_dir():
        check_folder(path)
        check_model(path)
        return _describe(path.name, path, str(path), folder_revision(path))
    if str(name).count("/") == 1 and not str(name).startswith((".", "/", "~")):
        folder = _hub_folder(str(name))
        return _describe(str(name), folder, str(name), folder.name)
    raise EngineError(
        f"{unknown('model', str(name), [NAME])}; or give a folder that exists, or a hub name"
        " such as Qwen/Qwen3-0.6B",
        model=str(name),
    )


def check_folder(folder: Path) -> None:
    """Raise EngineError unless `folder` holds a configuration and weights."""
    if not (folder / "config.json").is_file():
        raise EngineError(
            f"the model folder {folder} has no config.json; give a folder that"
            " `save_pretrained` wrote",
            model=str(folder),
        )
    if not weight_files(folder):
        raise EngineError(
            f"the model folder {folder} has no weights ({', '.join(_WEIGHTS)});"
            " the download or copy is incomplete",
            model=str(folder),
        )


def weight_files(folder: Path) -> list[Path]:
    """Return the weight files of `folder`, safetensors first; other kinds only where none are."""
    kinds = (sorted(folder.glob(pattern)) for pattern in _WEIGHTS)
    return next((files for files in kinds if files), [])


def folder_revision(folder: Path) -> str:
    """Return a digest of configuration, tokenizer and weights that ignores dates and the path.

    Of each weight file its size, its head (the tensors' names and shapes) and 64 spots spread
    over it are read: a fine-tuned copy has the same head and size, but not the same numbers.
    """
    digest = hashlib.blake2b(digest_size=16)
    for file in (folder / name for name in _SETTINGS):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    for file in weight_files(folder):
        digest.update(f"{file.name} {file.stat().st_size}".encode())
        digest.update(b"".join(_spots(file)))
    return digest.hexdigest()


def _spots(file: Path) -> Iterable[bytes]:
    size = file.stat().st_size
    with file.open("rb") as stream:
        for index in range(_SAMPLES):
            stream.seek(size * index // _SAMPLES)
            yield stream.read(_SAMPLE_BYTES)


def template_text(folder: Path) -> str:
    """Return the chat template of `folder`, empty where it has none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        with foreign(f"{str(file)!r} of a model", EngineError):
            return file.read_text(encoding="utf-8")
    for name in ("chat_template.json", "tokenizer_config.json"):
        found = _read_json(folder / name).get("chat_template")
        if found:
            return found if isinstance(found, str) else json.dumps(found, sort_keys=True)
    return ""


def _read_json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    with foreign(f"{str(file)!r} of a model", EngineError):
        values = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise EngineError(f"{str(file)!r} of a model holds no object, so nothing says what it is")
    return values


def _describe(name: str, folder: Path, source: str, revision: str) -> Model:
    template = hashlib.blake2b(template_text(folder).encode(), digest_size=16).hexdigest()
    config = _read_json(folder / "config.json")
    return Model(name, folder, source, revision, template, config)


def _hub_folder(name: str) -> Path:
    """Return the local snapshot of a hub model's small files; its folder's name is the commit."""
    from huggingface_hub import snapshot_download

    try:
        small = ["*.json", "*.jinja", "*.txt", "*.model"]
        with reached(name):
            return Path(snapshot_download(name, allow_patterns=small))
    except Exception as cause:
        raise EngineError(
            f"the model {name!r} is neither a folder nor in reach on the hub"
            f" ({type(cause).__name__}); use {option('model', NAME)}, which comes as a package,"
            " or a folder with the model in it",
            model=name,
        ) from cause
