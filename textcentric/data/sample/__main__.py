"""Write a sample from the command line: `python -m textcentric.data.sample petfinder FOLDER`."""

from __future__ import annotations

import argparse

from textcentric.data.named import names
from textcentric.data.sample.writer import DEFAULT_ROWS, write_sample


def main() -> None:
    """Write the sample that the arguments name and print its folder."""
    parser = argparse.ArgumentParser(prog="python -m textcentric.data.sample", description=__doc__)
    parser.add_argument("name", choices=names())
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(write_sample(given.name, given.folder, given.rows, given.seed))


if __name__ == "__main__":
    main()
