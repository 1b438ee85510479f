"""metapod over HTTP for tests: serves any schema on a real socket, and gives bad answers on request."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from graphql import GraphQLSchema, graphql_sync


class Server(ThreadingHTTPServer):
    """An HTTP server that answers from a schema, or with the status and body that a test set for the next request."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.schema = schema
        self.next: list[tuple[int, str]] = []
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        """URL of the server."""
        return f"http://127.0.0.1:{self.server_port}/graphql"


class Handler(BaseHTTPRequestHandler):
    """Handles one request."""

    server: Server

    def do_POST(self) -> None:
        """Answer a query."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.authorizations.append(self.headers["Authorization"])
        status, body = self.server.next.pop(0) if self.server.next else (200, self._answer(asked))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

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
def served(schema: GraphQLSchema) -> Iterator[Server]:
    """Run a server for the duration of the block."""
    with Server(schema) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
