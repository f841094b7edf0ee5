"""Flower (Beutel et al., arXiv 2007.14390), of which a client and the weighted mean are used here.

Imported where a federation begins; its telemetry is off before it is imported.
"""

from __future__ import annotations

import os

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"

from flwr.client import NumPyClient
from flwr.server.strategy.aggregate import aggregate

__all__ = ["NumPyClient", "aggregate"]
