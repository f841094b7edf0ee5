"""The flags that commands share: each name, type and help is stated once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Text = str | None
Texts = list[str] | None
Number = int | None

# What to read.
Dataset = Annotated[
    Text, typer.Option("--dataset", help="petfinder, airbnb, avito, a table's path or OWNER/NAME.")
]
DataDir = Annotated[Text, typer.Option("--data-dir", help="Folder of the data set's files.")]
SchemaFile = Annotated[Text, typer.Option("--schema", help="YAML that names the columns' roles.")]
IdColumn = Annotated[Text, typer.Option("--id", help="Column of the id.")]
TargetColumn = Annotated[Text, typer.Option("--target", help="Column to predict.")]
TextColumn = Annotated[Texts, typer.Option("--text", help="Column of text; may be repeated.")]
ImageColumn = Annotated[Text, typer.Option("--image", help="Column of a picture path.")]
AudioColumn = Annotated[Text, typer.Option("--audio", help="Column of a sound path.")]
GroupColumn = Annotated[Text, typer.Option("--group", help="Column of the group.")]
IgnoreColumn = Annotated[
    Texts, typer.Option("--ignore", help="Column to leave out; may be repeated.")
]
Split = Annotated[Text, typer.Option("--split", help="Only the rows of this split.")]
Limit = Annotated[Number, typer.Option("--limit", help="At most so many rows.")]
Require = Annotated[Texts, typer.Option("--require", help="Only rows that have it, such as image.")]
Config = Annotated[Path | None, typer.Option("-c", "--config", help="YAML of the same names.")]

# What to ask, and whom.
PromptDir = Annotated[
    Text, typer.Option("--prompt-dir", help="Folder that adds prompts or overrides them.")
]
Engine = Annotated[Text, typer.Option("--engine", help="auto, vllm, transformers or openai.")]
Model = Annotated[Text, typer.Option("--model", help="smollm2, a folder or OWNER/NAME.")]
BaseUrl = Annotated[Text, typer.Option("--base-url", help="Server of --engine openai.")]
Set = Annotated[Texts, typer.Option("--set", help="engine.NAME=VALUE for any engine argument.")]
ImageExpert = Annotated[
    Text, typer.Option("--image-expert", help="auto, vlm, labels, packaged, pixels, none or NAME.")
]
AudioExpert = Annotated[
    Text, typer.Option("--audio-expert", help="auto, packaged, sound, none or NAME.")
]
MissingValues = Annotated[
    Text, typer.Option("--missing-values", help="skip or name what the table lacks.")
]
Llm = Annotated[
    Text, typer.Option("--llm", help="Model of --engine; default: that of the training text.")
]
OtherModel = Annotated[
    bool, typer.Option("--other-model", help="Allow another LLM than wrote the training text.")
]
Temperature = Annotated[
    float | None, typer.Option("--temperature", help="Over the prompts' own values.")
]
MaxTokens = Annotated[
    Number, typer.Option("--max-tokens", help="Of one answer, over the prompts' own values.")
]
Embeddings = Annotated[
    bool | None,
    typer.Option("--embeddings/--no-embeddings", help="Compare by meaning too (default)."),
]
Seed = Annotated[Number, typer.Option("--seed", help="Decides every draw.")]

# What damage is tried.
Corruptions = Annotated[
    Text, typer.Option("--corruptions", help="Comma-separated: all,word-dropout,feature-dropout.")
]
Levels = Annotated[Text, typer.Option("--levels", help="Of damage, in (0, 1]: 0.3,0.5,0.7.")]
Orders = Annotated[
    Number,
    typer.Option("--orders", min=0, help="Rows read in every order of their parts; 0: none."),
]

# When a run stops, and what it counts as.
Accept = Annotated[Number, typer.Option("--accept", help="Stop at so many variants.")]
MaxTokensTotal = Annotated[
    Number, typer.Option("--max-tokens-total", help="Stop after so many tokens, resumable.")
]
MaxMinutes = Annotated[
    float | None, typer.Option("--max-minutes", help="Stop after so long, resumable.")
]
MaxFailed = Annotated[
    float | None, typer.Option("--max-failed", help="Share of failures that ends with 3.")
]

# Where the result goes, and how it is told.
Output = Annotated[Text, typer.Option("-o", "--output-dir", help="The run directory itself.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the engine's own log.")]
