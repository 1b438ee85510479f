"""A strict stand-in of a Databricks workspace on loopback: the Jobs API 2.2, files, and who may ask.

It takes the requests that the documentation has, refuses unknown fields and missing credentials, and really runs the
uploaded notebook with the uploaded wheel in a process that has nothing else of ours, on local Spark if it is asked to.

    with databricks(folder, instance_profiles={ARN: credentials_of_s3}) as workspace:
        settings = {"LOGCACHE_NOTEBOOK": "databricks", **workspace.variables}
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from logcache_tests.servers.databricks_answers import ApiError, Asked, as_json
from logcache_tests.servers.databricks_compute import Compute
from logcache_tests.servers.databricks_files import Files
from logcache_tests.servers.databricks_jobs import Jobs
from logcache_tests.servers.server import LOOPBACK

TOKEN = "dapi-only-good-for-tests"  # noqa: S105 - not secret
CLIENT_ID = "logcache"
CLIENT_SECRET = "only-good-for-the-stand-in"  # noqa: S105 - not secret
SIGNED_IN = "signed-in-with-oauth"
PROFILE = "arn:aws:iam::123456789012:instance-profile/logcache"
"""The instance profile that this workspace knows."""
_WELL_KNOWN = "/oidc/.well-known/oauth-authorization-server"
_SIGN_IN = "/oidc/v1/token"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to one request instead of, or after, its answer."""

    path: str
    """The end of the path of the requests that it meets."""
    status: int = 0
    """Of the answer that is given instead; 0 if the request is answered, and the reply dropped on its way."""
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Given instead of an error in JSON."""


class Workspace(ThreadingHTTPServer):
    """A running stand-in."""

    daemon_threads = True

    def __init__(self, make_jobs: Callable[[Files, Callable[[], str]], Jobs]) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.files = Files()
        self.jobs = make_jobs(self.files, lambda: self.url)
        self.compute = Compute(clusters=self.jobs.clusters)
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.token = TOKEN
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The workspace's URL."""
        return f"http://{LOOPBACK}:{self.server_port}"

    @property
    def variables(self) -> dict[str, str]:
        """The settings with which notebooks run here, on a cluster with the workspace's instance profile."""
        return {
            "LOGCACHE_NOTEBOOK": "databricks",
            "LOGCACHE_DATABRICKS_HOST": self.url,
            "LOGCACHE_DATABRICKS_TOKEN": self.token,
            "LOGCACHE_DATABRICKS_NODE_TYPE": "r6id.xlarge",
            "LOGCACHE_DATABRICKS_INSTANCE_PROFILE": PROFILE,
        }

    def count(self, path: str) -> int:
        """How often requests whose path ends so arrived."""
        return sum(asked.path.endswith(path) for asked in self.asked)

    def fault_for(self, asked: Asked) -> Fault | None:
        """The fault that a test wants for this request, once."""
        with self._lock:
            self.asked.append(asked)
            found = next((fault for fault in self.faults if asked.path.endswith(fault.path)), None)
            if found is not None:
                self.faults.remove(found)
            return found

    def answer(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body."""
        try:
            if asked.path in {_WELL_KNOWN, _SIGN_IN}:
                return 200, {}, as_json(self._signed_in(asked))
            self._require_known(asked)
            if asked.path.startswith("/api/2.0/fs/"):
                status, headers = self.files.volume(asked)
                return status, headers, b""
            routes = {**self.jobs.routes, **self.files.routes, **self.compute.routes}
            return 200, {}, as_json(routes.get((asked.method, asked.path), _no_such_api)(asked))
        except ApiError as error:
            return error.status, {}, as_json(error.body)

    def _require_known(self, asked: Asked) -> None:
        given = asked.headers.get("Authorization", "")
        if not given.startswith("Bearer "):
            raise ApiError(
                401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."
            )
        if given.removeprefix("Bearer ") not in {self.token, SIGNED_IN}:
            # A gateway may repeat what it was sent.
            raise ApiError(403, "403", f"Invalid access token. {given}")
        if any(asked.path.endswith(path) for path in self.jobs.denied):
            raise ApiError(403, "PERMISSION_DENIED", "User logcache does not have permission to do this.")

    def _signed_in(self, asked: Asked) -> object:
        if asked.path == _WELL_KNOWN:
            return {"authorization_endpoint": f"{self.url}/oidc/v1/authorize", "token_endpoint": self.url + _SIGN_IN}
        given = base64.b64decode(asked.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if given != f"{CLIENT_ID}:{CLIENT_SECRET}":
            raise ApiError(401, "invalid_client", f"Client authentication failed: {given}", is_oauth=True)
        return {"access_token": SIGNED_IN, "token_type": "Bearer", "expires_in": 3600}


def _no_such_api(asked: Asked) -> object:
    raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{asked.method} {asked.path}'")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Workspace

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        asked = Asked(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers=dict(self.headers.items()),
            content=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        fault = self.server.fault_for(asked)
        if fault is not None and fault.status:
            said = {"error_code": fault.code, "message": f"told to answer {fault.status}"}
            self._send(fault.status, fault.headers, as_json(said) if fault.body is None else fault.body)
            return
        answer = self.server.answer(asked)
        if fault is None:
            self._send(*answer)
            return
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = _handle  # noqa: N815 - http.server's names

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Write no log."""


@contextmanager
def databricks(
    folder: Path,
    *,
    credentials: Mapping[str, str] | None = None,
    secrets: Mapping[tuple[str, str], str] | None = None,
    clusters: Mapping[str, Mapping[str, str]] | None = None,
    spark: Mapping[str, str] | None = None,
) -> Iterator[Workspace]:
    """Run the stand-in for the duration of the block; then all its runs are ended.

    Args:
        folder: of the runs, each with the notebook, the wheel and output.log; may not be there yet.
        credentials: variables by which a machine with the instance profile `PROFILE` has its rights on S3.
        secrets: (scope, key) → the secret, for `{{secrets/scope/key}}`.
        clusters: id of a cluster that is there → its machines' variables.
        spark: settings of the session that notebooks have; None for no Spark.
    """

    def make_jobs(files: Files, host: Callable[[], str]) -> Jobs:
        return Jobs(
            files=files,
            folder=folder,
            host=host,
            instance_profiles={PROFILE: credentials or {}},
            secrets=secrets or {},
            clusters=clusters or {},
            policies=frozenset(Compute(clusters=()).policies),
            pools=frozenset(Compute(clusters=()).pools),
            spark=spark,
        )

    with Workspace(make_jobs) as workspace:
        thread = threading.Thread(target=workspace.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield workspace
        finally:
            workspace.jobs.stop()
            workspace.shutdown()
            thread.join()


def submitted(workspace: Workspace) -> list[Any]:
    """The bodies of every submission, in order."""
    return [json.loads(asked.content) for asked in workspace.asked if asked.path.endswith("/runs/submit")]
