"""How much of what the adversarial prompts write is accepted, on real PetFinder rows.

    python -m benchmarks.acceptance --data-dir "$PETFINDER_DIR" --rows held-out -o runs/held-out

Each set is 100 rows, half of them with photos, taken in file order; `development` is where prompts
and thresholds were chosen, `held-out` where nothing was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import textcentric as tc
from textcentric.runs.manifest import Manifest

HALF, STRIDE = 50, 7
RANGES = {"development": (100, 600), "held-out": (600, 11_000)}


def choose_rows(records: Sequence[tc.Record], name: str) -> list[tc.Record]:
    """Return 50 rows with photos and 50 without; photos are rare, so both sets share their range.

    The held-out set takes the first 50 rows with photos from row 600 on, development the last 50.
    """
    low, high = RANGES[name]
    with_photos = [
        record for record in records[RANGES["held-out"][0] :] if "image" in record.inputs
    ]
    seen = with_photos[:HALF] if name == "held-out" else with_photos[-HALF:]
    unseen = [record for record in records[low:high] if "image" not in record.inputs]
    return seen + unseen[: HALF * STRIDE : STRIDE]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--rows", choices=list(RANGES), default="held-out")
    parser.add_argument("--prompts", default="adversarial")
    parser.add_argument("-o", "--output-dir", required=True)
    flags = parser.parse_args()
    records = list(tc.load("petfinder", data_dir=flags.data_dir))
    run = tc.augment(
        choose_rows(records, flags.rows),
        prompts=flags.prompts,
        output_dir=flags.output_dir,
        perturb="all",
    )
    print(json.dumps(shares(run.manifest), indent=2))


def shares(manifest: Manifest) -> dict[str, object]:
    """Return the accepted share of each prompt and of all of them, clean rows aside."""
    counts = {k: v for k, v in manifest["counts"].items() if k != "clean"}
    accepted = sum(entry["accepted"] for entry in counts.values())
    requested = sum(entry["requested"] for entry in counts.values())
    by_prompt = {k: round(v["accepted"] / v["requested"], 3) for k, v in counts.items()}
    return {"accepted": accepted, "requested": requested} | {
        "share": round(accepted / requested, 3),
        "by_prompt": by_prompt,
        "reasons": manifest["reasons"],
        "seconds": manifest["seconds"],
    }


if __name__ == "__main__":
    main()
