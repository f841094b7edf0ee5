"""Who puts new rows into words: the experts, prompts and LLM of the training text, if they may.

What a model's folder says of them has effect only where the folder was made or is trusted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.engines.event_loop import run_in_background
from textcentric.engines.openai import OpenAIEngine
from textcentric.engines.protocol import Engine
from textcentric.errors import RunError, Say, check_known, option
from textcentric.experts import AUDIO_EXPERTS, IMAGE_EXPERTS
from textcentric.experts.protocol import AnyExpert
from textcentric.prompts.library import PromptLibrary
from textcentric.security.trust import need_word

if TYPE_CHECKING:
    from textcentric.runs.origin import Origin

ENGINE_SETTINGS = ("engine", "model", "base_url", "engine_settings")
LLM_NAMES = ("model", "model_revision", "template_digest")


def need_word_for_engine(origin: Origin, base_url: str | None, say: Say) -> None:
    """Raise TrustError where a stranger's folder says whom to ask; `say` a server that it names."""
    if origin.said_by is None:
        return
    said = {name: origin.settings.get(name) for name in ENGINE_SETTINGS}
    if base_url is not None:
        said["base_url"] = None
    if said["engine"] == "auto":
        said["engine"] = None
    ways = (option("engine"), option("llm"), option("base_url"))
    need_word(origin.said_by, said, ", ".join(ways))
    settings = said["engine_settings"]
    address = said["base_url"] or (isinstance(settings, dict) and settings.get("base_url"))
    if address:
        say(f"rows are sent to {address}, as {origin.said_by} says")


def need_word_for_experts(origin: Origin) -> None:
    """Raise TrustError where a stranger's folder names models as experts."""
    known = {"image_expert": IMAGE_EXPERTS, "audio_expert": AUDIO_EXPERTS}
    said = {name: origin.settings.get(name) for name in known}
    models = {name: said[name] for name in known if said[name] not in known[name]}
    if origin.said_by is not None:
        need_word(origin.said_by, models)


def check_prompts(origin: Origin, which: str, prompt_dir: str | Path | None) -> Path | None:
    """Return the folder whose prompts are those of the training text; None is the library.

    Raises RunError, with the digests, where they are not.
    """
    check_known("choice of prompts", which, ("frozen", "installed"))
    folder = Path(prompt_dir) if prompt_dir else None
    frozen = which == "frozen" and origin.frozen is not None and origin.frozen.is_dir()
    folder = origin.frozen if frozen else folder
    library = PromptLibrary.load(*([folder] if folder else []), packaged=not frozen)
    for name, trained in origin.prompts.items():
        digest = library.prompts[name].digest if name in library.prompts else "absent"
        if digest != trained["digest"]:
            where = "in the model's folder" if frozen else "installed here"
            raise RunError(
                f"prompt {name!r} {where} has digest {digest}, the training text was made with"
                f" {trained['digest']} (version {trained['version']}); use prompts=frozen with the"
                " folder `prompts` of the trained model as it was, or train again"
            )
    return folder


def check_experts(origin: Origin, experts: Mapping[str, AnyExpert]) -> None:
    """Raise RunError where a modality is not described by the expert of the training rows."""
    for modality, trained in origin.experts.items():
        expert = experts.get(modality)
        found = [expert.name, str(expert.version)] if expert else None
        if found not in [list(pair) for pair in trained]:
            here = " ".join(found) if found else "nothing"
            raise RunError(
                f"the {modality} expert of the training rows was"
                f" {' or '.join(' '.join(pair) for pair in trained)}, here it is {here}; install"
                " the same version, or make the training text anew and train again"
            )


def check_llm(origin: Origin, engine: Engine) -> None:
    """Raise RunError where the LLM is not the one that wrote the training text.

    A server is asked which model it serves, where nobody named one.
    """
    here = engine.fingerprint()
    if not here.get("model") and isinstance(engine, OpenAIEngine):
        run_in_background(engine.start)
        here = engine.fingerprint()
    for name in LLM_NAMES:
        if here.get(name, "") != origin.engine.get(name, ""):
            raise RunError(
                f"the LLM's {name} is {here.get(name)!r}, the training text was written with"
                f" {origin.engine.get(name)!r}; give that model, or other_model to go on all the"
                " same (predictions may then be worse)"
            )


def served_model(origin: Origin) -> str | None:
    """Return the model that the training run's server served, which the run need not have named."""
    return origin.engine.get("model") if origin.engine.get("engine") == "openai" else None
