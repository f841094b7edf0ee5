"""Evaluate from a script: `python pipelines/evaluate.py models/first --dataset petfinder`.

The same code and the same flags as `textcentric evaluate`, for launchers that want a file.
"""

import sys

from textcentric.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "evaluate")
    main()
