"""Where the training text came from: experts, prompts, model and schema of a run directory.

A trained folder keeps this, and the frozen prompts that derived text needs, so that new rows can
be put into words in just the way that the training rows were.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from textcentric.errors import RunError, cut
from textcentric.folders import read_yaml
from textcentric.prompts.library import PromptLibrary
from textcentric.rows import Balance, Read, Source
from textcentric.runs.columns import experts_of
from textcentric.runs.directory import frozen_prompts
from textcentric.runs.manifest import MANIFEST, PromptUsed, read_manifest
from textcentric.runs.shard_files import shard_files
from textcentric.settings import Given

DERIVE_STAGES = ("align", "summarize", "reason")
EXPERT_SETTINGS = ("image_expert", "audio_expert", "missing_values")
LLM_SETTINGS = "engine model engine_settings temperature max_tokens on_too_long seed".split()
SETTINGS = (*EXPERT_SETTINGS, *LLM_SETTINGS, "base_url")  # no others have effect
PROMPTS = "prompts"
SURE = ("-words2", "-words3")  # end the version of an expert that says only what is measured
Names = dict[str, list[list[str]]]  # modality -> [name, version] of every expert that spoke


class Versioned(Protocol):
    """What has a name and a version, as every expert has."""

    name: str
    version: str


@dataclass(frozen=True)
class Origin:
    """What put the training rows into words.

    `prompts` are those whose text is part of a clean row: {id: digest, version, stage, writes}.
    `frozen` is the folder that holds them, None where no LLM was involved. `columns` are None where
    the version before did not keep them. `balance` says how many rows of the source were used.
    `said_by` is the folder that says all this, None where it is the program itself.
    """

    dataset: Mapping[str, str] = field(default_factory=dict)
    schema: Given = field(default_factory=dict)
    columns: tuple[str, ...] | None = None  # of the table, in order
    experts: Names = field(default_factory=dict)
    settings: Given = field(default_factory=dict)
    prompts: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    engine: Mapping[str, str] = field(default_factory=dict)
    frozen: Path | None = None
    balance: Balance | None = None
    said_by: Path | None = field(default=None, compare=False)

    def writes(self) -> list[str]:
        """Return the parts of a row that an LLM wrote; `modality` stands for all of them."""
        return [str(prompt["writes"]) for prompt in self.prompts.values()]

    def rewrites(self) -> bool:
        """Say whether an LLM put what experts say into other words."""
        return any(prompt["stage"] == "align" for prompt in self.prompts.values())

    def expert_words(self) -> str:
        """Return what recognisers said: "sure", or "all" where the rows are of earlier versions."""
        versions = [version for pairs in self.experts.values() for _, version in pairs]
        return "sure" if any(v.endswith(SURE) for v in versions) else "all"

    def save(self, folder: Path) -> dict[str, Any]:
        """Copy the frozen prompts into `folder`; return the rest as plain values."""
        if self.frozen is not None and self.frozen != folder / PROMPTS:
            for name in self.prompts:
                target = folder / PROMPTS / f"{name}.jinja"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.frozen / f"{name}.jinja", target)
        values = asdict(self)
        del values["frozen"], values["said_by"]
        return values

    @classmethod
    def load(cls, values: Mapping[str, Any], folder: Path) -> Origin:
        """Return what `save` wrote."""
        columns = values.get("columns")
        said = {name: value for name, value in values["settings"].items() if name in SETTINGS}
        for name in values["prompts"]:
            _check_id(name)
        return cls(
            **{**values, "columns": None if columns is None else tuple(columns), "settings": said},
            frozen=folder / PROMPTS if values["prompts"] else None,
            said_by=folder,
        )


def read_origin(run: str | Path) -> Origin:
    """Return what put the rows of a run directory into words; raises RunError where it is none."""
    run = Path(run)
    manifest, identity = read_manifest(run), read_yaml(run / "run.yaml")
    missing = {"name", "digest", "origin"} - manifest.get("dataset", {}).keys()
    if missing:
        lacks = ", ".join(sorted(missing))
        raise RunError(f"{run / MANIFEST} does not say of its data set: {lacks}")
    read = manifest["dataset"].get("read")
    known = {
        name: prompt
        for name, prompt in manifest.get("prompts", {}).items()
        if prompt["stage"] in DERIVE_STAGES
    }
    return Origin(
        dataset={k: manifest["dataset"][k] for k in ("name", "digest", "origin")},
        schema=read["schema"] if read else _schema_before(identity),
        columns=tuple(read["columns"]) if read else None,
        experts=_experts(run),
        settings=_settings(identity),
        prompts=_with_parts(run, known),
        engine={name: value or "" for name, value in manifest.get("engine", {}).items()},
        frozen=run / PROMPTS if known else None,
        said_by=run,
    )


def _check_id(name: str) -> None:
    """Raise RunError for an id of a prompt that would name a file elsewhere."""
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", name):
        raise RunError(f"{cut(name)!r} is no id of a prompt, such as summarize/brief")


def _settings(saved: Given) -> dict[str, object]:
    """Return what chose experts and LLM; a server's address only where the run had one."""
    settings = {name: saved.get(name) for name in (*EXPERT_SETTINGS, *LLM_SETTINGS)}
    address = saved.get("base_url")
    return settings | ({"base_url": address} if address else {})


def _schema_before(saved: Given) -> Given:
    """Return the schema of a run that says no more of it, where a task may have been guessed."""
    data = saved.get("data")
    before = data.get("schema") if isinstance(data, Mapping) else None
    before = before if isinstance(before, Mapping) else {}
    guessed = before.get("task") == "classification" or "target" not in before
    return {name: value for name, value in before.items() if name != "task" or not guessed}


def expert_origin(
    rows: Source, experts: Mapping[str, Versioned], read: Read, **settings: object
) -> Origin:
    """Return the origin of rows that the experts described without an LLM.

    `read` is what they read of the rows' table, as `textcentric.data.trained` says it; `settings`
    are those that chose the experts: image_expert, audio_expert, missing_values.
    """
    return Origin(
        dataset={"name": rows.name, "digest": rows.digest, "origin": rows.origin},
        schema=read["schema"],
        columns=tuple(read["columns"]),
        experts={m: [[expert.name, expert.version]] for m, expert in experts.items()},
        settings=settings,
    )


def _with_parts(run: Path, known: Mapping[str, PromptUsed]) -> dict[str, dict[str, str | int]]:
    """Complete each prompt by the part it writes, after checking that its frozen text is it."""
    if not known:
        return {}
    library = PromptLibrary.load(frozen_prompts(run), packaged=False)
    found = {}
    for name, prompt in known.items():
        frozen = library[name]
        if frozen.digest != prompt["digest"]:
            raise RunError(
                f"{run / PROMPTS / name}.jinja has digest {frozen.digest}, but the run was made"
                f" with {prompt['digest']}: the frozen prompt was changed afterwards; restore it,"
                " or run `textcentric augment` again"
            )
        kept = {key: prompt[key] for key in ("digest", "version", "stage")}
        found[name] = {**kept, "writes": frozen.front.writes}
    return found


def _experts(run: Path) -> Names:
    """Return name and version of every expert that spoke in an accepted row."""
    import pyarrow.dataset as ds

    shards = ds.dataset(shard_files(run, "data"), format="parquet")
    column = shards.to_table(columns=["experts"])["experts"]
    names: Names = {}
    for modality, name, version in sorted(experts_of(column)):
        names.setdefault(modality, []).append([name, version])
    return names
