"""Evaluate from a script: `python pipelines/evaluate.py models/first --dataset petfinder`.

With words behind it, it is `textcentric evaluate`. With none it damages the test rows that the
newest model in models/ was trained for, where those have a name.
"""

import sys
from pathlib import Path

import textcentric as tc
from textcentric.cli import main, run
from textcentric.data import names
from textcentric.methods.downstream import Downstream
from textcentric.methods.downstream.method import PAPERS

USAGE = "`pipelines/evaluate.py MODEL --dataset ROWS`"


def newest_model() -> Path:
    """Return the downstream model that was trained last."""
    models = sorted(Path("models").glob(f"*/{PAPERS}"), key=lambda path: path.stat().st_mtime)
    if not models:
        raise tc.ConfigError(
            f"there is no downstream model in models/: train one by `pipelines/train.py`, or name"
            f" one: {USAGE}"
        )
    return models[-1].parent


def evaluate() -> None:
    """Evaluate the newest model and say what it loses."""
    folder = newest_model()
    rows = str(Downstream.load(folder).origin.dataset.get("name", "")).removesuffix("-sample")
    if rows not in names():
        raise tc.ConfigError(f"which rows? {folder} was trained on {rows!r}, no name: {USAGE}")
    print(f"{folder}, the newest model, on {rows}; choose others by {USAGE}", flush=True)
    found = tc.evaluate(folder, rows, corruptions="all", levels=[0.3, 0.5, 0.7], progress=True)
    print(f"{found.verdict}\nreport  {found.report}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(["evaluate", *words]) if words else run(evaluate)
