"""What a training is told and would do: its file and flags, its loop, its device.

Keys of the loop and of the method may stand outside their section, in a file as on the command
line.
"""

from __future__ import annotations

from textcentric.training.checkpoints import checkpoint_folder
from textcentric.training.config import TrainConfig
from textcentric.training.folder import FACTS


def device(loop: TrainConfig) -> str:
    """Return where the training would run."""
    import torch

    if loop.use_cpu or not torch.accelerator.is_available():
        return "cpu"
    return str(torch.accelerator.current_accelerator())


def holds(loop: TrainConfig) -> str:
    """Return what the folder of the training holds already."""
    folder = loop.output_dir
    if (folder / FACTS).is_file():
        return "a trained model"
    begun = any(checkpoint_folder(folder).glob("step-*"))
    return "a training, to go on with" if begun else "nothing yet"
