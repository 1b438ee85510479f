"""One connection to the server behind the proxy, opened again when the server has closed it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, urlsplit

from logcache_tests.servers.fault_proxy.messages import Reply, body_of_reply, read_reply
from logcache_tests.servers.fault_proxy.requests import Request
from logcache_tests.servers.server import Server

_INFORMATIONAL = range(100, 200)


class Upstream:
    """Sends one message after the other; the body of an answer is to be read before the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        address = urlsplit(server.endpoint_url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, request: Request, message: bytes) -> tuple[Reply, AsyncIterator[bytes]]:
        """Send a whole message; returns the answer's head and its body, which comes in pieces."""
        is_fresh = self._reader is None or self._reader.at_eof()
        try:
            reader, reply = await self._sent(message)
        except (ConnectionError, asyncio.IncompleteReadError):
            if is_fresh:
                raise
            # The server closed an idle connection at this moment.
            self.close()
            reader, reply = await self._sent(message)
        return reply, self._body(request, reply, reader)

    async def _sent(self, message: bytes) -> tuple[asyncio.StreamReader, Reply]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(message)
        await self._writer.drain()
        reply = await read_reply(self._reader)
        while reply.status in _INFORMATIONAL:
            reply = await read_reply(self._reader)
        return self._reader, reply

    async def _body(self, request: Request, reply: Reply, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        async for piece in body_of_reply(request, reply, reader):
            yield piece
        if reply.ends_connection:
            self.close()

    async def ask(self, method: str, bucket: str, key: str) -> int:
        """Send a request of the proxy's own about an object, signed with the server's credentials.

        Returns:
            The status.
        """
        path = f"/{quote(bucket)}/{quote(key, safe='/~')}"
        headers = self._signed(method, path)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        message = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
        reply, body = await self.exchange(Request(method, path, {}), message)
        async for _ in body:
            pass
        return reply.status

    def _signed(self, method: str, path: str) -> Mapping[str, str]:
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - half a second, where it is needed
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above
        from botocore.credentials import Credentials  # noqa: PLC0415 - as above

        host = f"{self._host}:{self._port}"
        request = AWSRequest(method, f"http://{host}{path}", headers={"Host": host})
        who = self._server.credentials
        S3SigV4Auth(Credentials(who.access_key, who.secret_key), "s3", self._server.region).add_auth(request)
        return dict(request.headers.items())

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
