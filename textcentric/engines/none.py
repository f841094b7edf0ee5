"""No engine: what stands in its place where a run asks no model."""

from __future__ import annotations

from collections.abc import Mapping

from textcentric.engines.protocol import Limits, Message, Request, Response
from textcentric.errors import EngineError, option

NAMELESS: dict[str, str | None] = {"engine": None, "model": None}  # in `run.yaml` and the manifest


class NoEngine:
    """Stand for the engine of a run of rules alone; nothing is opened, nothing can be asked."""

    async def generate(self, request: Request) -> Response:
        """Raise EngineError: a run that asks has an engine of its own."""
        raise EngineError(
            f"a run that asks no model was about to ask one; name one by {option('engine')}"
        )

    async def several(self, request: Request, k: int) -> list[Response]:
        """Raise EngineError, as `generate` does."""
        return [await self.generate(request)]

    async def likelihood(self, request: Request, text: str) -> float | None:
        """Return None: there is no model to say."""
        return None

    def limits(self) -> Limits:
        """Return how many requests would be taken at once."""
        return Limits(concurrency=1)

    def fingerprint(self) -> Mapping[str, str]:
        """Return nothing: there is no model."""
        return {}

    def count_tokens(self, messages: tuple[Message, ...]) -> int | None:
        """Return None: there is no tokenizer."""
        return None

    async def close(self) -> None:
        """Do nothing: nothing was opened."""
