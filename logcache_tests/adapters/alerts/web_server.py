"""A web server on loopback that takes messages, or behaves as badly as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override


class Callee(ThreadingHTTPServer):
    """Keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = 200
        self.manner = "plain"
        """Or `silent`: no answer; or `dripping`: an answer that never ends."""
        self.taken: list[str] = []
        """The texts that were posted."""
        self.paths: list[str] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Its address, of which the path is the secret."""
        return f"http://127.0.0.1:{self.server_port}/services/T0SECRET"


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Callee

    def do_POST(self) -> None:
        """Take a message."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.manner == "plain" and self.server.status == 200:
            self.server.taken.append(json.loads(body)["text"])
        self.do_GET()

    def do_GET(self) -> None:
        """Answer as the server is told."""
        self.server.paths.append(self.path)
        if self.server.manner == "silent":
            self.server.released.wait(20)
            return
        if self.server.manner == "dripping":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.server.released.wait(0.05):
                self.wfile.write(b"X-Drip: 1\r\n")
            return
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, *_arguments: object) -> None:
        """A test has nobody to tell."""


@contextmanager
def running_callee() -> Iterator[Callee]:
    """A server during the block."""
    with Callee() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
