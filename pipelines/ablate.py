"""Compare arms from a script: `python pipelines/ablate.py -c pipelines/petfinder.yaml`.

The same code and the same flags as `textcentric compare`, for launchers that want a file.
"""

import sys

from textcentric.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "compare")
    main()
