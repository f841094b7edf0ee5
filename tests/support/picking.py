"""Answers to questions that offer choices, for scripted engines."""

from __future__ import annotations

import json
import random

from textcentric.engines.protocol import Request


def picked(request: Request) -> str:
    """Answer a question that offers choices with one of them for each key, drawn by its seed."""
    rng = random.Random(request.sampling.seed or 0)
    properties = dict(request.schema or {})["properties"]
    return json.dumps({key: rng.choice(of["enum"]) for key, of in properties.items()})
