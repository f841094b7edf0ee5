"""What a folder brings, as a person is shown it when they trust the folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from textcentric.errors import ConfigError, TextCentricError, TrustError
from textcentric.security.effects import Effect, by_weight, effects
from textcentric.security.files import check_real, read_text
from textcentric.security.foreign import reason
from textcentric.security.trust import that_count, trust
from textcentric.security.visible import visible
from textcentric.security.yaml import load

MOST = 100  # settings of a file, and files of code
MOST_ASKED = 100  # settings of a file that name hosts or variables, which are all shown


def trust_folder(folder: Path) -> list[str]:
    """Trust `folder` as it stands, from now on; return lines that say what it brings.

    Raises ConfigError where there is no such folder, RunError where it holds links or pipes,
    TrustError where nobody can see what it brings.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder} to trust")
    check_real(folder)
    lines = brought(folder)
    trust(folder)
    return [f"{folder} is trusted as it stands", *(f"  {line}" for line in lines)]


def brought(folder: Path) -> list[str]:
    """Return a line for each setting that acts beyond `folder`, and for each file of code.

    Raises TrustError for a file of settings that cannot be read or says too much to be looked at.
    """
    files = sorted(that_count(folder))
    code = [path.relative_to(folder) for path in files if path.suffix == ".py"]
    lines = [f"{name}: code, which runs where a model needs it" for name in code[:MOST]]
    lines += [f"and {len(code) - MOST} more files of code"] if len(code) > MOST else []
    for path in files:
        if path.suffix != ".py":
            lines += [f"{path.relative_to(folder)}: {line}" for line in _lines(path)]
    return [visible(line) for line in lines]


def _lines(path: Path) -> Iterator[str]:
    """Yield what a file says, hosts and variables first; those are never left out."""
    asked, others = by_weight(_read(path))
    if len(asked) > MOST_ASKED:
        raise _refused(path, f"it names {len(asked):,} hosts and variables")
    for effect in [*asked, *others[:MOST]]:
        yield from effect.lines(" = ")
    if len(others) > MOST:
        yield f"and {len(others) - MOST} more"


def _read(path: Path) -> list[Effect]:
    try:
        text = read_text(path)
        return list(effects(json.loads(text) if path.suffix == ".json" else load(text)))
    except TextCentricError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, f"it cannot be read ({reason(error)})") from error


def _refused(path: Path, why: str) -> TrustError:
    return TrustError(
        f"{path}: {why}, so nobody can see what it brings, and the folder is not trusted; ask"
        " whoever sent it for a sound copy, or remove the file"
    )
