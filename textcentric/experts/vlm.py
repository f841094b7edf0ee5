"""A vision-language model behind the engine as image expert: one request a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from textcentric.data.media.digests import digest_files
from textcentric.engines.protocol import Engine, Request
from textcentric.errors import RequestError
from textcentric.experts.image import Sight, merge_album, read_album
from textcentric.experts.protocol import Description

BuildRequest = Callable[[str, str], Request]


class CaptionExpert:
    """Ask `engine` about each picture; `build(path, digest)` makes the request.

    The build function owns the prompt, so its digest belongs into `version`.

    >>> expert = CaptionExpert(engine, build, version=prompt.digest)  # doctest: +SKIP
    >>> (await expert.caption(("pets/17-1.jpg",))).text  # doctest: +SKIP
    '1 photo. A small dog sits on a step. Colours: ...'
    """

    modality = "image"

    def __init__(
        self,
        engine: Engine,
        build: BuildRequest,
        *,
        version: str = "1",
        root: str | Path | None = None,
    ):
        self.name = engine.fingerprint().get("model", "vlm")
        self.version = f"{version}-words1"
        self._engine = engine
        self._build = build
        self._root = root

    async def caption(self, paths: Sequence[str]) -> Description:
        """Describe the pictures of one row; broken pictures and failed requests become notes.

        Raises RequestError where no request of the row succeeded, EngineError as the engine does.
        """
        album = await asyncio.to_thread(read_album, paths, self._root)
        answers = await asyncio.gather(*map(self._ask, album.paths))
        failures = [answer for answer in answers if isinstance(answer, RequestError)]
        if failures and len(failures) == len(answers):
            raise failures[0]
        sights = [answer for answer in answers if isinstance(answer, Sight)]
        told = await asyncio.to_thread(merge_album, album, sights)
        return Description(told.text, told.confidence, (*told.notes, *map(str, failures)))

    def digest(self, value: Sequence[str]) -> str:
        """Return a digest of the files' bytes."""
        return digest_files(value, self._root)

    async def _ask(self, path: str) -> Sight | RequestError:
        try:
            digest = await asyncio.to_thread(digest_files, [path], self._root)
            answer = await self._engine.generate(self._build(path, digest))
        except RequestError as error:
            return error
        return Sight(answer.text)
