"""What the functions give back: a path, figures as JSON values, and a table of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from textcentric.data.shown import html_table
from textcentric.errors import ConfigError, RunError, quoted
from textcentric.runs import listing
from textcentric.runs.columns import schemas
from textcentric.runs.directory import variants_and_clean
from textcentric.runs.lineage import lineage
from textcentric.runs.lost_shards import check_shards
from textcentric.runs.manifest import MANIFEST, Manifest, read_manifest
from textcentric.runs.shard_files import shard_files

if TYPE_CHECKING:
    import datasets
    import pandas as pd

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What came of something: where it lies, its figures, and the rows of its table.

    `path` is None where nothing was written. `values` are what the command prints with `--json`.
    """

    path: Path | None
    values: Mapping[str, Any] = field(repr=False)
    table: Sequence[Row] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return dict(self.values)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a data frame."""
        import pandas as pd

        return pd.DataFrame([dict(row) for row in self.table])

    @property
    def dataset(self) -> datasets.Dataset:
        """Return the table as a Hugging Face data set."""
        import datasets

        return datasets.Dataset.from_list([dict(row) for row in self.table])

    def __getitem__(self, name: str) -> Any:
        """Return a figure by its name."""
        return self.values[name]

    def _repr_html_(self) -> str:
        return html_table(self.table, "" if self.path is None else str(self.path))


@dataclass(frozen=True)
class Estimate(Result):
    """What a run would take, from a pilot whose answers are kept."""


@dataclass(frozen=True)
class Described(Result):
    """Rows in the experts' words."""


@dataclass(frozen=True)
class Trained(Result):
    """A training that came to its end; `path` is the folder of the model."""

    history: Sequence[Row] = field(repr=False, default=())

    @property
    def metrics(self) -> Mapping[str, float]:
        """Return the figures of the held-out rows."""
        metrics: Mapping[str, float] = self.values["metrics"]
        return metrics


@dataclass(frozen=True)
class Predictions(Result):
    """A prediction of each row; `problems` says of some why they have none."""

    problems: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Scores(Result):
    """The reward of each response, or why it has none."""


@dataclass(frozen=True)
class Checked(Result):
    """The verdict on each pair of a source and a variant; `path` is the file of them."""

    @property
    def true_share(self) -> float:
        """Return the share of true variants among those that could be judged."""
        share: float = self.values["true_share"]
        return share


@dataclass(frozen=True)
class Reviewed(Result):
    """A sheet: `table` are its pairs with what the reader called them, no verdict among them.

    `answers` are those of all readers, `figures` what they come to, a prompt a row: of `read`
    accepted variants so many `true`, with the ends of a 95 % interval; `notes` is what to know.
    """

    answers: Sequence[Row] = field(repr=False, default=())
    figures: Sequence[Row] = field(repr=False, default=())
    notes: Sequence[str] = field(repr=False, default=())


@dataclass(frozen=True)
class Calibration(Result):
    """What was read of a run, a prompt a row; `path` is the file that holds it."""

    notes: Sequence[str] = field(repr=False, default=())


@dataclass(frozen=True)
class Encoded(Result):
    """Latents of frozen encoders; `path` is their folder."""


@dataclass(frozen=True)
class Retrieved(Result):
    """What lies nearest to queries, or, without any, how well the search works."""


@dataclass(frozen=True)
class Evaluation(Result):
    """What models lose under damage, beside each other; `path` is the folder of the report."""

    @property
    def verdict(self) -> str:
        """Return what came of it in one sentence."""
        return str(self.values["verdict"]["sentence"])

    @property
    def report(self) -> Path:
        """Return the page."""
        return Path(self.values["report"])


@dataclass(frozen=True)
class RewardEvaluation(Result):
    """How often reward models are right on each set of pairs."""


@dataclass(frozen=True)
class FusionEvaluation(Result):
    """What attacks leave of fusion models."""


@dataclass(frozen=True)
class Ablation(Result):
    """What is lost where one piece of a method is taken away."""

    pictures: tuple[Path, ...] = ()


@dataclass(frozen=True, init=False)
class Run:
    """A run directory as Hugging Face data sets, by its path or by its name in `runs/`.

    Raises RunError for a folder that holds no run, and ConfigError with the nearest name where
    there is no such folder.
    """

    path: Path

    def __init__(self, path: str | Path) -> None:
        object.__setattr__(self, "path", _folder_of(path))

    @cached_property
    def manifest(self) -> Manifest:
        """Return counts, versions, digests: the run's `manifest.json`."""
        return read_manifest(self.path)

    @property
    def status(self) -> str:
        """Return how the run ended: finished, failed, stopped, interrupted or killed."""
        return listing.status(self.path, self.manifest)

    @property
    def totals(self) -> dict[str, int]:
        """Return how many outputs were requested, accepted, ..., clean rows among them."""
        return dict(self.manifest.get("totals", {}))

    @property
    def variants(self) -> dict[str, int]:
        """Return how many variants were requested, accepted, rejected, failed, and are pending."""
        return dict(variants_and_clean(self.manifest.get("counts", {}))[0])

    @property
    def dataset(self) -> datasets.Dataset:
        """Return the accepted rows, clean ones included."""
        return self._read("data")

    @property
    def rejected(self) -> datasets.Dataset:
        """Return the rejected rows with their reasons."""
        return self._read("rejected")

    @property
    def errors(self) -> datasets.Dataset:
        """Return the outputs that failed, with stage and message."""
        return self._read("errors")

    @property
    def report(self) -> Path:
        """Return the page about the run."""
        return self.path / "report.html"

    def lineage(self, row_id: str) -> dict[str, Any]:
        """Return everything known of the output `row_id`; raises DataError for an unknown one."""
        return lineage(self.path, row_id)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest and the path, as `augment --json` prints them."""
        return {"path": str(self.path), **self.manifest}

    def to_pandas(self) -> pd.DataFrame:
        """Return the accepted rows as a data frame."""
        return self.dataset.to_pandas()

    def __repr__(self) -> str:
        try:
            counts = [f"{fate}={number}" for fate, number in self._counted().items()]
            return f"Run({', '.join([repr(str(self.path)), f'status={self.status!r}', *counts])})"
        except RunError:  # before its first manifest, or not JSON
            return f"Run({str(self.path)!r})"

    def _counted(self) -> dict[str, int]:
        """Return what the screen counts: variants, if any were wanted, and accepted clean rows."""
        variants, clean = variants_and_clean(self.manifest.get("counts", {}))
        return {**(variants if variants["requested"] else {}), "clean": clean["accepted"]}

    def _repr_html_(self) -> str:
        counts: Mapping[str, Mapping[str, int]] = self.manifest.get("counts", {})
        rows = [{"prompt": prompt, **fates} for prompt, fates in counts.items()]
        return html_table(rows, f"{self.path}, {self.status}")

    def _read(self, name: str) -> datasets.Dataset:
        import pyarrow.parquet as pq
        from datasets import Dataset as HubDataset

        if (self.path / MANIFEST).is_file():
            check_shards(self.path, self.manifest, name)
        files = shard_files(self.path, name)
        filled = [str(file) for file in files if pq.read_metadata(file).num_rows]
        if filled:
            with _without_bars():
                return HubDataset.from_parquet(filled)
        schema = pq.read_schema(files[0]) if files else schemas("string")[name]
        return HubDataset(schema.empty_table())


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep Hugging Face's progress bars off stderr."""
    from datasets.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def _folder_of(run: str | Path) -> Path:
    """Return the folder of a run by its path or name."""
    if not isinstance(run, str | Path):
        raise ConfigError(f"a run is {quoted(run)}, expected its folder or its name in runs/")
    try:
        return listing.find_run(str(run))
    except ConfigError:
        if Path(run).is_dir():
            raise RunError(
                f"{run} holds no run (no {MANIFEST}); see `textcentric runs list`"
            ) from None
        raise


@dataclass(frozen=True)
class RunList(Sequence[Run]):
    """The runs of a folder, newest first."""

    path: Path
    runs: tuple[Run, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.runs)

    @overload
    def __getitem__(self, at: int) -> Run: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Run, ...]: ...
    def __getitem__(self, at: int | slice) -> Run | tuple[Run, ...]:
        return self.runs[at]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest of each run by its path."""
        return {str(run.path): run.to_dict() for run in self.runs}

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each run."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def _rows(self) -> list[dict[str, Any]]:
        return [{"run": str(run.path), "status": run.status, **run.variants} for run in self.runs]

    def _repr_html_(self) -> str:
        return html_table(self._rows(), str(self.path))
