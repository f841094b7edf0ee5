"""Make the latents of a data set: every distinct item through its encoder once, resumable.

A shard is written beside its place and moved there, so a killed run leaves whole shards only, and
the next one goes on behind them. Shards belong to items and encoders alone: ids, groups, splits and
what is paired with what may change, and are then written again without encoding anything.
Legend: N pairs, D width of a modality's latents.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from textcentric.data.balance import balance_of, in_words, left_out
from textcentric.data.named import is_embedded
from textcentric.errors import ConfigError, DataError, RunError
from textcentric.folders import write_text, written
from textcentric.methods.align_vl.latents.cache import Encoded, Latents, Papers, open_latents
from textcentric.methods.align_vl.latents.encoders import LatentEncoder
from textcentric.methods.align_vl.latents.gone import Gone
from textcentric.methods.align_vl.latents.layout import (
    DONE,
    FORMAT,
    LEFT_OUT,
    PLAN,
    SHARD,
    shard_path,
    shards,
)
from textcentric.rows import Record
from textcentric.runs.lock import lock
from textcentric.security.files import read_text
from textcentric.security.owned import check_owned
from textcentric.security.trust import made_here

BATCH = 32  # items at a time
Note = Callable[[str, int, int], None]  # modality, items done, items of it


def write_latents(
    rows: Iterable[Record],
    folder: str | Path,
    encoders: Mapping[str, LatentEncoder],
    *,
    dataset: str = "rows",
    data_dir: str | Path | None = None,
    note: Note = lambda modality, done, items: None,
    gone: Gone | None = None,
) -> Latents:
    """Encode the items of rows that have both modalities of `encoders`; return the latents.

    Of several pictures or sounds of a row the first is taken; files are read inside `data_dir`
    alone. Items that cannot be read are left out, with their pairs, and named in `latents.json`,
    whose `balance` counts all rows, those among them that `gone` counts before or meanwhile; each
    row of these has its line in `left_out.jsonl`.
    A finished folder of the same items and encoders is given the rows' ids, groups and splits.
    Raises DataError where no pair is left, RunError where the folder holds something else.
    """
    if len(encoders) != 2:
        raise ConfigError(
            f"latents of {', '.join(encoders) or 'no modality'}; expected two modalities"
        )
    folder = Path(folder)
    check_owned(folder, (PLAN, DONE), "folder of latents")
    root = None if data_dir is None else Path(data_dir).resolve()
    gone = Gone() if gone is None else gone
    items, columns = _gathered(rows, tuple(encoders), root, gone)
    with lock(folder):
        plan = _plan(items, columns, encoders, dataset)
        _agree(folder, plan, items)
        widths, faulty = {}, {}
        for name, encoder in encoders.items():
            (folder / name).mkdir(exist_ok=True)
            widths[name], faulty[name] = _encode(folder, name, encoder, items[name], root, note)
            _write_values(folder / f"{name}.parquet", items[name])
        pairs = np.array(columns.pop("pairs"), np.int64).reshape(-1, 2)
        whole = np.ones(len(pairs), bool)
        for at, name in enumerate(encoders):
            broken = np.isin(pairs[:, at], [int(place) for place in faulty[name]])
            for place in np.flatnonzero(whole & broken).tolist():
                why = faulty[name][str(pairs[place, at])]
                reason = f"row(s) whose {name} cannot be read"
                gone.lose(columns["ids"][place], reason, problem=why)
            whole &= ~broken
        if not whole.any():
            raise DataError(
                f"none of the {len(pairs)} pairs of {dataset} has two items that can be read"
            )
        columns = {n: [v for v, ok in zip(c, whole, strict=True) if ok] for n, c in columns.items()}
        _finish(folder, plan, pairs[whole], columns, widths, root, faulty, gone)
    return open_latents(folder)


def write_arrays(
    folder: str | Path,
    arrays: Mapping[str, np.ndarray],
    *,
    encoders: Mapping[str, str],
    pairs: np.ndarray | None = None,
    splits: Sequence[str] | None = None,
    dataset: str = "arrays",
) -> Latents:
    """Write latents (items, D) made elsewhere; row i of one belongs to row i of the other.

    Or `pairs` (N, 2) tell which belongs to which. `encoders` name where they come from. Raises
    DataError for arrays of different lengths, or latents that are not finite.
    """
    folder, lengths = Path(folder), {name: len(one) for name, one in arrays.items()}
    check_owned(folder, (PLAN, DONE, *arrays), "folder of latents")
    if len(arrays) != 2:
        raise ConfigError(
            f"latents of {', '.join(arrays) or 'no modality'}; expected two modalities"
        )
    if pairs is None:
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"latents of different lengths ({lengths}): give as many of each, in the order of"
                " the pairs, or say which belongs to which by `pairs`"
            )
        pairs = np.repeat(np.arange(min(lengths.values()))[:, None], 2, axis=1)
    with lock(folder):
        plan: Papers = {
            "format": FORMAT,
            "dataset": dataset,
            "digest": None,
            "modalities": {},
        }
        digest = hashlib.sha256(np.ascontiguousarray(pairs).tobytes())
        for name, array in arrays.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(shards(len(array))):
                part = np.asarray(array[number * SHARD : (number + 1) * SHARD])
                _write_shard(shard_path(folder, name, number), part, name, number)
                digest.update(hashlib.sha256(part.tobytes()).digest())
            plan["modalities"][name] = {
                "encoder": encoders[name],
                "version": "given",
                "items": len(array),
            }
        if splits is not None:
            digest.update(json.dumps(list(splits)).encode())
        plan["digest"] = digest.hexdigest()[:16]
        write_text(folder / PLAN, json.dumps(plan, indent=2) + "\n")
        columns = {
            "ids": [str(at) for at in range(len(pairs))],
            "groups": [""] * len(pairs),
            "splits": list(splits or ["train"] * len(pairs)),
        }
        widths = {name: array.shape[1] for name, array in arrays.items()}
        _finish(folder, plan, pairs, columns, widths, None, {}, Gone())
    return open_latents(folder)


def _gathered(
    rows: Iterable[Record], names: tuple[str, ...], root: Path | None, gone: Gone
) -> tuple[dict[str, list[str]], dict[str, list[Any]]]:
    """Return the distinct items of each modality, and of each pair its places, id, group, split.

    Rows that lack one are counted in `gone`.
    """
    places: dict[str, dict[str, int]] = {name: {} for name in names}
    columns: dict[str, list[Any]] = {"pairs": [], "ids": [], "groups": [], "splits": []}
    for row in rows:
        if absent := [name for name in names if not row.inputs.get(name)]:
            gone.lose(row.id, f"row(s) without {absent[0]}")
            continue
        found = [
            places[name].setdefault(_item(row.inputs[name], root), len(places[name]))
            for name in names
        ]
        told = (found, row.id, row.group or "", row.split or "")
        for column, value in zip(columns.values(), told, strict=True):
            column.append(value)
    if not columns["ids"]:
        why = in_words(balance_of(0, left_out(gone)), "pairs")
        raise DataError(f"no row has both {' and '.join(names)}; check the columns: {why}")
    return {name: list(known) for name, known in places.items()}, columns


def _item(value: Any, root: Path | None) -> str:
    if isinstance(value, str):
        return value
    path = Path(value[0])
    return str(path if root is None or is_embedded(path) else os.path.relpath(path.resolve(), root))


def _plan(
    items: Mapping[str, list[str]],
    columns: Mapping[str, list[Any]],
    encoders: Mapping[str, LatentEncoder],
    dataset: str,
) -> Papers:
    whole = hashlib.sha256(json.dumps([items, columns]).encode("utf-8", "surrogatepass"))
    modalities: dict[str, Encoded] = {
        name: {"encoder": one.name, "version": one.version, "items": len(items[name])}
        for name, one in encoders.items()
    }
    whole.update(json.dumps(modalities).encode())
    return {
        "format": FORMAT,
        "dataset": dataset,
        "digest": whole.hexdigest()[:16],
        "items": _items_digest(items),
        "modalities": modalities,
    }


def _items_digest(items: Mapping[str, list[str]]) -> str:
    told = json.dumps(items).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:16]


def _agree(folder: Path, plan: Papers, items: Mapping[str, list[str]]) -> None:
    """Write what is going to be made; raises RunError where something else was begun.

    Where only ids, groups, splits or pairs differ, the folder is unfinished until they are written.
    """
    path = folder / PLAN
    if path.is_file():
        known: Papers = json.loads(read_text(path))
        _check_encoders(folder, plan, known)
        if known.get("digest") == plan["digest"]:
            return
        if _items_of(folder, known) != plan["items"]:
            raise RunError(
                f"{folder} holds latents of other items ({known.get('dataset')}, digest"
                f" {known.get('digest')}); give another folder, or remove this one"
            )
        (folder / DONE).unlink(missing_ok=True)
    write_text(path, json.dumps(plan, indent=2) + "\n")


def _check_encoders(folder: Path, plan: Papers, known: Papers) -> None:
    for name, of in plan["modalities"].items():
        was = known.get("modalities", {}).get(name)
        if was and (was["encoder"], was["version"]) != (of["encoder"], of["version"]):
            raise RunError(
                f"the {name} latents in {folder} were made by {was['encoder']!r} (version"
                f" {was['version']}), not by {of['encoder']!r} (version {of['version']}); give"
                " another folder, or remove this one"
            )


def _items_of(folder: Path, known: Papers) -> str | None:
    """Return the digest of the items of a folder; plans of earlier versions do not say it."""
    if "items" in known or not (folder / DONE).is_file():
        return known.get("items")
    latents = open_latents(folder)
    return _items_digest(
        {name: latents.values(name, range(latents.count(name))) for name in latents.modalities}
    )


def _encode(
    folder: Path,
    name: str,
    encoder: LatentEncoder,
    items: Sequence[str],
    root: Path | None,
    note: Note,
) -> tuple[int, dict[str, str]]:
    """Write the shards that are not there; return their width, and why items have no latent."""
    width = 0
    left_out: dict[str, str] = {}
    for number in range(shards(len(items))):
        path = shard_path(folder, name, number)
        if not path.is_file():
            part = items[number * SHARD : (number + 1) * SHARD]
            before = number * SHARD
            found, faults = _shard(
                encoder, part, root, partial(_told, note, name, before, len(items))
            )
            if faults:
                told = {before + at: why for at, why in faults.items()}
                write_text(path.with_suffix(".json"), json.dumps(told, indent=2) + "\n")
            _write_shard(path, found, name, number)
        width = int(np.load(path, mmap_mode="r").shape[1])
        note(name, min((number + 1) * SHARD, len(items)), len(items))
        if path.with_suffix(".json").is_file():
            left_out |= json.loads(read_text(path.with_suffix(".json")))
    return width, left_out


def _told(note: Note, name: str, before: int, items: int, done: int) -> None:
    note(name, before + done, items)


def _shard(
    encoder: LatentEncoder,
    items: Sequence[str],
    root: Path | None,
    note: Callable[[int], None],
) -> tuple[np.ndarray, dict[int, str]]:
    """Return latents (items, D), zeros where an item could not be read, and why."""
    found: dict[int, np.ndarray] = {}
    faults: dict[int, str] = {}
    for start in range(0, len(items), BATCH):
        opened = {}
        for at in range(start, min(start + BATCH, len(items))):
            try:
                opened[at] = encoder.open(items[at], root)
            except DataError as error:
                faults[at] = str(error)
        if opened:
            found |= zip(opened, encoder.encode(list(opened.values())), strict=True)
        note(min(start + BATCH, len(items)))
    if not found:
        raise DataError(
            f"none of {len(items)} items can be read; the first: {next(iter(faults.values()))}"
        )
    whole = np.zeros((len(items), len(next(iter(found.values())))), np.float32)
    whole[list(found)] = np.stack(list(found.values()))
    return whole, faults


def _write_shard(path: Path, latents: np.ndarray, name: str, number: int) -> None:
    """Write latents in half precision; raises DataError where some cannot be."""
    with np.errstate(over="ignore"):
        half = latents.astype(np.float16)
    wrong = np.flatnonzero(~np.isfinite(half).all(axis=1))
    if len(wrong):
        place = number * SHARD + int(wrong[0])
        raise DataError(
            f"{len(wrong)} {name} latents are not finite, or too large for half precision, first"
            f" that of item {place}; look at the item, or scale what the encoder gives"
        )
    _save(path, half)


def _save(path: Path, array: np.ndarray) -> None:
    with written(path) as draft, draft.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _write_values(path: Path, values: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with written(path) as draft:
        pq.write_table(pa.table({"value": pa.array(values, pa.string())}), draft)


def _finish(
    folder: Path,
    plan: Papers,
    pairs: np.ndarray,
    columns: Mapping[str, list[str]],
    widths: Mapping[str, int],
    root: Path | None,
    faulty: Mapping[str, Mapping[str, str]],
    gone: Gone,
) -> None:
    _save(folder / "pairs.npy", pairs)
    for name, values in columns.items():
        _save(folder / f"{name}.npy", np.array([value.encode() for value in values], "S"))
    modalities = {n: {**of, "width": widths[n]} for n, of in plan["modalities"].items()}
    told = {**plan, "modalities": modalities, "pairs": len(pairs)}
    told |= {"data_dir": None if root is None else str(root)}
    told["left_out"] = {name: dict(of) for name, of in faulty.items() if of}
    told["balance"] = balance_of(len(pairs), left_out(gone))
    write_text(folder / LEFT_OUT, gone.as_lines())
    write_text(folder / DONE, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    made_here(folder, [folder / DONE])
