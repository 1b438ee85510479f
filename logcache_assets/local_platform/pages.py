"""Serves the local world's reports and pull requests to a browser, on this computer alone.

`file://` links do nothing in a page that came over http, as Dagit's do. Only these two kinds of pages are served: a
path is matched whole, so nothing else of the buckets or of the disk can be asked for. Other computers cannot connect,
and a page of another site that names this server as its own is refused by its Host header.
"""

import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from logcache_assets.domain.report_links import LOOPBACK
from logcache_assets.errors import LogCacheError
from logcache_assets.local_platform.pull_request_files import PullRequestFiles
from logcache_assets.ports import ObjectStore

_REPORT = re.compile(
    r"/([a-z0-9][a-z0-9.-]+)/(cache/_refresh/[A-Za-z0-9-]+/validation_report/[A-Za-z0-9_-]+\.(html|md))"
)
_PULL_REQUEST = re.compile(r"/pull_requests/([1-9][0-9]{0,8})")
_HTML, _TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"
_TYPES: Mapping[str, str] = {"html": _HTML, "md": _TEXT}
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_ABSENT = "There is no such page. A report is written by validation_report, a pull request by log_cache_pull_request."


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer."""

    status: HTTPStatus
    content: bytes
    content_type: str = _TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What may be asked for."""

    store: ObjectStore
    bucket: str
    """The permanent bucket; no other is shown."""
    pull_requests: PullRequestFiles

    def find(self, path: str) -> Page:
        """The page at a path of a URL, or one that says that there is none."""
        try:
            if (found := _REPORT.fullmatch(path)) and found[1] == self.bucket:
                content = self.store.read(f"s3://{found[1]}/{found[2]}")
                return Page(status=HTTPStatus.OK, content=content, content_type=_TYPES[found[3]])
            if found := _PULL_REQUEST.fullmatch(path):
                return self._pull_request(int(found[1]))
        except LogCacheError:
            return _absent()
        return _absent()

    def _pull_request(self, number: int) -> Page:
        record = self.pull_requests.find(number)
        if record is None:
            return _absent()
        title = escape(f"#{number} {record.title}")
        text = (
            f"<!doctype html><meta charset=utf-8><title>{title}</title>"
            "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
            "pre{white-space:pre-wrap;font-size:14px}</style>"
            f"<h1>{title}</h1><p>{escape(record.state)}, {escape(record.branch)} at {escape(record.head_sha[:8])}"
            f"<pre>{escape(self.pull_requests.body(number))}</pre>"
        )
        return Page(status=HTTPStatus.OK, content=text.encode(), content_type=_HTML)


def _absent() -> Page:
    return Page(status=HTTPStatus.NOT_FOUND, content=_ABSENT.encode())


def open_server(pages: Pages, *, port: int) -> ThreadingHTTPServer:
    """A server that listens on the loopback interface; raises OSError if the port is taken.

    Args:
        pages: what it serves.
        port: of the server; 0 for any.
    """

    class Answer(BaseHTTPRequestHandler):
        @override
        def version_string(self) -> str:
            return "logcache"

        def do_GET(self) -> None:
            self._send(with_content=True)

        def do_HEAD(self) -> None:
            self._send(with_content=False)

        def _send(self, *, with_content: bool) -> None:
            host = self.headers.get("Host", "").rpartition(":")[0]
            known = host in {LOOPBACK, "localhost"}
            page = pages.find(self.path.partition("?")[0]) if known else _absent()
            self.send_response(page.status)
            for name, value in {"Content-Type": page.content_type, **_HEADERS}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.content)))
            self.end_headers()
            if with_content:
                self.wfile.write(page.content)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: Dagit's own lines are what a person looks at."""

    return ThreadingHTTPServer((LOOPBACK, port), Answer)


def serve_while_open(server: ThreadingHTTPServer) -> None:
    """Serve until standard input is closed, which happens when the process that holds its other end is gone."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()
    server.shutdown()
