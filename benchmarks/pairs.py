"""Draw accepted variants of a run on a built-in sample by seed, as Markdown: source and variant.

    python -m benchmarks.pairs runs/demo > docs/pairs.md

Only runs on a sample are taken: text made from other people's rows is not for publishing.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textcentric.api import Run
from textcentric.runs.columns import read_rows

SEED, PAIRS = 20, 20


def draw_pairs(run: Run, seed: int = SEED, count: int = PAIRS) -> list[tuple[Any, Any]]:
    """Return (clean row, variant) pairs, drawn by `seed` from all accepted variants."""
    if "sample" not in run.manifest["dataset"]["origin"]:
        raise SystemExit(
            f"{run.path} is no run on a built-in sample; its text is not ours to print"
        )
    rows = sorted(read_rows(run.dataset.data.table), key=lambda row: row["id"])
    clean = {row["source_id"]: row for row in rows if row["prompt"] == "clean"}
    variants = [row for row in rows if row["prompt"] != "clean"]
    drawn = random.Random(seed).sample(variants, min(count, len(variants)))
    return [(clean[row["source_id"]], row) for row in drawn]


def markdown(source: Mapping[str, Any], variant: Mapping[str, Any]) -> str:
    """Return one pair: the parts that changed, before and after; the others stay as they are."""
    before, after = source["parts"], variant["parts"]
    changed = [name for name in after if after[name] != before.get(name)]
    lines = [f"### `{variant['id']}`", ""]
    if set(after) & set(before) == set() or after.keys() == {"text"}:
        lines += ["| | |", "|---|---|", f"| source | {_cell(variant['source_text'])} |"]
        return "\n".join([*lines, f"| variant | {_cell(variant['text'])} |", ""])
    lines += ["| part | source | variant |", "|---|---|---|"]
    lines += [f"| {n} | {_cell(before.get(n, ''))} | {_cell(after[n])} |" for n in changed]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    run = Run(parser.parse_args().run)
    print(f"# {PAIRS} accepted variants, drawn by seed {SEED}\n")
    print(
        f"Rows of the built-in sample, through `{run.manifest['engine']['model']}` on"
        f" `{run.manifest['engine']['engine']}`, accepted by the checks of"
        f" {run.manifest['started'][:7]}. Parts that are not shown are the same as in the source;"
        " nothing was chosen by hand. What an accepted variant is worth: [trust](trust.md).\n"
    )
    for source, variant in draw_pairs(run):
        print(markdown(source, variant))


if __name__ == "__main__":
    main()
