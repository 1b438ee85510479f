"""The stand-in on a socket: hands requests to the repository, and disturbs where a test asks for it."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from logcache_tests.servers.github.faults import Fault
from logcache_tests.servers.github.hub import Asked, GitHub
from logcache_tests.servers.github.people import RefusedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, github: GitHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.github = github


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Head and body of an answer are sent apart, and would wait for each other."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_arguments: object) -> None:
        """Write no log."""

    def _serve(self) -> None:
        github = self.server.github
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parted = urlsplit(self.path)
        path = parted.path.removeprefix(github.prefix).replace("/api/graphql", "/graphql")
        short = f"{self.command} {path.removeprefix(f'/repos/{github.repository}').strip('/')}"
        with github.lock:
            github.asked.append(short)
            fault = next((fault for fault in github.faults if fault.fits(short)), None)
            if fault and fault.kind == "drop":
                self._drop()
            elif fault and fault.kind == "answer":
                self._send(fault.status, fault.body, fault.headers)
            else:
                self._reply(path, dict(parse_qsl(parted.query)), sent, fault)

    def _reply(self, path: str, query: dict[str, str], sent: bytes, fault: Fault | None) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        more: Mapping[str, str] = {}
        try:
            body = json.loads(sent) if sent else None
            asked = Asked(verb=self.command, path=path, query=query, body=body, headers=headers)
            status, answer = self.server.github.answer(asked)
            if isinstance(answer, list) and "per_page" in query:
                answer, more = _page(answer, query, f"{self.server.github.url}{path}")
        except RefusedError as refused:
            status, answer, more = refused.status, refused.body, refused.headers
        if fault and fault.kind == "drop after":
            self._drop()
        elif fault and fault.kind == "garbage":
            self._send(status, '{"sha": "abc', more)
        else:
            self._send(status, answer, more, cut=fault is not None and fault.kind == "cut")

    def _send(self, status: int, answer: object, headers: Mapping[str, str], *, cut: bool = False) -> None:
        content = b"" if answer is None else (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        kind = "text/html" if isinstance(answer, str) and not answer.startswith("{") else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self._drop()

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _page(items: list[Any], query: Mapping[str, str], url: str) -> tuple[list[Any], dict[str, str]]:
    """One page of a list, and the link to the next one."""
    size, number = int(query["per_page"]), int(query.get("page", "1"))
    page = items[size * (number - 1) : size * number]
    link = f'<{url}?page={number + 1}>; rel="next"'
    return page, {"Link": link} if len(items) > size * number else {}


@contextmanager
def served_github(folder: Path, **fields: Any) -> Iterator[GitHub]:  # noqa: ANN401 - those of GitHub
    """Serve a bare repository for the duration of the block.

    Args:
        folder: of the bare repository.
        fields: of GitHub, for example `now`, the clock of the world that the repository is of.
    """
    github = GitHub(folder, **fields)
    with _Server(github) as server:
        github.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()
