"""Shards that are no longer what was recorded of them: gone, cut or changed since.

A journal balances its books against itself; only a look at the files says that the rows are there.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from textcentric.command_line import command
from textcentric.errors import RunError, Say
from textcentric.runs.journal import Journal
from textcentric.runs.manifest import Manifest
from textcentric.runs.shard_files import SHARD, shard_files
from textcentric.runs.written import Written, measured
from textcentric.security.files import is_real_file

FATES = {"data": "accepted", "rejected": "rejected", "errors": "failed"}


def problem(path: Path, recorded: Written, *, digests: bool = True) -> str:
    """Say what is wrong with a file that was written as `recorded`, "" where nothing is."""
    if not is_real_file(path):
        return "is gone"
    if (size := path.stat().st_size) != recorded.size:
        return f"has {size:,} bytes where {recorded.size:,} were written"
    if digests and measured(path).digest != recorded.digest:
        return "was changed since it was written"
    return ""


def forget_lost(folder: Path, journal: Journal, say: Say, *, digests: bool = True) -> bool:
    """Forget the shards of `journal` that are not whole, so that they are written again.

    `say` is told of each; with `digests` every byte is looked at. Returns whether any was lost.
    """
    shards = journal.written()
    lost: dict[int, str] = {}
    for number, shard in shards.items():
        for name, recorded in shard.files.items():
            if number not in lost and (why := problem(folder / name, recorded, digests=digests)):
                lost[number] = f"{folder / name} {why}"
    for number, why in lost.items():
        journal.forget_shard(number)
        say(f"{why}: its rows are written again from the answers that are kept")
    if not journal.shards() <= shards.keys() and (why := _unbalanced(folder, journal)):
        journal.forget_outputs()
        say(f"{why}: all rows are written again from the answers that are kept")
        return True
    return bool(lost)


def check_shards(run: Path, manifest: Manifest, name: str) -> None:
    """Raise RunError where a shard in the folder `name` is not as the manifest has it recorded."""
    for path, (size, digest) in manifest.get("shards", {}).items():
        recorded, (folder, _, file) = Written(int(size), str(digest)), path.partition("/")
        ours = folder == name and SHARD.fullmatch(file)
        if ours and (why := problem(run / path, recorded)):
            raise RunError(
                f"{run / path} {why}; `{command('runs', 'resume', run)}` writes it anew from the"
                " answers that are kept"
            )


def _unbalanced(folder: Path, journal: Journal) -> str:
    """Say which folder does not hold what the journal counts: versions before recorded no files."""
    known = {f"part-{number:05d}.parquet" for number in journal.shards()}
    counts: Counter[str] = Counter()
    for (_, status, _), n in journal.counts().items():
        counts[status] += n
    for name, status in FATES.items():
        held = sum(map(_rows_in, (p for p in shard_files(folder, name) if p.name in known)))
        if held != counts[status]:
            return f"{folder / name} does not hold the {counts[status]:,} rows that were written"
    return ""


def _rows_in(path: Path) -> int:
    """Return the rows that a shard holds, none where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError, ValueError):
        return 0
