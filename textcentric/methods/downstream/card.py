"""How a saved model is loaded without this package: lines of its card, which a test runs.

They are run where the card lies, so `.` is its folder; on the hub it is the name there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from textcentric.methods.downstream.decision import Decision
from textcentric.models.received import ADAPTER, read_settings

OFFSET = "score_offset"  # key of config.json: what is added to the score of a head without bias
UNDONE = {"none": "{}", "log": "exp({})", "log1p": "exp({}) - 1"}
TEXTS = """\
The text of a row is its blocks, each after its name, as experts and prompts put it into words;
`textcentric predict MODEL --dataset new.csv --texts -o predictions.csv` writes it beside the
prediction, cut to {length} tokens as the model reads it.
"""
OWN = """\
{why}, so it is read by this package:

```python
from textcentric.methods.downstream import Downstream
model = Downstream.load(".")
print(model.predict([{row}]))
```
"""
ADAPTED = """\
This is a LoRA adapter of the features of `{base}`; `head.safetensors` is the head on them.
`train downstream ... --export FOLDER` writes the model with the adapter merged, which
`pipeline("text-classification", FOLDER)` of transformers reads. Of this folder it would read the
base alone, under a head drawn at random, which it reports as MISSING.

```python
from peft import PeftModel
from transformers import AutoModel
encoder = PeftModel.from_pretrained(AutoModel.from_pretrained({named}), ".")
```
"""
PIPELINE = """\
```python
from transformers import pipeline
classify = pipeline("text-classification", ".")
print(classify({text}))
```
"""


def usage(
    folder: Path, decision: Decision, parts: Collection[str], length: int, *, headers: bool
) -> str:
    """Return the section of the card of `folder` that says how the model is loaded and read.

    `parts` are the blocks that it knows, `length` the tokens it reads, `headers` whether each block
    begins with its name.
    """
    names = sorted(parts)
    if (folder / ADAPTER).is_file():
        base = str(read_settings(folder / ADAPTER).get("base_model_name_or_path"))
        lines = [ADAPTED.format(base=base, named=json.dumps(base))]
    elif not _is_classifier(folder):
        why = "No classifier of transformers holds this model: its tokens are pooled in another way"
        lines = [OWN.format(why=why, row=json.dumps(dict.fromkeys(names, "...")))]
    else:
        text = "".join(f"{name}: ...\n" if headers else "...\n" for name in names)
        lines = [PIPELINE.format(text=json.dumps(text)), _meaning(folder, decision)]
    return "\n".join(["## Load it\n", *lines, TEXTS.format(length=length)])


def _is_classifier(folder: Path) -> bool:
    kinds = read_settings(folder / "config.json").get("architectures") or []
    return any(str(kind).endswith("ForSequenceClassification") for kind in kinds)


def _meaning(folder: Path, decision: Decision) -> str:
    """Say what the pipeline gives, beside what `predict` does."""
    if decision.task == "classification":
        return "Label and probability are those of `textcentric predict`.\n"
    offset = read_settings(folder / "config.json").get(OFFSET, 0.0)
    score = f"`score {offset:+.6g}`" if offset else "`score`"
    if decision.task == "ordinal":
        return (
            f"It gives one number; {score} is the score of `textcentric predict`. {_cuts(decision)}"
        )
    number = UNDONE[decision.transform].format(score.strip("`"))
    same = f"; the prediction is `{number}`" if decision.transform != "none" else ", the prediction"
    return f"It gives one number; {score} is the score of `textcentric predict`{same}.\n"


def _cuts(decision: Decision) -> str:
    """Say how cuts turn the score into classes."""
    bounds: Sequence[str] = [f"{cut:.6g}" for cut in decision.cuts]
    named = [f"`{label}`" for label in decision.learnt]
    upper = [f"{name} below {bound}" for name, bound in zip(named, bounds, strict=False)]
    return f"Its class is the first of: {', '.join(upper)}; else {named[-1]}.\n"
