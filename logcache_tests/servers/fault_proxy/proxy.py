"""The proxy itself: each connection of the client has one of its own to the server, so requests keep their order."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from logcache_tests.servers.fault_proxy.answers import EXISTS, Answer, answer_bytes, answer_of
from logcache_tests.servers.fault_proxy.faults import NO_FAULTS, Fault, Faults, choose_fault, draw
from logcache_tests.servers.fault_proxy.messages import Reply, body_of_request, read_request
from logcache_tests.servers.fault_proxy.requests import COPY_SOURCE, Asked, Request
from logcache_tests.servers.fault_proxy.upstream import Upstream
from logcache_tests.servers.server import LOOPBACK, Server

BEHIND = " behind the proxy"
"""What the name of a server gets that keeps promises thanks to the proxy."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LOCKS = 4096
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class _Asked:
    """A request and its fate."""

    request: Request
    message: bytes
    """All of it."""
    fault: Fault | None
    latency_seconds: float
    place: float
    """Where a wrong bit is, from 0 to 1."""


@dataclass
class FaultProxy:
    """A proxy that runs; `faults` may be set at any time and holds for requests that come afterwards."""

    upstream: Server
    honours_if_none_match: bool
    """Whether CopyObject honours `If-None-Match: *`, as S3 does."""
    server: Server
    """As clients see it."""
    faults: Faults = NO_FAULTS
    seen: Counter[Asked] = field(default_factory=Counter)
    """Requests of the clients, by what they ask."""
    injected: Counter[Fault] = field(default_factory=Counter)
    _attempts: Counter[str] = field(default_factory=Counter)
    _of_credential: Counter[str] = field(default_factory=Counter)
    _locks: list[asyncio.Lock] = field(default_factory=lambda: [asyncio.Lock() for _ in range(_LOCKS)])

    @property
    def operations(self) -> Counter[str]:
        """How many requests of each operation came."""
        found: Counter[str] = Counter()
        for asked, count in self.seen.items():
            found[asked.operation] += count
        return found

    @contextmanager
    def injecting(self, faults: Faults) -> Iterator[None]:
        """Inject these faults for the duration of the block, and count from nothing."""
        for counter in (self.seen, self.injected, self._attempts, self._of_credential):
            counter.clear()
        self.faults = faults
        try:
            yield
        finally:
            self.faults = NO_FAULTS

    async def serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side ends it."""
        upstream = Upstream(self.upstream)
        try:
            # A cancelled task that ends quietly is not told by asyncio's streams.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while (found := await read_request(reader)) is not None:
                    request, head = found
                    if "expect" in request.headers:
                        writer.write(_CONTINUE)
                    message = head + await body_of_request(request, reader)
                    if not await self._answer(self._asked(request, message), upstream, writer):
                        return
        finally:
            upstream.close()
            writer.close()

    async def _answer(self, asked: _Asked, upstream: Upstream, client: asyncio.StreamWriter) -> bool:
        """Answer one request; returns whether the connection goes on."""
        request = asked.request
        if asked.fault is not None and (given := answer_of(asked.fault, request)) is not None:
            return await _given(given, asked, client)
        if asked.fault is Fault.VANISHED:
            await upstream.ask("DELETE", *request.source)
        if not self._must_not_overwrite(request):
            return await _passed_on(asked, upstream, client)
        async with self._locks[hash(request.path) % _LOCKS]:
            if await upstream.ask("HEAD", *request.path) == HTTPStatus.OK:
                return await _given(EXISTS, asked, client)
            return await _passed_on(asked, upstream, client)

    def _must_not_overwrite(self, request: Request) -> bool:
        return (
            self.honours_if_none_match
            and COPY_SOURCE in request.headers
            and request.headers.get("if-none-match") == "*"
        )

    def _asked(self, request: Request, message: bytes) -> _Asked:
        """Count a request and choose its fault."""
        with_credential = self._of_credential[request.credential]
        attempt = self._attempts[request.identity]
        fault = choose_fault(self.faults, request, attempt=attempt, with_credential=with_credential)
        self.seen[request.asked] += 1
        self._of_credential[request.credential] += 1
        self._attempts[request.identity] += 1
        if fault is not None:
            self.injected[fault] += 1
        place = draw(f"{self.faults.seed} place {attempt} {request.identity}")
        return _Asked(request, message, fault, self.faults.latency_seconds, place)


async def _given(answer: Answer, asked: _Asked, client: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(asked.latency_seconds)
    client.write(answer_bytes(answer, asked.request))
    await client.drain()
    return True


async def _passed_on(asked: _Asked, upstream: Upstream, client: asyncio.StreamWriter) -> bool:
    reply, body = await upstream.exchange(asked.request, asked.message)
    await asyncio.sleep(asked.latency_seconds)
    if asked.fault is Fault.DROPPED_REPLY:
        return False
    ahead, left = reply.head, _bytes_to_send(reply, asked.fault)
    async for piece in body:
        sent = _flipped(piece, asked.place) if asked.fault is Fault.CORRUPTED and ahead else piece
        client.write(ahead + sent[:left])
        ahead = b""
        await client.drain()
        if left is not None and (left := left - len(piece)) <= 0:
            return False
    client.write(ahead)
    await client.drain()
    return not reply.ends_connection


def _bytes_to_send(reply: Reply, fault: Fault | None) -> int | None:
    """How much of a body is sent before the connection is closed; None for all of it."""
    return (reply.length or 0) // 2 if fault is Fault.TRUNCATED else None


def _flipped(piece: bytes, place: float) -> bytes:
    where = int(len(piece) * place)
    return piece[:where] + bytes([piece[where] ^ 1]) + piece[where + 1 :]


@contextmanager
def fault_proxy(upstream: Server, *, honours_if_none_match: bool = False) -> Iterator[FaultProxy]:
    """Run a proxy before a server for the duration of the block.

    Args:
        upstream: the server.
        honours_if_none_match: whether CopyObject honours `If-None-Match: *`, as S3 does.
    """
    name = upstream.name + (BEHIND if honours_if_none_match else "")
    proxy = FaultProxy(upstream, honours_if_none_match, replace(upstream, name=name))
    loop = asyncio.new_event_loop()
    listening, ended = threading.Event(), asyncio.Event()
    serve = _serve(proxy, listening, ended)
    thread = threading.Thread(target=loop.run_until_complete, args=(serve,), name="fault proxy", daemon=True)
    thread.start()
    try:
        listening.wait(_STOP_SECONDS)
        yield proxy
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(_STOP_SECONDS)
        loop.close()


async def _serve(proxy: FaultProxy, listening: threading.Event, ended: asyncio.Event) -> None:
    async with await asyncio.start_server(proxy.serve_client, LOOPBACK, 0) as server:
        port = server.sockets[0].getsockname()[1]
        proxy.server = replace(proxy.server, endpoint_url=f"http://{LOOPBACK}:{port}")
        listening.set()
        await ended.wait()
    mine = asyncio.current_task()
    serving = [task for task in asyncio.all_tasks() if task is not mine]
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
