"""Train from a script: `accelerate launch pipelines/train.py downstream --run runs/first`.

The same code and the same flags as `textcentric train`, for launchers that want a file.
"""

import sys

from textcentric.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
