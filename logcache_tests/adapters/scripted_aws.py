"""A server that gives an AWS client the answers of a script, for what no real server can be made to say."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from typing_extensions import override

from logcache_assets.adapters.aws.access import AwsAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer."""

    status: int = 200
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(code: str, message: str = "", *, status: int = 400) -> Answer:
    """A refusal as the JSON services write it."""
    return Answer(status=status, body={"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})


@dataclass(slots=True)
class ScriptedAws:
    """The running server: what it was asked, and its address."""

    endpoint_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The body of every POST."""
    authorizations: list[str] = field(default_factory=list)
    """Who asked: the header of every request, which names the access key."""

    def access(self, *, max_attempts: int = 1) -> AwsAccess:
        """How an adapter reaches it."""
        return AwsAccess(region="us-east-1", endpoint_url=self.endpoint_url, max_attempts=max_attempts)


@contextmanager
def scripted_aws(*answers: Answer) -> Iterator[ScriptedAws]:
    """Run a server that gives these answers in turn, the last one for ever."""
    script = list(answers)
    running = ScriptedAws("")

    class Handler(BaseHTTPRequestHandler):
        def answer_next(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            running.authorizations.append(self.headers.get("Authorization", ""))
            if self.command == "POST":
                running.requests.append(json.loads(sent))
            answer = script.pop(0) if len(script) > 1 else script[0]
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET = do_HEAD = do_PUT = do_DELETE = answer_next  # noqa: N815 - names of http.server

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
