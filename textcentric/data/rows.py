"""The one name of a data set: rows that can be counted and read more than once."""

from __future__ import annotations

from typing import Any

Rows = Any  # a loaded Dataset, a Hugging Face data set, Records, or what `load` takes
