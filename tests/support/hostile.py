"""A copy of what the version before left, turned against whoever opens it, and what it must not do.

`world` fills a folder with hostile runs, models, latents, prompts and files; `Watch` counts what
was contacted, run, read or written outside.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.before import FOLDER

SECRET = "grey-heron-4711-in-a-private-file"
ADDRESS = "http://127.0.0.1:9/v1"
KEY = "sk-of-the-victim-4711"
CODE = "import os, pathlib\npathlib.Path(os.environ['MARKER']).write_text('ran')\nC = M = None\n"
BACKBONE = {"model_type": "dpt", "backbone": "owner/backbone", "is_hybrid": True}
PROCESSOR = {
    "preprocessor_config.json": {"feature_extractor_type": "DiaFeatureExtractor"},
    "processor_config.json": {
        "processor_class": "DiaProcessor",
        "audio_tokenizer": {
            "audio_tokenizer_class": "DacModel",
            "audio_tokenizer_name_or_path": "owner/codec",
        },
    },
}
MODULES = [
    {
        "idx": 0,
        "name": "0",
        "path": "0_Transformer",
        "type": "sentence_transformers.models.Transformer",
    }
]
ALL = ("*",)
RUN, MODELS, LATENTS = Path("augmented/finished"), Path("models"), Path("latents/pairs")


class Bomb:
    """An object whose unpickling leaves a mark."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch $MARKER",)


@dataclass
class Watch:
    """What must stay as it is, and whom nobody may call."""

    place: Path
    private: Path
    marker: Path
    called: list[object] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)

    def faults(self, said: str) -> list[str]:
        """Return what a command did that it may not; `said` is what it printed."""
        found = [f"it called {address}" for address in self.called]
        found += ["code ran"] if self.marker.exists() else []
        found += ["a file outside was changed"] if digests(self.private) != self.before else []
        found += ["it printed a file from outside"] if SECRET in said else []
        found += ["it printed the key"] if KEY in said else []
        return [*found, *(f"{path} holds a file from outside" for path in self._copies())]

    def _copies(self) -> list[Path]:
        files = [path for path in self.place.rglob("*") if path.is_file()]
        real = [path for path in files if not any(p.is_symlink() for p in [path, *path.parents])]
        return [path for path in real if SECRET in _text(path)]


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of each file below `folder`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def made(place: Path) -> Path:
    """Fill `place` with a hostile world and what belongs to the user alone; return it."""
    private(place / "private")
    world(place / "world", place / "private")
    return place


def watched(
    built: Path, names: Collection[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Watch:
    """Work in a copy of a world that was `built`, with the hostile things of these `names`.

    The machine trusts nothing yet.
    """
    watch = Watch(tmp_path / "world", built / "private", tmp_path / "marker")
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("MARKER", str(watch.marker))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def call(*address: object, **options: object) -> None:
        watch.called.append(address[1:] or address)
        raise OSError(101, "no network in this test")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, call)
    monkeypatch.setattr(socket, "getaddrinfo", call)
    shutil.rmtree(watch.private)
    private(watch.private)
    shutil.copytree(FOLDER, watch.place)
    for path in sorted((built / "world/hostile").iterdir()):
        if "*" in names or path.name in names:
            _copy(path, watch.place / "hostile" / path.name)
    watch.before = digests(watch.private)
    monkeypatch.chdir(watch.place)
    return watch


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copyfile(path, target)


def private(folder: Path) -> None:
    """Fill a folder with what belongs to the user alone."""
    for name in ("documents", "data", "prompts/own"):
        (folder / name).mkdir(parents=True)
    (folder / "secret.txt").write_text(f"{SECRET}\n")
    (folder / "documents/thesis.txt").write_text(f"{SECRET}, ten years of work\n")
    (folder / "private.csv").write_text(f"id,text,target,split\nr1,{SECRET},1,test\n")
    (folder / "secret.json").write_text(json.dumps({"format": 1, "identity": SECRET}))
    (folder / "prompts/own/stolen.jinja").write_text(f"{SECRET}\n")


def world(place: Path, private: Path) -> None:
    """Fill `place` with one hostile folder of each kind."""
    shutil.copytree(FOLDER, place)
    _runs(place, private)
    _models(place, private)
    _others(place, private)


def _copied(place: Path, source: Path, name: str) -> Path:
    target = place / "hostile" / name
    shutil.copytree(FOLDER / source, target)
    return target


def _link(path: Path, target: Path) -> None:
    """Put a link in the place of whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _runs(place: Path, private: Path) -> None:
    run = _copied(place, Path("augmented/interrupted"), "run-settings")
    said = (run / "run.yaml").read_text()
    settings = {
        "engine": "openai",
        "model": "m",
        "base_url": ADDRESS,
        "dataset": str(private / "private.csv"),
        "prompt_dir": str(private / "prompts"),
        "image_expert": "owner/captioner",
        "entailment_model": "owner/entails",
    }
    kept = [line for line in said.splitlines() if line.partition(":")[0] not in settings]
    lines = [f"{name}: {value}" for name, value in settings.items()]
    (run / "run.yaml").write_text("\n".join([*kept, *lines]) + "\n")
    for name, target in {
        "run.yaml": "secret.txt",
        "manifest.json": "secret.json",
        "rejected": "documents",
        "data": "data",
        "run.lock": "secret.txt",
        "report.html": "secret.txt",
        "README.md": "secret.txt",
        "metrics.jsonl": "secret.txt",
        "prompts": "prompts",
        "calibration.json": "secret.json",
        "journal.sqlite": "secret.txt",
    }.items():
        linked = _copied(place, RUN, f"run-{name.replace('.', '-')}")
        _link(linked / name, private / target)
    sheets = _copied(place, RUN, "run-reading")
    _link(sheets / "reading", private / "documents")
    sheets = _copied(place, RUN, "run-answers")
    (sheets / "reading").mkdir()
    _link(sheets / "reading/answers.jsonl", private / "secret.txt")
    _link(sheets / "reading/sheet-01.json", private / "secret.json")


def _changed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def _experts(place: Path) -> None:
    """An expert whose processor names a part of the hub, and an encoder with a kernel inside."""
    expert = _copied(place, Path("bert"), "expert-part")
    for name, values in PROCESSOR.items():
        (expert / name).write_text(json.dumps(values))
    encoder = place / "hostile/encoder-kernel"
    shutil.copytree(FOLDER / "bert", encoder / "0_Transformer")
    (encoder / "modules.json").write_text(json.dumps(MODULES))
    kernel = {"_attn_implementation": "owner/kernel"}
    _changed(encoder / "0_Transformer/config.json", lambda v: v.update(kernel))


def _models(place: Path, private: Path) -> None:
    code = _copied(place, MODELS / "downstream", "model-code")
    _with_code(code, "downstream.json")
    _with_code(_copied(place, MODELS / "reward", "reward-code"), "reward.json")
    server = _copied(place, MODELS / "downstream", "model-server")
    _changed(server / "downstream.json", _ask_us)
    expert = _copied(place, MODELS / "downstream", "model-expert")
    _changed(expert / "downstream.json", _other_expert)
    kernel = _copied(place, MODELS / "downstream", "model-kernel")
    _changed(kernel / "config.json", lambda v: v.update(attn_implementation="owner/kernel"))
    parts = _copied(place, MODELS / "downstream", "model-backbone")
    (parts / "config.json").write_text(json.dumps(BACKBONE))
    _experts(place)
    base = _copied(place, MODELS / "adapters", "adapter-base")
    _changed(base / "downstream.json", lambda v: v["config"].update(model="owner/base"))
    for name, values in {
        "layers": {"layer_replication": [[0, 2]] * 10_000},
        "pattern": {"target_modules": "(.*)*(.*)*x"},
        "module": {"megatron_config": {"a": 1}, "megatron_core": "antigravity"},
        "rank": {"r": 10**9},
        "kind": {"peft_type": "PROMPT_TUNING", "tokenizer_name_or_path": "owner/name"},
    }.items():
        adapter = _copied(place, MODELS / "adapters", f"adapter-{name}")
        _changed(adapter / "adapter_config.json", lambda v, values=values: v.update(values))  # type: ignore[misc]
    _pickled(_copied(place, MODELS / "downstream", "model-pickle"), "model", "pytorch_model.bin")
    _pickled(_copied(place, MODELS / "reward", "reward-pickle"), "model", "pytorch_model.bin")
    adapter = _copied(place, MODELS / "adapters", "adapter-pickle")
    _pickled(adapter, "adapter_model", "adapter_model.bin")
    rows = _copied(place, MODELS / "downstream", "model-rows")
    (rows / "rows.npy").write_bytes(pickle.dumps(Bomb()))
    eyes = _copied(place, MODELS / "reward", "reward-eyes")
    _changed(eyes / "reward.json", lambda v: v["config"].update(vision_model="owner/eyes"))
    fusion = _copied(place, MODELS / "fusion", "fusion-encoder")
    _changed(fusion / "crmt.json", _other_encoder)
    aligned = _copied(place, MODELS / "searched", "aligned-encoder")
    _changed(aligned / "align.json", lambda v: v["encoders"].update(audio=["owner/ears", "1"]))
    for kind in ("downstream", "adapters", "reward", "fusion", "searched"):
        linked = _copied(place, MODELS / kind, f"linked-{kind}")
        _link(linked / "README.md", private / "secret.txt")
        _link(linked / "prompts", private / "prompts")
        _link(linked / "proxy", private / "documents")
    checkpoints = place / "hostile/going-on-checkpoints"
    shutil.copytree(FOLDER / MODELS / "downstream-checkpoints", checkpoints)
    step = next(checkpoints.iterdir())
    (step / "optimizer.bin").write_bytes(pickle.dumps(Bomb()))
    linked_steps = place / "hostile/linked-steps-checkpoints"
    linked_steps.mkdir()
    _link(linked_steps / "step-00000001", private / "documents")


def _with_code(folder: Path, metadata: str) -> None:
    (folder / "mine.py").write_text(CODE)
    _changed(folder / metadata, lambda v: v["config"].update(trust_remote_code=True))
    maps = {"AutoConfig": "mine.C", "AutoModel": "mine.M"}
    maps["AutoModelForSequenceClassification"] = "mine.M"
    _changed(folder / "config.json", lambda v: v.update(model_type="mine", auto_map=maps))
    tokens = {"auto_map": {"AutoTokenizer": ["mine.C", "mine.C"]}, "tokenizer_class": "Mine"}
    _changed(folder / "tokenizer_config.json", lambda v: v.update(tokens))


def _ask_us(values: dict[str, Any]) -> None:
    origin = values["origin"]
    origin["settings"] |= {"engine": "openai", "model": "m"}
    origin["settings"]["engine_settings"] = {"base_url": ADDRESS}
    origin["engine"] = {"engine": "openai", "model": "m"}


def _other_expert(values: dict[str, Any]) -> None:
    values["origin"]["settings"]["image_expert"] = "owner/captioner"


def _other_encoder(values: dict[str, Any]) -> None:
    values["config"]["encoders"] = {**values["config"]["encoders"], "text": "owner/encoder"}
    values["modalities"] = ["image", "text"]


def _pickled(folder: Path, weights: str, name: str) -> None:
    (folder / f"{weights}.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb()))


def _others(place: Path, private: Path) -> None:
    outside = _copied(place, LATENTS, "latents-outside")
    _changed(outside / "latents.json", lambda v: v.update(data_dir=str(private)))
    names = pq.read_table(outside / "image.parquet")
    values = ["secret.txt"] * len(names)
    pq.write_table(names.set_column(0, "value", [values]), outside / "image.parquet")
    linked = _copied(place, LATENTS, "latents-linked")
    _link(linked / "image", private / "documents")
    climbing = _copied(place, LATENTS, "latents-climbing")
    _changed(climbing / "latents.json", _climb)
    prompts = place / "hostile/prompts"
    shutil.copytree(FOLDER / "prompts", prompts)
    _link(prompts / "own/stolen.jinja", private / "prompts/own/stolen.jinja")
    for name in ("compared", "evaluated", "ablated"):
        folder = place / "hostile" / name
        folder.mkdir()
        for inner in ("arms", "damaged", "augmented", "test", "words", "experts"):
            _link(folder / inner, private / "documents")
    other = place / "hostile/other"
    other.mkdir()
    (other / "notes.txt").write_text("of somebody else")
    (place / "hostile/outside.yaml").write_text(
        f"id: id\ntarget: speed\nimage: {{column: story, folder: {private}}}\n"
    )
    pair: dict[str, object] = {"prompt": "which ?", "chosen": "a dog", "rejected": "a cat"}
    pair |= {"images": [f"{private}/secret.txt", "../../private/secret.txt"]}
    (place / "hostile/pairs.jsonl").write_text(f"{json.dumps(pair)}\n" * 4)
    texts = {"source": "A calm dog.", "variant": "A dog.", "image": f"{private}/secret.txt"}
    (place / "hostile/texts.jsonl").write_text(f"{json.dumps(texts)}\n" * 4)
    table = place / "hostile/tables"
    table.mkdir()
    lines = [f"r{at},../../../private/secret.txt,{at % 2}" for at in range(20)]
    (table / "rows.csv").write_text("\n".join(["id,photo,target", *lines]) + "\n")
    _link(table / "pictures", private)


def _climb(values: dict[str, Any]) -> None:
    modalities = values["modalities"]
    modalities["../../../private/documents"] = modalities.pop("image")


def _text(path: Path) -> str:
    if path.suffix == ".parquet":
        try:
            return repr(pq.read_table(path).to_pylist())
        except (OSError, ValueError):
            return ""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:  # a journal was closed since it was listed
        return ""
