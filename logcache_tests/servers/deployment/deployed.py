"""The files of deploy/ started on this computer as they would be on a server: systemd's units, Dagster, nginx.

What is changed are ports, and the folders /opt/logcache, /etc/logcache and /var/lib/logcache.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from logcache_assets.adapters.processes import end_group
from logcache_tests.servers.deployment.proxy import Proxy, write_certificate, write_operators
from logcache_tests.servers.server import LOOPBACK, NotBuiltError, NotReadyError, free_port

DEPLOY = Path(__file__).parents[3] / "deploy"
SERVICES = ("code", "daemon", "dagit", "dagit-read")
"""As their units are called, in the order in which they are started."""
PORTS = {"4000": "code", "3000": "dagit", "3001": "dagit-read"}
"""Port in the files → the service that listens there."""
READY_SECONDS = 120.0
GRACE_SECONDS = 60.0
POLL_SECONDS = 0.1
_TOLD_CHARACTERS = 3000


@dataclass(slots=True)
class Deployment:
    """The running services; each may be killed and started again."""

    folder: Path
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    """Service → port on which it listens."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def proxy(self) -> Proxy:
        """How people reach it."""
        return Proxy(port=self.ports["nginx"], certificate=self.folder / "etc" / "dagit.crt")

    def start(self, service: str) -> None:
        """Start a service by the command line of its unit, and wait until it listens."""
        unit = (DEPLOY / "systemd" / f"logcache-{service}.service").read_text(encoding="utf-8")
        self.run(service, self.argv(unit))

    def argv(self, unit: str) -> list[str]:
        """The command line of a unit, on this computer."""
        found = re.search(r"^ExecStart=/opt/logcache/\.venv/bin/(.*)$", unit, re.MULTILINE)
        assert found is not None
        program, *arguments = shlex.split(found.group(1))
        return [str(Path(sys.executable).parent / program), *(self._here(argument) for argument in arguments)]

    def run(self, service: str, argv: list[str]) -> None:
        """Start a process, and wait until it listens."""
        with self.log(service).open("ab") as log:
            self.running[service] = subprocess.Popen(
                argv,
                cwd=self.folder / "opt",
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await(service)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run deploy/logcache, in an environment that has nothing of the deployment's; as this user."""
        script = (DEPLOY / "logcache").read_text(encoding="utf-8")
        script = script.replace("setpriv --reuid=logcache --regid=logcache --init-groups -- ", "")
        for place, here in {
            "/etc/logcache/": f"{self.folder}/etc/",
            "/opt/logcache/.venv/bin/": f"{Path(sys.executable).parent}/",
            "/var/lib/logcache": str(self.folder),
        }.items():
            script = script.replace(place, here)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOGCACHE_"))}
        return subprocess.run(
            ["/bin/sh", "-c", script, "logcache", *words], env=clean, capture_output=True, text=True, check=False
        )

    def kill(self, service: str) -> None:
        """End a service as an out-of-memory killer does: it alone, at once."""
        process = self.running.pop(service)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, service: str) -> None:
        """End a service as systemd does: SIGTERM to all its processes, SIGKILL to what is left."""
        process = self.running.pop(service)
        end_group(process.pid, grace_seconds=GRACE_SECONDS, reap=process.poll)
        process.wait()

    def log(self, service: str) -> Path:
        """What a service printed."""
        return self.folder / f"{service}.log"

    def _here(self, argument: str) -> str:
        return str(self.ports[PORTS[argument]]) if argument in PORTS else argument

    def _await(self, service: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._listens(service):
            if self.running[service].poll() is not None or time.monotonic() > deadline:
                told = self.log(service).read_text(encoding="utf-8", errors="replace")[-_TOLD_CHARACTERS:]
                raise NotReadyError(f"{service} does not listen: {told}")
            time.sleep(POLL_SECONDS)

    def _listens(self, service: str) -> bool:
        import socket  # noqa: PLC0415 - here alone

        if service not in self.ports:
            return True
        with suppress(OSError), closing(socket.create_connection((LOOPBACK, self.ports[service]), timeout=1)):
            return True
        return False


@contextmanager
def deployed(folder: Path, environment: Mapping[str, str], *, home: Path) -> Iterator[Deployment]:
    """Run the whole deployment for the duration of the block.

    Args:
        folder: an empty one, for configuration and logs.
        environment: what would be in /etc/logcache/environment, beside DAGSTER_HOME.
        home: LOGCACHE_HOME.

    Raises:
        NotBuiltError: nginx is not installed.
    """
    nginx = shutil.which("nginx")
    if nginx is None:
        raise NotBuiltError("nginx is not installed")
    ports = {service: free_port() for service in (*PORTS.values(), "nginx")}
    running = Deployment(folder, {**environment, "DAGSTER_HOME": str(home / "dagster")}, ports)
    _write_configuration(running, home)
    try:
        for service in SERVICES:
            running.start(service)
        running.run("nginx", [nginx, "-e", str(running.log("nginx")), "-c", str(folder / "etc" / "nginx.conf")])
        yield running
    finally:
        for service in reversed(tuple(running.running)):
            running.stop(service)


def _write_configuration(running: Deployment, home: Path) -> None:
    opt, etc = running.folder / "opt" / "deploy", running.folder / "etc"
    opt.mkdir(parents=True)
    etc.mkdir()
    (home / "dagster").mkdir(parents=True, exist_ok=True)
    shutil.copy(DEPLOY / "dagster.yaml", home / "dagster" / "dagster.yaml")
    workspace = (DEPLOY / "workspace.yaml").read_text(encoding="utf-8")
    (opt / "workspace.yaml").write_text(workspace.replace("4000", str(running.ports["code"])), encoding="utf-8")
    settings = (f"{name}={shlex.quote(value)}\n" for name, value in running.environment.items())
    (etc / "environment").write_text("".join(settings), encoding="utf-8")
    write_certificate(etc)
    write_operators(etc / "operators")
    (etc / "nginx.conf").write_text(_nginx(running), encoding="utf-8")


def _nginx(running: Deployment) -> str:
    """deploy/nginx.conf in a whole configuration, with this computer's ports and folders."""
    own = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    own = own.replace("listen 443 ssl", f"listen {LOOPBACK}:{running.ports['nginx']} ssl")
    own = own.replace("/etc/logcache/", f"{running.folder}/etc/")
    for port in ("3000", "3001"):
        own = own.replace(f"{LOOPBACK}:{port}", f"{LOOPBACK}:{running.ports[PORTS[port]]}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {running.folder}/nginx-{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""  # who alone may enter the folders of tests
    return (
        f"{user}daemon off;\npid {running.folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{own}}}\n"
    )
