"""Train from a script: `accelerate launch pipelines/train.py downstream --run runs/first`.

With words behind it, it is `textcentric train`. With none it trains `downstream` on the newest
finished run in runs/, else on the built-in sample; asked again it goes on, or says that it is done.
"""

import sys
from pathlib import Path

import textcentric as tc
from textcentric.cli import main, run
from textcentric.folders import fingerprint
from textcentric.training.folder import FACTS
from textcentric.training.processes import first_process

ANOTHER = "choose another by `pipelines/train.py downstream --run RUN` or `--dataset ROWS`"


def newest_rows() -> tuple[tc.Run | str, str, str]:
    """Return what to train on, why, and what stands for its content."""
    for newest in tc.list_runs("runs"):
        if newest.status == "finished":
            content = {"run": newest.manifest["fingerprint"], "totals": newest.totals}
            return newest, f"{newest.path}, the newest finished run", fingerprint(content)
    rows = tc.load("petfinder")
    return (
        "petfinder",
        f"{rows.name}: runs/ has no finished run",
        fingerprint({"rows": rows.digest}),
    )


def train() -> None:
    """Train on the newest rows and say where the model is."""
    rows, why, content = newest_rows()
    folder = Path("models") / f"downstream-{content}"
    tell = print if first_process() else lambda line: None
    tell(f"downstream on {why}; {ANOTHER}")
    if (folder / FACTS).is_file():
        tell(f"{folder} is trained already; remove it to train anew")
        return
    trained = tc.train("downstream", rows, output_dir=folder, progress=first_process())
    tell(f"steps    {trained['steps']} in {trained['seconds']:.0f} s")
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in trained.metrics.items())
    tell(f"metrics  {metrics or 'none: no row was held out'}")
    tell(f"model    {trained.path}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(["train", *words]) if words else run(train)
