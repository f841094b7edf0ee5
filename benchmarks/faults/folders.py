"""Runs and models that somebody else made, with everything in them that must not work here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.faults.scene import Done, Scene, Server, Tried, counted

PRIVATE = "a private line of the canary"
CODE = "from pathlib import Path\nPath({ran!r}).write_text('ran')\n"
Spoil = Callable[["Canary", Path], None]
LINKED = (
    *("data", "rejected", "errors", "prompts", "run.yaml", "manifest.json", "run.lock"),
    *("report.html", "journal.sqlite", ".manifest.json.tmp", ".run.yaml.tmp", "README.md"),
)


class Canary(NamedTuple):
    """What a hostile folder reaches for: a file, a folder, a mark of code that ran, a server."""

    place: Path
    server: Server

    @classmethod
    def set_out(cls, place: Path, server: Server) -> Canary:
        """Put everything in its place."""
        (place / "folder").mkdir(parents=True)
        (place / "folder" / "part-00000.parquet").write_text(PRIVATE)
        (place / "file").write_text(PRIVATE)
        return cls(place, server)

    def harmed(self, asked: int) -> str:
        """Return what was touched since the server had been asked so often."""
        if (self.place / "ran").exists():
            return "code of the folder ran"
        if self.server.asked > asked:
            return "the folder's server was asked"
        files = (self.place / "file", self.place / "folder" / "part-00000.parquet")
        whole = all(file.is_file() and file.read_text() == PRIVATE for file in files)
        return "" if whole else "a file outside was written or removed"


def hostile(scene: Scene, most: int) -> Iterator[Tried]:
    """Open each hostile folder by each command that takes one; of links at most so many."""
    scene.server.reply = None
    server = Server()
    canary = Canary.set_out(scene.folder / "canary", server)
    scene.run(scene.augment("made/run", "--limit", 10))
    scene.run(scene.train("made/model", "--max-steps", 2))
    links = {f"{name} is a link": _link(name) for name in LINKED[:most]}
    yield counted("links in a run", _opened(scene, canary, "made/run", links, _looks))
    said = "settings that a run brings"
    yield counted(said, _opened(scene, canary, "made/run", {said: _settings}, _run_commands))
    brought = {"code": _code, "a server": _address, "a pickle": _pickle}
    yield counted(
        "code, servers and pickles in a model",
        _opened(scene, canary, "made/model", brought, _model_commands),
    )
    server.close()


def _opened(
    scene: Scene,
    canary: Canary,
    made: str,
    kinds: Mapping[str, Spoil],
    commands: Callable[[str], list[list[str]]],
) -> list[str]:
    """Open a fresh copy, spoilt in each way, by each command, as somebody who did not make it."""
    outcomes = []
    for name, spoil in kinds.items():
        for words in commands("received"):
            received = scene.folder / "received"
            shutil.rmtree(received, ignore_errors=True)
            shutil.copytree(scene.folder / made, received)
            spoil(canary, received)
            asked = canary.server.asked
            done = scene.run(words, XDG_STATE_HOME=str(scene.folder / "stranger"))
            why = canary.harmed(asked) or _told(done, received)
            outcomes.append(f"{name}, {' '.join(words[:2])}: {why}" if why else "")
    return outcomes


def _told(done: Done, received: Path) -> str:
    """Return what a command gave away, or how it broke."""
    written = [path for path in received.glob("*.html") if not path.is_symlink()]
    pages = [path.read_text(errors="replace") for path in written]
    if any(PRIVATE in text for text in (done.out, done.err, *pages)):
        return "a file outside was shown"
    return f"exit {done.code}: {done.err[-120:]}" if done.broken else ""


def _looks(run: str) -> list[list[str]]:
    return [["runs", "show", run], ["report", run], ["runs", "resume", run]]


def _run_commands(run: str) -> list[list[str]]:
    others = [["runs", "diff", run, "made/run"], ["runs", "list", "."]]
    traced = ["lineage", "row-0000001", "--run", run]
    trained = ["train", "downstream", "--run", run, "--max-steps", "1", "-o", "models/of-received"]
    return [*_looks(run), *others, traced, trained]


def _model_commands(model: str) -> list[list[str]]:
    rows = ["--dataset", "rows.csv", "--schema", "rows.yaml", "--limit", "5"]
    evaluated = ["evaluate", model, *rows, "--split", "train", "-o", "evaluated"]
    return [["predict", model, *rows, "-o", "told.csv"], evaluated]


def _link(name: str) -> Spoil:
    def spoil(canary: Canary, folder: Path) -> None:
        path = folder / name
        target = canary.place / ("folder" if path.is_dir() else "file")
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.symlink_to(target)
        manifest = folder / "manifest.json"  # as of a run that was killed
        if not manifest.is_symlink():
            _change(manifest, {"status": "running"})

    return spoil


def _settings(canary: Canary, folder: Path) -> None:
    text = (folder / "run.yaml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("base_url", "limit"))]
    (folder / "run.yaml").write_text("\n".join([*lines, f"base_url: {canary.server.url}", ""]))
    _change(folder / "manifest.json", {"status": "running"})


def _code(canary: Canary, folder: Path) -> None:
    (folder / "config_of.py").write_text(CODE.format(ran=str(canary.place / "ran")))
    mapped = {"AutoConfig": "config_of.Config", "AutoModel": "config_of.Model"}
    _change(folder / "config.json", {"auto_map": mapped, "model_type": "own"})
    config = json.loads((folder / "downstream.json").read_text())["config"]
    _change(folder / "downstream.json", {"config": {**config, "trust_remote_code": True}})


def _address(canary: Canary, folder: Path) -> None:
    content = json.loads((folder / "downstream.json").read_text())
    settings = content["origin"]["settings"] | {"engine": "openai", "model": "m"}
    settings["engine_settings"] = {"base_url": canary.server.url}
    prompt = {"digest": "0", "version": 1, "stage": "summarize", "writes": "text"}
    origin = content["origin"] | {"settings": settings, "prompts": {"own/brief": prompt}}
    _change(folder / "downstream.json", {"origin": origin})


def _pickle(canary: Canary, folder: Path) -> None:
    """Put a pickle that would write the mark in the place of the weights."""
    written = f"cpathlib\nPath\n(S'{canary.place / 'ran'}'\ntR.".encode()
    for path in folder.glob("*.safetensors"):
        path.unlink()
    for name in ("pytorch_model.bin", "head.bin", "head.safetensors"):
        (folder / name).write_bytes(written)


def _change(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
