"""metapod over HTTP and HTTPS for tests: serves a schema on a real socket, and gives bad answers on request.

`tls_metapod` serves a world's metapod as production's is: over TLS, to clients that show a certificate.
"""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, graphql_sync
from typing_extensions import override

from logcache_assets.local_platform.metapod_service import build_schema_over
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_tests.servers.certificates import Authority, Certificate

Answer = tuple[int, str] | Callable[["Handler"], None]
"""The status and body of an answer, or what is done instead of answering."""


class Server(ThreadingHTTPServer):
    """A server that answers from a schema, or as a test set for the next requests."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, schema: GraphQLSchema, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.schema = schema
        self.next: list[Answer] = []
        self.outage: Answer | None = None
        """What every request gets that `next` has no answer for, as long as it is set."""
        self.authorizations: list[str | None] = []
        self.asked: list[Mapping[str, Any]] = []
        self.ended = threading.Event()
        self._tls = tls

    @property
    def url(self) -> str:
        """URL of the server."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server_port}/graphql"

    @override
    def get_request(self) -> tuple[Any, Any]:
        """Let each connection's own thread shake hands, so that one that fails stops no other."""
        accepted, address = super().get_request()
        if self._tls is None:
            return accepted, address
        return self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False), address

    @override
    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands first. A client that is refused reads the alert before the connection ends."""
        if isinstance(request, ssl.SSLSocket):
            try:
                request.do_handshake()
            except OSError:
                with socket.socket(fileno=request.detach()) as plain, suppress(OSError):
                    plain.settimeout(5)
                    plain.shutdown(socket.SHUT_WR)
                    while plain.recv(1 << 16):
                        pass
                return
        super().finish_request(request, client_address)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that the client ended."""


class Handler(BaseHTTPRequestHandler):
    """Handles one request."""

    server: Server

    def do_POST(self) -> None:
        """Answer a query."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.authorizations.append(self.headers["Authorization"])
        self.server.asked.append(asked)
        answer = self.server.next.pop(0) if self.server.next else self.server.outage or (200, self._answer(asked))
        if callable(answer):
            answer(self)
        else:
            self.say(*answer)

    def say(
        self, status: int, body: str, *, length: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send an answer; one with another length than its body's is cut short."""
        sent = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_arguments: object) -> None:
        """Write no log."""

    def _answer(self, asked: Mapping[str, Any]) -> str:
        answer = graphql_sync(
            self.server.schema,
            asked["query"],
            variable_values=asked.get("variables"),
            operation_name=asked.get("operationName"),
        )
        return json.dumps(answer.formatted)


@contextmanager
def served(schema: GraphQLSchema, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server for the duration of the block."""
    with Server(schema, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


def tls_of(server: Certificate, *, clients: Path | None) -> ssl.SSLContext:
    """How a server shows a certificate, and which authority must have signed those of its clients, if any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.file, server.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMetapod:
    """A running metapod, and what its clients need."""

    server: Server
    authority: Path
    certificate: Path
    key: Path

    @property
    def url(self) -> str:
        """Of the GraphQL endpoint."""
        return self.server.url

    @property
    def variables(self) -> dict[str, str]:
        """The settings with which a deployment asks it."""
        return {
            "LOGCACHE_METAPOD": "graphql",
            "LOGCACHE_METAPOD_URL": self.url,
            "LOGCACHE_METAPOD_CERTIFICATE": str(self.certificate),
            "LOGCACHE_METAPOD_CERTIFICATE_KEY": str(self.key),
            "LOGCACHE_METAPOD_AUTHORITY": str(self.authority),
        }


@contextmanager
def tls_metapod(store: MetapodStore, folder: Path) -> Iterator[TlsMetapod]:
    """Serve a world's metapod over TLS, to clients with a certificate, for the duration of the block.

    Args:
        store: `World(settings).metapod_store`.
        folder: gets the certificates.
    """
    authority = Authority(folder)
    client = authority.sign("client")
    tls = tls_of(authority.sign("server"), clients=authority.file)
    with served(build_schema_over(store), tls) as server:
        yield TlsMetapod(server=server, authority=authority.file, certificate=client.file, key=client.key)
