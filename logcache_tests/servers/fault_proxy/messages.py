"""HTTP/1.1 messages on streams: heads are parsed, bodies pass as bytes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from logcache_tests.servers.fault_proxy.requests import Request

PIECE_BYTES = 1 << 16
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True)
class Reply:
    """The head of an answer; its headers' names are lower case."""

    head: bytes
    status: int
    headers: Mapping[str, str]

    @property
    def length(self) -> int | None:
        """Bytes of the body, if it says so."""
        return int(self.headers["content-length"]) if "content-length" in self.headers else None

    @property
    def ends_connection(self) -> bool:
        """Whether no further answer comes on this connection."""
        return self.headers.get("connection", "").lower() == "close" or self.head.startswith(b"HTTP/1.0")


async def read_request(client: asyncio.StreamReader) -> tuple[Request, bytes] | None:
    """The next request's head, also as bytes; None when the client has closed the connection."""
    try:
        head = await client.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, headers = _parsed(head)
    method, target, _ = first.split(" ", 2)
    return Request(method, target, headers), head


async def read_reply(server: asyncio.StreamReader) -> Reply:
    """The next answer's head.

    Raises:
        asyncio.IncompleteReadError: the server closed the connection.
    """
    head = await server.readuntil(b"\r\n\r\n")
    first, headers = _parsed(head)
    return Reply(head, int(first.split(" ", 2)[1]), headers)


def _parsed(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.lower(): value.strip() for name, _, value in pairs}


async def body_of_request(request: Request, client: asyncio.StreamReader) -> bytes:
    """The whole body, as it came."""
    if "chunked" in request.headers.get("transfer-encoding", ""):
        return b"".join([piece async for piece in _chunks(client)])
    length = int(request.headers.get("content-length", "0"))
    return await client.readexactly(length) if length else b""


async def body_of_reply(request: Request, reply: Reply, server: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The body in pieces, as it comes."""
    if request.method == "HEAD" or reply.status in _NO_BODY:
        return
    if "chunked" in reply.headers.get("transfer-encoding", ""):
        async for piece in _chunks(server):
            yield piece
        return
    left = reply.length
    while left is None or left > 0:
        piece = await server.read(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        yield line
        if not size:
            break
        yield await reader.readexactly(size + 2)
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        yield line
    yield line
