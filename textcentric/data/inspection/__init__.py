"""Tables that nobody has described: what their columns hold, and a schema to begin with."""

from __future__ import annotations

from textcentric.data.inspection.inspection import Inspection, inspect

__all__ = ["Inspection", "inspect"]
