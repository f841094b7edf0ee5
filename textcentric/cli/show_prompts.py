"""What `textcentric prompts list` and `show` print."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

from textcentric.cli.columns import columns
from textcentric.cli.terminal import say
from textcentric.errors import PromptError, unknown
from textcentric.prompts import Instruction, PromptLibrary

BANK = "bank/"


def open_library(prompt_dir: str | None) -> PromptLibrary:
    """Load the packaged library and the user's folder, if one is given."""
    return PromptLibrary.load(*([prompt_dir] if prompt_dir else []))


def list_prompts(prompt_dir: str | None, *, as_json: bool) -> None:
    """Print every prompt, and the bank's families with their counts."""
    library = open_library(prompt_dir)
    fronts = [library[name].front for name in sorted(library.prompts)]
    families = Counter(entry.family for entry in library.bank)
    if as_json:
        keys = {"id", "version", "stage", "label", "intent", "reads", "writes"}
        prompts = [front.model_dump(mode="json", include=keys) for front in fronts]
        print(json.dumps({"prompts": prompts, "bank": dict(families)}, ensure_ascii=False))
        return
    rows = [[f.id, f"v{f.version}", f.stage, f.label, f.intent] for f in fronts]
    print(columns(rows, ["prompt", "", "stage", "label", "intent"]))
    print(f"\nthe bank: {len(library.bank)} instructions, drawn a row with --prompts bank")
    print(columns([[family, n] for family, n in families.items()]))


def show_prompt(name: str, prompt_dir: str | None) -> None:
    """Print the file of a prompt, or the line of an instruction."""
    library = open_library(prompt_dir)
    if name.startswith(BANK):
        entry = instruction(library, name)
        print(json.dumps(asdict(entry), ensure_ascii=False, indent=2))
        return
    path = library[name].path
    if path is None:
        raise PromptError(f"prompt {name} comes from no file", prompt=name)
    say(str(path))
    print(path.read_text(encoding="utf-8"), end="")


def instruction(library: PromptLibrary, name: str) -> Instruction:
    """Return the instruction `bank/ID`; raises PromptError with the nearest id."""
    entries = {f"{BANK}{entry.id}": entry for entry in library.bank}
    if name not in entries:
        raise PromptError(unknown("instruction", name, entries), prompt=name)
    return entries[name]
