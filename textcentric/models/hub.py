"""Whether a load may reach the hub: for a name that a person gave, never for one in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

# The switch of huggingface_hub is one for all threads, so loads take turns.
_TURN = RLock()


@contextmanager
def reached(model: str) -> Iterator[str]:
    """Yield what a library is given to load `model`: a hub name as it is, a folder by its path.

    What a folder's settings name (a base, a backbone, a part of a processor, a kernel) is looked
    for in folders and in the cache alone, in every thread: the hub is switched off inside. A whole
    path is no hub name either.
    """
    from huggingface_hub import constants

    if not Path(model).is_dir():
        with _TURN:
            yield model
        return
    with _TURN:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = True
        try:
            yield os.path.abspath(model)
        finally:
            constants.HF_HUB_OFFLINE = before


def lacking(model: str, error: BaseException | None) -> str:
    """Return what to do about an `error` of loading a folder that needs the hub, "" otherwise."""
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    if not Path(model).is_dir():
        return ""
    while error is not None:
        if isinstance(error, LocalEntryNotFoundError | OfflineModeIsEnabled):
            return (
                f"the settings in {model} name something that is not in that folder, and what a"
                " folder names is never fetched: if you want it, download it first (`hf download"
                " OWNER/NAME`), or name the model of the hub yourself in place of the folder"
            )
        error = error.__cause__ or error.__context__
    return ""
