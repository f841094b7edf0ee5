"""Where the latents of a folder lie.

latents.json        what is in the folder, written last: without it the folder is not finished
plan.json           what is being made, so that a second call knows whether it may go on
image/00000.npy     latents (4096, D) in half precision, one shard after the other
image/00000.json    why items of the shard have none
image.parquet       the items themselves: paths of files, or texts
pairs.npy           (N, 2) places of items in the order of the modalities
ids.npy, groups.npy, splits.npy   of the pairs, as bytes
left_out.jsonl      id and problem of each row that gives no pair
"""

from __future__ import annotations

from pathlib import Path

FORMAT = 1
SHARD = 4096  # items
DONE, PLAN, LEFT_OUT = "latents.json", "plan.json", "left_out.jsonl"
COLUMNS = ("ids", "groups", "splits")


def shard_path(folder: Path, modality: str, number: int) -> Path:
    """Return the file of a shard."""
    return folder / modality / f"{number:05d}.npy"


def shards(items: int) -> int:
    """Return how many shards hold so many items."""
    return -(-items // SHARD)
