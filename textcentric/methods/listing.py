"""The methods side by side: which is for what, at which cost."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from textcentric.methods import METHODS


class MethodLine(NamedTuple):
    """A method: what its model answers, what that reads, what must be there, what a step costs."""

    method: str
    task: str
    inputs: str
    needs: str
    cost: str


class VariantLine(NamedTuple):
    """A variant of `train crmt`: what it is for, what rows must have, a step's time over jt's."""

    variant: str
    purpose: str
    needs: str
    cost: str


class Methods(NamedTuple):
    """All methods, and the variants of fusion models."""

    methods: list[MethodLine]
    variants: list[VariantLine]


def list_methods() -> Methods:
    """Return every method with its task, inputs, needs and cost, and each variant of `train crmt`.

    >>> next(line.needs for line in list_methods().variants if line.variant == "mfcpl")
    '2 modalities, complete rows among them, a class of each row'
    """
    methods = [
        MethodLine(name, one.task, one.inputs, one.needs, one.cost) for name, one in METHODS.items()
    ]
    purposes = import_module(f"textcentric.methods.{METHODS['crmt'].folder}.purposes")
    return Methods(methods, [VariantLine(*line) for line in purposes.lines()])
