"""How long `textcentric check` takes for 1,000 pairs of sentences, without a language model."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.edit_rows import sample_passages
from benchmarks.edits import make_edits
from benchmarks.figure import Bar, Figure

BAR = Bar("check_speed", "<", 60.0, unit="s", more=" on two cores")
RUN = "from textcentric.cli import main; main()"
QUICK = {"count": 20, "embed": False}


def measure(count: int = 1000, *, embed: bool = True) -> Figure:
    """Check `count` edits of sample sentences in a process of its own; count all its seconds."""
    edits = make_edits(sample_passages(), count)
    lines = [json.dumps({"source": e.passage.text, "variant": e.variant}) for e in edits]
    with tempfile.TemporaryDirectory(prefix="textcentric-bench-") as name:
        pairs, output = Path(name) / "pairs.jsonl", Path(name) / "verdicts.jsonl"
        pairs.write_text("\n".join(lines), encoding="utf-8")
        seconds = checked(pairs, output, embed=embed)
        count = len(output.read_text(encoding="utf-8").splitlines())
    return BAR.figure(
        f"textcentric check, {count} pairs, likelihoods off", seconds, raw={"pairs": count}
    )


def checked(pairs: Path, output: Path, *, embed: bool) -> float:
    """Return the seconds of one check; raises CalledProcessError where it fails."""
    command = [sys.executable, "-c", RUN, "check", str(pairs), "-q"]
    command += ["-o", str(output), "--likelihoods", "off"]
    started = time.perf_counter()
    subprocess.run(command + ["--no-embeddings"] * (not embed), check=True, capture_output=True)
    return time.perf_counter() - started
