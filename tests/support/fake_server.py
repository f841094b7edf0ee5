"""A hand-written OpenAI server on the loopback: it answers as told, and goes down when told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any


def http(status: int, body: bytes | dict[str, Any], **headers: str) -> bytes:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in {**head, **headers}.items())
    return f"HTTP/1.1 {status} So\r\n{lines}\r\n".encode() + body


def completion(
    text: str | None = "Fine.",
    *others: str,
    logprobs: Sequence[float] = (),
    prompt_logprobs: Sequence[tuple[int, float]] = (),
    **message: Any,
) -> bytes:
    """Return a chat completion; `prompt_logprobs` are id and value of each token but the first."""
    choices = [_choice(i, content, logprobs) for i, content in enumerate((text, *others))]
    choices[0]["message"] |= message
    usage: dict[str, Any] = {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23}
    usage["prompt_tokens_details"] = {"cached_tokens": 16}
    body: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion",
        "choices": choices,
        "usage": usage,
    }
    if prompt_logprobs:
        said = [None, *({str(token): {"logprob": value}} for token, value in prompt_logprobs)]
        body["prompt_logprobs"] = said
    return http(200, body)


def _choice(index: int, text: str | None, logprobs: Sequence[float]) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "finish_reason": "stop"}
    choice["message"] = {"role": "assistant", "content": text}
    if logprobs:
        choice["logprobs"] = {"content": [{"token": "t", "logprob": v} for v in logprobs]}
    return choice


FINE = completion()
HALF = FINE[:-30]  # fewer bytes than Content-Length says, then the connection ends
BUSY = http(503, {"error": {"message": "busy"}})


def models_reply(owner: str) -> bytes:
    """Return the list of the one model that is served."""
    model = {"id": "m", "object": "model", "created": 0, "owned_by": owner}
    data = [model | {"max_model_len": 4096}]
    return http(200, {"object": "list", "data": data}, Connection="close")


class Server:
    """A hand-written HTTP server: each chat call gets the next of `replies`, the last for ever.

    A reply may be a function of what was asked.
    """

    def __init__(
        self,
        *replies: bytes | Callable[[dict[str, Any]], bytes],
        owner: str = "somebody",
        delay: float = 0.0,
        answers: int | None = None,
    ) -> None:
        self.replies, self.owner, self.delay = list(replies or (FINE,)), owner, delay
        self.left = answers  # then it is gone, and the requests it has with it
        self.models = models_reply(owner)
        self.models_delay = 0.0
        self.models_at = ""  # the only path at which they are listed
        self.listening: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.now = self.most = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        self._open.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            writer.write(await self._answer(head.split()[:2], fields, body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client hung up first: nothing to answer
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, asked: list[str], fields: dict[str, str], body: bytes) -> bytes:
        if asked[0] != "get":
            return await self._chat(fields, body)
        if self.models_at not in ("", asked[1]):
            return http(404, {"detail": "Not Found"}, Connection="close")
        return await self._models()

    def go_down(self) -> None:
        """Listen no more, and break off every answer that is on its way."""
        assert self.listening is not None
        self.listening.close()
        for writer in self._open:
            writer.transport.abort()

    async def _models(self) -> bytes:
        await asyncio.sleep(self.models_delay)
        return self.models

    async def _chat(self, fields: dict[str, str], body: bytes) -> bytes:
        self.keys.append(fields["authorization"])
        self.bodies.append(asked := json.loads(body))
        self.now, self.most = self.now + 1, max(self.most, self.now + 1)
        await asyncio.sleep(self.delay)
        self.now -= 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.go_down()
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        reply = reply(asked) if callable(reply) else reply
        return reply.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


@contextmanager
def served(server: Server, port: int = 0) -> Iterator[str]:
    """Run `server` in a thread of its own and yield its address."""
    ready = threading.Event()
    stop: list[Any] = []

    async def listen() -> None:
        server.listening = await asyncio.start_server(server.serve, "127.0.0.1", port)
        ended = asyncio.Event()
        stop.extend((asyncio.get_running_loop(), ended, server.listening.sockets[0].getsockname()))
        ready.set()
        await ended.wait()
        server.listening.close()

    thread = threading.Thread(target=asyncio.run, args=(listen(),))
    thread.start()
    ready.wait()
    loop, ended, address = stop
    try:
        yield f"http://127.0.0.1:{address[1]}/v1"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
