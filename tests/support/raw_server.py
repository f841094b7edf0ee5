"""A server that writes what it is told, byte by byte, to whoever connects: no HTTP of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Raw:
    """What came in and how much went out; `talk` writes the answers."""

    def __init__(self, talk: Talk):
        self.talk = talk
        self.asked: list[bytes] = []
        self.sent = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has seen enough
        finally:
            writer.close()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[tuple[str, Raw]]:
    """Yield the base address of a server that talks like this, and the server."""
    raw = Raw(talk)
    listening = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1", raw


def endless(head: bytes, piece: bytes, *, at_most: int, pause: float = 0.0) -> Talk:
    """Return how one goes on and on: `head`, then `piece` until so many bytes are out."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _piece in range(at_most // len(piece)):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk
