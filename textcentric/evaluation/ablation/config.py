"""What can be chosen about an ablation: what all arms share, and how they are tested."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textcentric import fields
from textcentric.methods.align_vl.config import AlignTraining
from textcentric.methods.fusion.config import CrmtTraining
from textcentric.settings import setting

MARKS = ("plan.json", "cells", "ablation.json")


class CrmtAblation(CrmtTraining):
    """A training of CRMT that is done for each arm and seed, and attacked."""

    called = "ablate crmt"
    marks: ClassVar = MARKS

    split: str = fields.split("test", "Rows to attack.")
    limit: int | None = fields.limit()
    radius: float = setting(
        1.0, "l2 length of attacks over the values that models read.", panel="Damage", ge=0
    )
    seeds: int = setting(3, "Trainings of each arm.", panel="Method", ge=1)
    output_dir: Path = fields.output_dir("Where cells and tables go.", ...)


class AlignAblation(AlignTraining):
    """A training of Align-VL that is done for each arm and seed, and tested."""

    called = "ablate align-vl"
    marks: ClassVar = MARKS

    split: str = fields.split("test", "Pairs to search among.")
    grid: bool = setting(
        False, "How much noise and smoothing, instead of which pieces.", panel="Method"
    )
    seeds: int = setting(3, "Trainings of each arm.", panel="Method", ge=1)
    output_dir: Path = fields.output_dir("Where cells and tables go.", ...)
