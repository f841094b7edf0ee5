"""Which process this is, where `accelerate launch` or `torchrun` started several.

One process prints; errors are told once a machine, since another machine may lack a file.
"""

from __future__ import annotations

import os
import sys

LAUNCH = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def first_process() -> bool:
    """Say whether this process is the one that prints and writes."""
    return os.environ.get("RANK", "0") == "0"


def first_of_machine() -> bool:
    """Say whether this process is the first one on its machine."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def processes() -> int:
    """Return how many processes were launched together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def lone_on_cpu() -> bool:
    """Say whether `accelerate launch` started this process on a CPU: it never starts two there."""
    asked = os.environ.get("ACCELERATE_USE_CPU")
    if asked is None or processes() > 1:
        return False
    import torch

    return asked.lower() == "true" or not torch.accelerator.is_available()


def alone() -> bool:
    """Make the first process forget the others; False in those, which have nothing to do."""
    if not first_process():
        return False
    if processes() > 1:
        print(f"{processes()} processes were launched; one does all of this", file=sys.stderr)
    for name in LAUNCH:
        os.environ.pop(name, None)
    return True
