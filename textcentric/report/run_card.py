"""The data set card of a run: a README.md that `load_dataset(RUN)` and the Hub both read.

Names of data sets, prompts and models come from outside, so they reach the YAML only through
the Hub library's own classes and the Markdown only through `plain`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.errors import ConfigError, RunError
from textcentric.folders import write_text
from textcentric.prompts.calibration import UNREAD
from textcentric.report.run_files import derived_lines, never_read, read_words
from textcentric.runs.manifest import read_manifest
from textcentric.runs.shard_files import shard_files
from textcentric.values import Json

if TYPE_CHECKING:
    from huggingface_hub import DatasetCardData

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
COUNTS = ("requested", "accepted", "rejected", "failed", "pending")
COLUMNS = {
    "id": "this row; unique",
    "source_id": "the row of the source data that it was made from",
    "dataset": "name of the source data set",
    "split": "split of the source row; a variant inherits it",
    "group": "group of the source row (such as its owner); never put one group into two splits",
    "target": "the label, copied from the source row, of the type it has there",
    "prompt": "id of the prompt that made the row; `clean` for the row without perturbation",
    "sample": "number of the sample, where one prompt was asked several times",
    "source_text": "the clean row as text",
    "text": "what a model is to read",
    "parts": "`text` in parts: a list of name (a modality or stage) and text",
    "model": "the language model",
    "model_revision": "its revision or digest",
    "prompt_digest": "digest of the prompt's text, which lies in `prompts/`",
    "sampling": "temperature, top-p and so on; null where nothing was asked",
    "seed": "seed of this very request",
    "request_key": "key of the model's answer in `journal.sqlite`",
    "experts": "what described each modality: a list of modality, name, version and confidence",
    "scores": "what the checks measured; null what they did not",
    "notes": "what was cut from the answer or repaired",
}


def write_card(run_dir: Path) -> Path:
    """Write README.md, the data set card of `run_dir`, from its manifest, and return its path.

    Raises ConfigError where there is no such folder.
    """
    from huggingface_hub import DatasetCard

    run_dir = Path(run_dir)
    if not run_dir.is_dir():
        raise ConfigError(
            f"there is no run directory {str(run_dir)!r}; expected a folder written by"
            " `textcentric augment`; `textcentric runs list` shows those that exist"
        )
    manifest = _manifest(run_dir)
    rows = _rows(run_dir)
    front = _front_matter(manifest, rows).to_yaml()
    card = DatasetCard(
        f"---\n{front}\n---\n\n{_body(manifest, rows, run_dir)}", ignore_metadata_errors=False
    )
    path = run_dir / "README.md"
    write_text(path, str(card))
    return path


def plain(value: Json) -> str:
    r"""Return `value` as one line of Markdown that shows it literally.

    >>> print(plain("<b> *a*"))
    &lt;b&gt; \*a\*
    """
    text = re.sub(
        r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+", " ", str(value)
    )
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#|~!])", r"\\\1", text.strip())


def size_category(rows: int) -> str:
    """Return the Hub's size category of `rows`.

    >>> size_category(1_000)
    '1K<n<10K'
    """
    return SIZES[min(max(0, len(str(rows)) - 3), len(SIZES) - 1)]


def _manifest(run_dir: Path) -> dict[str, Json]:
    try:
        return dict(read_manifest(run_dir))  # type: ignore[arg-type]
    except RunError:
        return {}  # the run stopped before it wrote one; the card says less then


def _section(manifest: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = manifest.get(name)
    return dict(value) if isinstance(value, Mapping) else {}


def _rows(run_dir: Path) -> int:
    """Count the rows in data/ from the footers of the files."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in shard_files(run_dir, "data"))


def _title(manifest: Mapping[str, Json]) -> str:
    dataset = _section(manifest, "dataset")
    name = str(dataset.get("name") or "unnamed data")
    return f"{name}{' sample' if _is_sample(dataset) else ''}, augmented by textcentric"


def _is_sample(dataset: Mapping[str, Json]) -> bool:
    return "sample" in str(dataset.get("origin", "")).lower()


def _model(engine: Mapping[str, Json]) -> str:
    """Name the model; of a folder only the last part, as cards travel and folders do not."""
    model = str(engine.get("model") or "").rstrip("/\\")
    is_folder = model.startswith(("/", ".", "~")) or "\\" in model or model.count("/") > 1
    return re.split(r"[/\\]", model)[-1] if is_folder else model


def _front_matter(manifest: Mapping[str, Json], rows: int) -> DatasetCardData:
    from huggingface_hub import DatasetCardData

    return DatasetCardData(
        pretty_name=" ".join(plain(_title(manifest)).replace("\\", "").split()),
        license="unknown",
        size_categories=[size_category(rows)],
        tags=["textcentric", "synthetic", "data-augmentation", "robustness", "text"],
        configs=[{"config_name": "default", "data_files": "data/*.parquet"}],
    )


def _body(manifest: Mapping[str, Json], rows: int, run_dir: Path) -> str:
    sections = [
        f"# {plain(_title(manifest))}",
        _what(manifest, rows),
        _loading(),
        _counts(manifest, run_dir),
        "## Columns of `data/`\n\n" + _table(("column", "what it is"), list(COLUMNS.items())),
        _lineage(manifest),
        _terms(manifest),
    ]
    return "\n\n".join(one for one in sections if one) + "\n"


def _what(manifest: Mapping[str, Json], rows: int) -> str:
    dataset, engine = _section(manifest, "dataset"), _section(manifest, "engine")
    by_rule = "engine" in engine and engine["engine"] is None
    model = plain(_model(engine) or ("rules" if by_rule else "a language model"))
    of = (
        f" made from {dataset['rows']:,} source rows"
        if isinstance(dataset.get("rows"), int)
        else ""
    )
    text = (
        f"{rows:,} rows of text{of}. Tables, pictures and sounds were put into words, and {model}"
        " rewrote them in adversarial ways; every row says what made it. Rows that failed a check"
        " are in `rejected/` with the reason, and outputs that could not be made are in `errors/`."
        " `report.html` shows figures and examples."
    )
    status = manifest.get("status")
    unfinished = status is not None and status != "finished"
    return text + (
        f"\n\nThe run is **{plain(status)}**: rows may be missing." if unfinished else ""
    )


def _loading() -> str:
    return """## Loading

```python
from datasets import load_dataset

rows = load_dataset("PATH/TO/THIS/FOLDER", split="train")
variants = rows.filter(lambda row: row["prompt"] != "clean")
rejected = load_dataset("parquet", data_files="PATH/TO/THIS/FOLDER/rejected/*.parquet")
```

`split="train"` is how the library calls files without a split; the source's own split is in the
column `split`. Use it, and keep groups together, when you divide the rows."""


def _counts(manifest: Mapping[str, Json], run_dir: Path) -> str:
    counts = _section(manifest, "counts")
    if not counts:
        return ""
    prompts, read = _section(manifest, "prompts"), read_words(run_dir, manifest)
    lines = []
    for name in sorted(counts, key=lambda one: (one != "clean", one)):
        label = _section(prompts, name).get("label", "")
        lines.append(
            [
                plain(name),
                plain(label),
                *(plain(_section(counts, name).get(c, 0)) for c in COUNTS),
                plain(read.get(name, UNREAD).replace(UNREAD, "")),
            ]
        )
    totals = _section(manifest, "totals")
    if totals:
        lines.append(["all", "", *(plain(totals.get(name, 0)) for name in COUNTS), ""])
    return (
        "## Counts\n\nOne output is one wanted row: a source, a prompt and a sample. Requested ="
        " accepted + rejected + failed + pending. The label column is the effect that the prompt"
        " declares: train on `keep`, be careful with `unsure`, leave out `changes`. Read: how many"
        " accepted variants people read and found true, with a 95 % interval.\n\n"
        + _table(("prompt", "label", *COUNTS, "read"), lines)
        + "".join(
            f"\n\n{plain(line)}."
            for line in (*derived_lines(manifest, read), never_read(read))
            if line
        )
    )


def _table(head: tuple[str, ...], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _lineage(manifest: Mapping[str, Json]) -> str:
    engine, dataset = _section(manifest, "engine"), _section(manifest, "dataset")
    known = {
        "run": manifest.get("fingerprint"),
        "code": manifest.get("git"),
        "seed": manifest.get("seed"),
        "source data digest": dataset.get("digest"),
        "model": _model(engine),
        "model revision": engine.get("model_revision"),
        "chat template digest": engine.get("template_digest"),
        **_section(manifest, "versions"),
    }
    lines = [f"- {plain(name)}: {plain(value)}" for name, value in known.items() if value]
    return (
        "## Lineage\n\n`source_id`, `prompt` and `sample` say which output a row is;"
        " `prompt_digest`, `model`, `model_revision`, `sampling` and `seed` say what made it;"
        " `request_key` finds the model's own answer in `journal.sqlite`, where the run directory"
        " is at hand. `textcentric lineage ROW_ID` prints all of it. `run.yaml` is the whole"
        " configuration, `prompts/` holds the prompts as they were.\n\n" + "\n".join(lines)
    ).rstrip()


def _terms(manifest: Mapping[str, Json]) -> str:
    dataset = _section(manifest, "dataset")
    name = plain(dataset.get("name") or "the source data")
    origin = (
        f"The source rows are the sample built into textcentric: invented rows in the form of"
        f" {name}, not rows of the real set."
        if _is_sample(dataset)
        else f"The source rows are {name}. `text` and `source_text` repeat them in whole or in"
        " part, so **the terms of the source data hold for this folder too**: look them up before"
        " you share it, and remember that free text may name people, places and phone numbers."
    )
    return (
        f"## Terms and limits\n\n{origin}\n\nThe licence is given as unknown because it is"
        " inherited: from the source rows, and from the terms of the model that wrote the"
        " variants. The variants are damaged on purpose and may say what is not true; they are"
        " for training and testing models, not for information about what they describe."
    )
