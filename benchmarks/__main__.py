"""Run all benchmarks or the named ones, print one table, keep the raw readings."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.figure import Figure, keep, show
from textcentric.errors import unknown

NAMES = (
    *("driver", "memory", "startup", "overhead", "layout", "adversarial"),
    *("training", "training_memory", "second_grid"),
    *("reward_training", "reward_memory"),
    *("step_two", "step_time", "recursive_ridge", "fusemix_step", "latents_memory"),
    "federated_rounds",
    *("truth", "check_speed", "data_check", "experts", "summaries"),
    *("faults",),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all readings there too")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it work at all")
    flags = parser.parse_args()
    for name in flags.names:
        if name not in NAMES:
            parser.error(unknown("benchmark", name, NAMES))
    figures = []
    for name in flags.names or NAMES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures.append(measure(name, quick=flags.quick))
        keep(figures[-1:])
    show(figures)
    if flags.json:
        keep(figures, flags.json)
    return int(any(figure.met is False for figure in figures))


def measure(name: str, *, quick: bool = False) -> Figure:
    """Run one benchmark; `quick` takes its tiny sizes."""
    module = import_module(f"benchmarks.{name}")
    figure: Figure = module.measure(**module.QUICK) if quick else module.measure()
    return figure


if __name__ == "__main__":
    sys.exit(main())
