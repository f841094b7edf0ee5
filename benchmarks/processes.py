"""A reading that is taken in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def child(benchmark: str, *arguments: object, **environment: str) -> dict[str, Any]:
    """Run the `main` of a benchmark in a new process; return what its last line says, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    reading: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reading
