"""Ablations from a script, with the flags of `textcentric ablate` and `compare`.

python pipelines/ablate.py crmt --dataset clips.csv --schema clips.yaml -o runs/crmt
python pipelines/ablate.py align-vl --latents latents/captions -o runs/align
python pipelines/ablate.py align-vl --grid --latents latents/captions -o runs/grid
python pipelines/ablate.py -c pipelines/petfinder.yaml

With nothing behind it, it takes Align-VL apart on the newest latents in latents/.
"""

import sys
from pathlib import Path

import textcentric as tc
from textcentric.cli import main, run

USAGE = (
    "`pipelines/ablate.py crmt --dataset ROWS -o FOLDER`, `align-vl --latents FOLDER -o FOLDER`, or"
    " `-c pipelines/petfinder.yaml` to compare arms"
)


def newest_latents() -> Path:
    """Return the folder of latents that was made last."""
    made = sorted(Path("latents").glob("*/latents.json"), key=lambda path: path.stat().st_mtime)
    if not made:
        raise tc.ConfigError(f"what is to be taken apart? latents/ holds none; {USAGE}")
    return made[-1].parent


def ablate() -> None:
    """Take Align-VL apart and show what each piece brings."""
    latents = newest_latents()
    print(f"align-vl on {latents}, the newest latents; choose others by {USAGE}", flush=True)
    output = Path("runs") / f"ablate-{latents.name}"
    ablated = tc.ablate("align-vl", latents, output_dir=output, progress=True)
    print(ablated.to_pandas().to_string(index=False))


if __name__ == "__main__":
    words = sys.argv[1:]
    if not words:
        run(ablate)
    else:
        main(["ablate" if words[0] in ("crmt", "align-vl") else "compare", *words])
