"""A person at the proxy: what it answers over TLS, with or without a name and a password."""

import base64
import hashlib
import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from logcache_tests.servers.server import LOOPBACK

DAGIT, READ_ONLY = "dagit.example.com", "dagit-read.example.com"
OPERATOR, PASSWORD = "operator", "only-good-for-tests"


class _Tls(http.client.HTTPConnection):
    """A connection to loopback by the server's name."""

    def __init__(self, port: int, host: str, context: ssl.SSLContext) -> None:
        super().__init__(host, timeout=60)
        self._at, self._context = (LOOPBACK, port), context

    @override
    def connect(self) -> None:
        plain = socket.create_connection(self._at, timeout=self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The proxy before Dagit."""

    port: int
    certificate: Path

    def status(
        self,
        host: str,
        *,
        login: str | None = None,
        headers: Mapping[str, str] | None = None,
        path: str = "/server_info",
    ) -> int:
        """The status with which a page is answered."""
        return self._ask("GET", path, host, login=login, headers=headers)[0]

    def graphql(
        self, query: str, variables: Mapping[str, object] | None = None, *, host: str = DAGIT
    ) -> dict[str, Any]:
        """The answer's `data`, as the operator gets it; without a login from the read-only server."""
        body = json.dumps({"query": query, "variables": variables or {}})
        login = f"{OPERATOR}:{PASSWORD}" if host == DAGIT else None
        status, text = self._ask("POST", "/graphql", host, login=login, body=body)
        assert status == http.client.OK, text[:2000]
        data: dict[str, Any] = json.loads(text)["data"]
        return data

    def _ask(
        self,
        method: str,
        path: str,
        host: str,
        *,
        login: str | None,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> tuple[int, str]:
        context = ssl.create_default_context(cafile=str(self.certificate))
        sent = {"Content-Type": "application/json", **(headers or {})}
        if login is not None:
            sent["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        with closing(_Tls(self.port, host, context)) as connection:
            connection.request(method, path, body=body, headers=sent)
            with connection.getresponse() as response:
                return response.status, response.read().decode()


def write_certificate(folder: Path) -> None:
    """A certificate for both names, signed by itself."""
    names = f"subjectAltName=DNS:{DAGIT},DNS:{READ_ONLY}"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={DAGIT}"),
            *("-addext", names, "-keyout", str(folder / "dagit.key"), "-out", str(folder / "dagit.crt")),
        ],
        check=True,
        capture_output=True,
    )


def write_operators(file: Path) -> None:
    """The one person who may do everything."""
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324 - a form that nginx reads without htpasswd
    file.write_text(f"{OPERATOR}:{{SHA}}{digest}\n", encoding="ascii")
