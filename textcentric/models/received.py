"""A model's folder that others may have filled: what in it would act, and what is refused.

Loaders of transformers, PEFT and sentence-transformers follow what settings in a folder say: code
beside them or on the hub, models by name, kernels, pickles. Everything that opens such a folder
comes by here first. Code runs only by a person's word now, or a trusted folder's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from textcentric.errors import RunError, TrustError, cut, option
from textcentric.machine import require
from textcentric.models.hub import reached
from textcentric.security import trust
from textcentric.security.files import check_real, entries, is_real_file, read_text
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    from peft import PeftModel

ADAPTER = "adapter_config.json"
ADAPTED = "adapter_model.safetensors"
PLAIN_WEIGHTS = ("model*.safetensors", "adapter_model*.safetensors", "*.gguf")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt")
NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt")
# Attention of transformers itself; every other name may be looked for as a kernel on the hub.
ATTENTIONS = ("eager", "sdpa", "flex_attention")
KERNELS = ("attn_implementation", "experts_implementation", "use_kernels")  # how their names end
# What trainings here say of an adapter; all else must be as PEFT has it by default.
ADAPTER_KEYS = frozenset(
    {
        *("peft_type", "task_type", "base_model_name_or_path", "revision", "inference_mode", "r"),
        *("lora_alpha", "lora_dropout", "target_modules", "modules_to_save", "fan_in_fan_out"),
        *("peft_version", "bias", "use_rslora"),
    }
)
PACKAGED = "packaged"
MOST_MODULES = 20_000  # names of layers that an adapter lists


class Saved(Protocol):
    """Settings that a trained model's folder holds."""

    @property
    def model(self) -> str: ...

    @property
    def attn_implementation(self) -> str | None: ...


def check_model(folder: Path) -> None:
    """Raise where a model's folder holds links, only pickled weights, or an odd adapter.

    RunError for what lies there, TrustError for a kernel that its settings name: those are fetched
    from the hub and run.
    """
    check_real(folder)
    check_pickles(folder)
    if (folder / ADAPTER).is_file():
        adapter_settings(folder)
    trust.need_word(folder, dict(_kernels_in(folder)))


def check_pickles(folder: Path) -> None:
    """Raise RunError where the only weights in `folder` are pickles, which may run code."""
    if any(True for pattern in PLAIN_WEIGHTS for _ in folder.glob(pattern)):
        return
    found = sorted(path for pattern in PICKLES for path in folder.glob(pattern))
    pickled = [path for path in found if path.name not in NO_WEIGHTS]
    if pickled:
        raise RunError(
            f"{pickled[0]} is a pickle, which may run code when it is read, so it is not; expected"
            " model.safetensors: ask for that, or convert it where you trust it, with"
            " save_pretrained of transformers"
        )


def check_base(folder: Path) -> None:
    """Raise TrustError where `folder` is an adapter alone and names the model that it is for."""
    if (folder / ADAPTER).is_file() and not (folder / "config.json").is_file():
        base = read_settings(folder / ADAPTER).get("base_model_name_or_path")
        trust.need_word(folder, {"base_model_name_or_path": base})


def code_allowed(folder: Path, said: bool, given: bool) -> bool:
    """Return whether the code of a model in `folder` may run: `given` is the user's word now.

    What the folder `said` counts where it is trusted. Raises TrustError where it is not, and the
    folder needs code.
    """
    if given or not said:
        return given
    code = code_of(folder)
    if not code and not (folder / ADAPTER).is_file():  # an adapter's base may have some
        return False
    brought = {"trust_remote_code": True, "code": ", ".join(code)}
    trust.need_word(folder, brought, option("trust_remote_code", True))
    return trust.is_trusted(folder)


def code_of(folder: Path) -> list[str]:
    """Return the code that a model's folder brings: its files, and what its settings name."""
    files = sorted(e.name for e in entries(folder) if e.name.endswith(".py"))
    names = [
        str(reference)
        for path in sorted(folder.glob("*.json"))
        if trust.is_settings(path.name)
        for reference in _references(read_settings(path).get("auto_map"))
    ]
    return [*files, *dict.fromkeys(name for name in names if "--" in name)]


def needs_word(folder: Path, config: Saved, **names: str | None) -> None:
    """Raise TrustError where a stranger's `folder` says what acts beyond it.

    That are a kernel, the model that an adapter is for, and whatever else has one of the `names`.
    """
    base = config.model if (folder / ADAPTER).is_file() else None
    refuse_names(folder, {"model": base, **names})
    trust.need_word(folder, dict(_kernels({"attn_implementation": config.attn_implementation})))


def refuse_names(folder: Path, names: Mapping[str, str | None]) -> None:
    """Raise TrustError where a stranger's `folder` names models: folders, or some of the hub."""
    trust.need_word(folder, {what: name for what, name in names.items() if name != PACKAGED})


def adapter_settings(folder: Path) -> dict[str, Any]:
    """Return what the LoRA adapter in `folder` says, as PEFT's `LoraConfig` takes it.

    Raises RunError where it is another kind of adapter, or says what trainings here never say:
    patterns, replicated layers, names of modules to import and the like.
    """
    path = folder / ADAPTER
    said = read_settings(path)
    usual = _usual_adapter()
    for name, value in said.items():
        if name not in ADAPTER_KEYS and value != usual.get(name, value):
            raise RunError(_odd(path, name, value))
        if name not in ADAPTER_KEYS and name not in usual and value not in trust.NOTHING:
            raise RunError(_odd(path, name, value))
    if said.get("peft_type") != "LORA":
        raise RunError(_odd(path, "peft_type", said.get("peft_type")))
    for name in ("target_modules", "modules_to_save"):
        if not _is_names(said.get(name), optional=name != "target_modules"):
            raise RunError(_odd(path, name, said.get(name)))
    if said.get("r") not in _ranks(folder):
        raise RunError(_odd(path, "r", said.get("r")))
    return {name: value for name, value in said.items() if name in ADAPTER_KEYS}


def adapted(model: Any, folder: Path) -> PeftModel:
    """Return `model` behind the LoRA adapter in `folder`; raises RunError where it does not fit."""
    require("a LoRA adapter")
    from peft import LoraConfig, PeftModel

    settings = adapter_settings(folder)
    with foreign(f"the adapter in {folder}", RunError):
        adapter = LoraConfig(**settings)
        with reached(str(folder)) as place:
            return PeftModel.from_pretrained(model, place, config=adapter, is_trainable=True)


def read_settings(path: Path) -> dict[str, Any]:
    """Return the JSON object that a file of settings holds, {} where it is absent.

    Raises RunError where it is a link or is not JSON.
    """
    if not path.is_symlink() and not path.is_file():
        return {}
    values = _parsed(path)
    if not isinstance(values, dict):
        raise RunError(f"{path} is not a JSON object; copy the folder again")
    return values


def _parsed(path: Path) -> object:
    try:
        return json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read ({error}); copy the folder again") from error


def _is_names(value: object, *, optional: bool) -> bool:
    """Say whether `value` lists names: a text alone would be a pattern."""
    if value is None:
        return optional
    if not isinstance(value, list) or len(value) > MOST_MODULES:
        return False
    return all(isinstance(name, str) for name in value)


def _ranks(folder: Path) -> set[int]:
    """Return the ranks that the weights of an adapter have; raises RunError where none are."""
    if not is_real_file(folder / ADAPTED):
        raise RunError(
            f"{folder} holds an adapter's settings without {ADAPTED}; an adapter is read from"
            " safetensors alone: copy the folder again, or train again"
        )
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / ADAPTED, framework="np") as file:
            names = list(file.keys())
            inner = [n for n in names if ".lora_A." in n or ".lora_embedding_A" in n]
            return {int(file.get_slice(name).get_shape()[0]) for name in inner}
    except (SafetensorError, OSError, ValueError) as error:
        raise RunError(
            f"{folder / ADAPTED} cannot be read ({error}); copy the folder again"
        ) from error


def _usual_adapter() -> Mapping[str, Any]:
    """Return what PEFT's `LoraConfig` says of itself, as its file has it."""
    require("a LoRA adapter")
    from peft import LoraConfig

    values: Mapping[str, Any] = LoraConfig().to_dict()
    return values


def _kernels_in(folder: Path) -> Iterator[tuple[str, object]]:
    """Yield kernels that any settings in `folder` name: an encoder of sentences is of modules."""
    for path in sorted(trust.that_count(folder)):
        if path.suffix == ".json":
            where = "" if path.parent == folder else f"{path.relative_to(folder)} "
            yield from ((f"{where}{name}", value) for name, value in _kernels(_parsed(path)))


def _kernels(settings: object) -> Iterator[tuple[str, object]]:
    """Yield settings, at any depth, that name a kernel to be fetched."""
    waiting = [settings]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            for name, value in one.items():
                if name.endswith(KERNELS) and value not in (*ATTENTIONS, *trust.NOTHING):
                    yield name, value
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _references(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _odd(path: Path, name: str, value: object) -> str:
    return (
        f"{path} says {name}: {cut(value)}, which no training here writes and which may take hours"
        " or act beyond the folder; expected a LoRA adapter as `textcentric train` saves it"
    )


def refuse_code(model: str, reason: str) -> TrustError:
    """Return what to say of a model that does not load without code of its own."""
    return TrustError(
        f"model {model!r} brings code of its own, which runs only by your word:"
        f" {option('trust_remote_code', True)} ({cut(reason)})"
    )
