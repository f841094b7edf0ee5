"""A small data set of invented rows, prompts of our own and a model that answers by hashing."""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textcentric import augment
from textcentric.api import Run
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import EngineError, RequestError
from textcentric.rows import Record
from textcentric.runs import shards
from textcentric.runs.columns import read_rows


def hear_interrupts() -> None:
    """Undo an ignored Ctrl-C: processes started in the background by a script inherit one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


PROMPTS = {
    "own/swap": """\
stage: adversarial
label: unsure
reads: [row, sentence]
writes: text
each: sentence
take: 2
sampling: {temperature: 0.9, max_tokens: 40}
---
{% block user %}{{ row }}

Rewrite: {{ sentence }}{% endblock %}
""",
    "own/whole": """\
stage: adversarial
label: unsure
reads: [row]
writes: row
sampling: {temperature: 0.9, max_tokens: 200}
---
{% block user %}{{ row }}

Rewrite all.{% endblock %}
""",
    "own/gist": """\
stage: adversarial
reads: [row, summary]
writes: gist
label: unsure
sampling: {temperature: 0.9, max_tokens: 60}
---
{% block user %}{{ row }}

Rewrite this: {{ summary }}{% endblock %}
""",
    "summarize/pick": """\
stage: summarize
facts: fewer
reads: [row]
writes: summary
sampling: {temperature: 0.3, max_tokens: 40}
---
{% block user %}{{ row }}

Summarise.{% endblock %}
""",
}
PROMPTS |= {
    "align/plain": """\
stage: align
reads: [row, sentence]
writes: modality
each: sentence
---
{% block user %}{{ row }}

Tell: {{ sentence }}{% endblock %}
""",
    "reason/explain": """\
stage: reason
reads: [row, task, choices]
writes: reason
schema:
  type: object
  properties: {prediction: {enum: choices}, explanation: {type: string}}
  required: [prediction, explanation]
---
{% block user %}{{ row }}

{{ task }} {{ choices | join(", ") }}{% endblock %}
""",
    "judge/label-kept": """\
stage: judge
reads: [row, variant]
writes: verdict
sampling: {temperature: 0.0}
schema:
  type: object
  properties: {verdict: {enum: ["yes", "no"]}, reason: {type: string}}
  required: [verdict, reason]
---
{% block user %}{{ row }}

Second listing:
{{ variant }}{% endblock %}
""",
}
# Two prompts that keep the label, so that they are held to what their source says.
KEEPING = PROMPTS | {
    name: PROMPTS[name].replace("label: unsure", "label: keep")
    for name in ("own/swap", "own/whole")
}
KINDS = "dog cat rabbit parrot tortoise".split()
WORDS = "calm bold gentle curious sleepy tiny proud lively patient cheerful".split()
PLACES = "bakery harbour library garage orchard market station mill".split()
SENTENCE = re.compile(r"(?:This|It|Please) [^.]+\.")


def write_prompts(folder: Path, prompts: dict[str, str] | None = None) -> Path:
    """Write prompt files, ours by default; front matter that every file needs is added."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (PROMPTS if prompts is None else prompts).items():
        path = folder / f"{name}.jinja"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\nid: {name}\nversion: 1\nintent: Say what it is for.\n{text}")
    return folder


def records(count: int = 6, **values: Any) -> list[Record]:
    """Return `count` rows of table and text, no two alike; `values` go into every Record."""
    return [record(number, **values) for number in range(count)]


def record(number: int, **values: Any) -> Record:
    """Return the row of that number."""
    kind, word = KINDS[number % 5], WORDS[number % 10]
    table = {"Kind": kind, "Age": f"{number + 2} months", "Colour": None}
    text = (
        f"This {word} {kind} was found behind the {PLACES[number % 8]} last spring."
        f" It likes people, sleeps a lot and comes when somebody calls {word} names."
        f" Please ask for row {number} when you write to us about the {kind}."
    )
    known = {"target": float(number % 4), "group": f"g{number}", "split": "train"}
    return Record(f"r{number}", {"table": table, "text": text}, **{**known, **values})


def model(request: Request) -> str | Exception:
    """Answer as a middling model might; the request's content decides everything."""
    row, _, task = request.messages[-1].content.rpartition("\n\n")
    draw = random.Random(request.key)
    if draw.random() < 0.02:
        return RequestError("the server answered 500 three times", kind="server", attempts=3)
    if draw.random() < 0.08:
        return draw.choice(["", "I cannot help with that.", "Sure, here is the listing."])
    if task == "Summarise.":
        return str(draw.choice(SENTENCE.findall(row) or [row]))  # true: a sentence of the row
    words = (row if task == "Rewrite all." else task.partition(": ")[2]).split() or row.split()
    for _ in range(3):
        at = draw.randrange(len(words))
        words[at] = words[at][::-1] + draw.choice("aeiou")
    return " ".join(words)


def true_model(request: Request) -> str | Exception:
    """Answer as the model does, but a rewriting says what its source says, a letter twice."""
    row, _, task = request.messages[-1].content.rpartition("\n\n")
    said = model(request)
    if not task.startswith("Rewrite") or not isinstance(said, str) or len(said) < 40:
        return said
    words = (row if task == "Rewrite all." else task.partition(": ")[2]).split()
    at = random.Random(request.key).choice([n for n, word in enumerate(words) if len(word) > 4])
    words[at] = re.sub(r"(\w)(\W*)$", r"\1\1\2", words[at])
    return " ".join(words)


def run(
    folder: Path,
    rows: Any = 6,
    answer: Any = model,
    *,
    prompts: str = "own/*",
    own: dict[str, str] | None = None,
    engine: ScriptedEngine | str | None = None,
    **options: Any,
) -> Run:
    """Augment into `folder`, embeddings off; our prompts lie beside it."""
    prompt_dir = write_prompts(folder.parent / "own-prompts", own)
    return augment(
        records(rows) if isinstance(rows, int) else rows,
        prompts=prompts,
        engine=engine or ScriptedEngine(answer),
        output_dir=folder,
        prompt_dir=str(prompt_dir),
        **{"embeddings": False, **options},
    )


def run_slowly(folder: Path, rows: int, delay: float, ready: Callable[[], None]) -> None:
    """Run in a process of its own with small shards, until it is done or killed."""
    shards.SHARD_OUTPUTS = 60
    ready()
    run(folder, rows, engine=ScriptedEngine(model, delay=delay, concurrency=4))


def written(folder: Path, name: str = "data") -> list[dict[str, Any]]:
    """Return the rows of one of a run's folders: data, rejected or errors."""
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in sorted((folder / name).glob("*.parquet"))]
    return [row for table in tables for row in read_rows(table)]


def texts(folder: Path) -> dict[str, tuple[str, str]]:
    """Return {output id: (text, fate)} of everything that a run wrote, failures too."""
    found = [(row["id"], (row["text"], "accepted")) for row in written(folder)]
    found += [(row["id"], (row["text"], row["reason"])) for row in written(folder, "rejected")]
    found += [(row["id"], (row["message"], "failed")) for row in written(folder, "errors")]
    assert len(dict(found)) == len(found), "an output was written twice"
    return dict(found)


def balance(run: Run) -> dict[str, int]:
    """Return the totals of a run after checking that the books balance, prompt by prompt."""
    for entry in [*run.manifest["counts"].values(), run.manifest["totals"]]:
        parts = [entry[name] for name in ("accepted", "rejected", "failed", "pending")]
        assert entry["requested"] == sum(parts)
    totals = run.manifest["totals"]
    assert totals["accepted"] == len(written(run.path))
    assert totals["rejected"] == len(written(run.path, "rejected"))
    assert totals["failed"] == len(written(run.path, "errors"))
    return dict(totals)


class Dying:
    """Answer as the model does until `after` requests were answered, then be dead."""

    def __init__(self, after: int):
        self.left = after

    def __call__(self, request: Request) -> Any:
        self.left -= 1
        return model(request) if self.left >= 0 else EngineError("the engine ran out of memory")
