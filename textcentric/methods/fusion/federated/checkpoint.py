"""What a federation goes on from: the server's state after a round, in one safetensors file.

It lies beside the model folder, as those of other trainings, and is written in one step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from textcentric.errors import RunError, option
from textcentric.folders import refuse_another, writing, written
from textcentric.methods.fusion.federated.model import State
from textcentric.security.files import need_real
from textcentric.security.foreign import foreign
from textcentric.settings import with_current_names
from textcentric.training.checkpoints import checkpoint_folder
from textcentric.values import Json


class Standing(NamedTuple):
    """Rounds that are done, what the server holds after them, and the seconds they took."""

    rounds: int
    state: State
    seconds: float


class Checkpoints:
    """The checkpoints of the federation of an `identity`, of which the newest is kept."""

    def __init__(self, output_dir: Path, identity: Mapping[str, Json]):
        self.folder = checkpoint_folder(output_dir)
        self._identity = json.loads(json.dumps(identity))

    def save(self, standing: Standing) -> None:
        """Write a checkpoint, then remove those before it."""
        from safetensors.numpy import save_file

        path = self.folder / f"step-{standing.rounds:08d}.safetensors"
        about = {"identity": self._identity, "seconds": standing.seconds}
        with writing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            with written(path) as draft:
                save_file(standing.state, draft, metadata={"about": json.dumps(about)})
        for older in self._found():
            if older != path:
                older.unlink(missing_ok=True)

    def newest(self, resume: str) -> Standing | None:
        """Return what to go on from, None where there is nothing, or it is not asked for.

        Raises RunError for a checkpoint of another federation or none where one is asked for.
        """
        found = self._found()
        if resume == "never":
            return None
        if not found:
            if resume == "always":
                raise RunError(
                    f"{self.folder} holds no checkpoint; leave out {option('resume', 'always')},"
                    f" or name the folder of the training with {option('output_dir')}"
                )
            return None
        return self._read(found[-1])

    def _read(self, path: Path) -> Standing:
        from safetensors import safe_open

        need_real(path)
        cure = "; remove it and begin again, or copy it again"
        with foreign(str(path), RunError, cure=cure), safe_open(path, framework="numpy") as file:
            about = json.loads(file.metadata()["about"])
            identity = with_current_names(about["identity"])
            seconds = float(about["seconds"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        other = f"Choose another {option('output_dir')}, or give {option('resume', 'never')}"
        refuse_another(f"the checkpoint {path}", identity, self._identity, other)
        return Standing(int(path.stem.removeprefix("step-")), state, seconds)

    def _found(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.safetensors"))
