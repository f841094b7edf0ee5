"""Augment rows from a script: `python pipelines/augment.py --dataset petfinder --limit 24`.

The same code and the same flags as `textcentric augment`, for launchers that want a file.
"""

import sys

from textcentric.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "augment")
    main()
