"""Augment rows from a script: `python pipelines/augment.py --dataset petfinder --limit 24`.

With words behind it, it is `textcentric augment`. With none it augments 24 rows of petfinder, of
the built-in sample where the real rows are not here; asked again it goes on, or says that it is
done.
"""

import sys

import textcentric as tc
from textcentric.cli import main, run

ANOTHER = "choose others by `pipelines/augment.py --dataset ROWS --prompts PROMPTS`"


def augment() -> None:
    """Augment some rows and say where they are."""
    rows = tc.load("petfinder", limit=24)
    print(f"24 rows of {rows.name} through adversarial prompts; {ANOTHER}", flush=True)
    made = tc.augment(rows, prompts="adversarial", progress=True)
    print(", ".join(f"{count} {fate}" for fate, count in made.totals.items()))
    print(f"data    {made.path / 'data'}\nreport  {made.report}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(["augment", *words]) if words else run(augment)
