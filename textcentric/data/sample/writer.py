"""Write a built-in sample: any number of rows, in the usual layout of the set it stands for.

A sample is called a sample everywhere. The copy in the user's cache is written once, under a
temporary name, and moved into place when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from textcentric.data.named import cache_folder, names
from textcentric.errors import ConfigError, DataError, StoppedError, unknown
from textcentric.folders import writing, written

DEFAULT_ROWS = 240
Writer = Callable[[Path, int, int], None]  # folder, rows, seed
VERSION = 1  # raise when the wording, the drawing or the rule changes: the cache goes by it


def write_sample(name: str, folder: str | Path, rows: int = DEFAULT_ROWS, seed: int = 0) -> Path:
    """Write `rows` rows of the sample `name` into the new or empty `folder` and return it.

    The same `seed` gives the same rows; the first rows do not depend on how many there are.

    >>> write_sample("petfinder", "my-sample", rows=1000)  # doctest: +SKIP
    """
    folder = Path(folder)
    if rows < 1:
        raise ConfigError(f"rows is {rows}, expected 1 or more")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{str(folder)!r} is not an empty folder; choose another or empty it")
    write = _generator(name)
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with written(folder) as draft:
            draft.mkdir()
            write(draft, rows, seed)
    return folder


def cached_sample(name: str) -> Path:
    """Return the folder of the sample `name` in the user's cache, written on first use."""
    folder = cache_folder() / "samples" / f"{name}-v{VERSION}-{DEFAULT_ROWS}"
    if not folder.is_dir():
        try:
            write_sample(name, folder, DEFAULT_ROWS)
        except (OSError, DataError, StoppedError) as error:
            if not folder.is_dir():  # another process may have been quicker; that is fine
                raise DataError(
                    f"the sample of {name} cannot be written to {str(folder)!r} ({error});"
                    " set XDG_CACHE_HOME to a folder with room"
                ) from error
    return folder


def has_sample(name: str) -> bool:
    """Say whether rows of the data set `name` can be made up: by a file of its name in here."""
    return name in names() and Path(__file__).with_name(f"{name}.py").is_file()


def _generator(name: str) -> Writer:
    if not has_sample(name):
        raise ConfigError(unknown("sample", name, filter(has_sample, names())))
    write: Writer = import_module(f"textcentric.data.sample.{name}").write
    return write
