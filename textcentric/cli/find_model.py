"""Trained models by name: a folder, or one in models/."""

from __future__ import annotations

from pathlib import Path

from textcentric.errors import ConfigError, unknown


def find_model_folder(name: str, papers: str, kind: str = "model") -> Path:
    """Return the folder of the model `name`, which holds the file `papers`.

    Raises ConfigError with the nearest one where there is none.
    """
    for folder in (Path(name), Path("models") / name):
        if (folder / papers).is_file():
            return folder
    parent = Path(name).parent if "/" in name else Path("models")
    known = [path.parent.name for path in parent.glob(f"*/{papers}")]
    raise ConfigError(f"{unknown(kind, Path(name).name, known)} (looked in {parent}/)")
