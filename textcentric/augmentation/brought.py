"""What the `run.yaml` of a run says that has effect beyond its folder.

Going on with a run does all that it says: reads the rows that it names, opens its engine, sends
what prompts ask to its server. To whoever began it here that is their own word; of a run that was
received it is shown first.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from textcentric.augmentation.config import AugmentConfig
from textcentric.errors import Say, option
from textcentric.experts import AUDIO_EXPERTS, IMAGE_EXPERTS
from textcentric.security.trust import need_word
from textcentric.values import Json

# Settings that read, open or ask something beyond the folder, and the values that do not.
EFFECTS: dict[str, Collection[object]] = {
    "dataset": (),
    "data_dir": (),
    "table_schema": (),
    "prompt_dir": (),
    "reuse": (),
    "engine": ("auto",),
    "model": (),
    "base_url": (),
    "engine_settings": (),
    "judge_model": (),
    "judge_engine": (),
    "judge_base_url": (),
    "image_expert": IMAGE_EXPERTS,
    "audio_expert": AUDIO_EXPERTS,
    "entailment_model": (),
}


def brought_by(config: AugmentConfig, given: Collection[str] = ()) -> dict[str, Json]:
    """Return what of a run's configuration has effect beyond its folder, without what is `given`.

    A schema counts where it is a file: in `run.yaml` itself it only says what columns are.
    """
    values = {name: getattr(config, name) for name in EFFECTS if name not in given}
    values = {name: value for name, value in values.items() if value not in EFFECTS[name]}
    if isinstance(values.get("table_schema"), dict):
        del values["table_schema"]
    return values


def need_word_for_run(
    folder: Path, config: AugmentConfig, given: Collection[str], say: Say
) -> None:
    """Raise TrustError where the run in `folder` is a stranger's; `say` which server it asks.

    `given` are the settings that a person gave now, in place of the run's.
    """
    brought = brought_by(config, given)
    need_word(folder, brought, option("base_url") if brought.get("base_url") else "")
    address = config.base_url or config.engine_settings.get("base_url")
    if address and "base_url" not in given:
        say(f"rows are sent to {address}, as {folder} says")
