"""The schema of an answer that is one of some choices, as picks ask for it."""

from __future__ import annotations

from typing import Any


def picking(*choices: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"pick": {"enum": list(choices)}},
        "required": ["pick"],
        "additionalProperties": False,
    }
