"""A training's file and flags: keys of its own, of the loop, and of its method's section.

Keys of the loop and of the method may stand outside their section, in a file as on the command
line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from textcentric.cli.sections import merged, read_set, split_commas
from textcentric.config import first_problem, read_keys
from textcentric.errors import ConfigError, unknown
from textcentric.training.config import ALIASES, TrainConfig

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Sectioned(Generic[T]):
    """What `train NAME` reads: `whole`, with sections `train` and, of class `method`, `section`.

    `lists` are keys whose flags are comma-separated.
    """

    name: str
    whole: type[T]
    section: str
    method: type[BaseModel]
    lists: tuple[str, ...] = ()

    @property
    def sections(self) -> tuple[str, str]:
        """Return the names of the sections."""
        return "train", self.section

    def key(self, name: str) -> str | None:
        """Return the key that a flag sets: of the whole, or of the section that knows it."""
        if name in self.whole.model_fields:
            return name
        if name in TrainConfig.model_fields or name in ALIASES:
            return f"train.{name}"
        return f"{self.section}.{name}" if name in self.method.model_fields else None

    def flags(self, given: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
        """Return the flags of the command by the key they set; `pairs` are those of `--set`."""
        found = read_set(pairs, self.sections)
        for name, value in given.items():
            key = self.key(name)
            if key is not None and value is not None:
                found[key] = split_commas(value) if key in self.lists else value
        return found

    def read(self, file: Path | None, flags: Mapping[str, Any]) -> T:
        """Merge `file` and `flags` (None means not given; "a.b" reaches into a section).

        Raises ConfigError with the nearest name for an unknown key, and with the value otherwise.
        """
        keys = read_keys(file) if file else {}
        held = {self.key(name) or name: value for name, value in keys.items()}
        whole = {name: value for name, value in held.items() if "." not in name}
        within = {name: value for name, value in held.items() if "." in name}
        values = merged(whole, within | dict(flags), self.sections)
        for name in values:
            if name not in self.whole.model_fields:
                known = [*self.whole.model_fields, *self.method.model_fields]
                raise ConfigError(unknown(f"key of {self.name}", name, known))
        if "output_dir" in values["train"]:
            raise ConfigError("train.output_dir: give output_dir (-o) outside the section")
        try:
            return self.whole.model_validate(values)
        except ValidationError as error:
            raise ConfigError(first_problem(error, self.name)) from error
