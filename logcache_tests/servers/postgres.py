"""PostgreSQL: a cluster of its own for a test, with one empty database."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from logcache_tests.servers.server import LOOPBACK, NotBuiltError, free_port

PROGRAMS = Path("/usr/lib/postgresql")
"""Where Debian puts the programs of a server, a folder per version."""
USER = DATABASE = "dagster"
PASSWORD = "only-good-for-servers-of-tests"  # noqa: S105 - not secret
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--")
"""PostgreSQL refuses to run as root."""


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """Run PostgreSQL for the duration of the block; gives the variables by which its clients find it.

    Raises:
        NotBuiltError: PostgreSQL is not installed.
    """
    programs = _programs()
    # Not in a folder of pytest's: those are closed to other users.
    with tempfile.TemporaryDirectory(prefix="logcache-postgres-") as folder:
        yield from _running(programs, Path(folder))


def _running(programs: Path, folder: Path) -> Iterator[dict[str, str]]:
    cluster, password, port = folder / "cluster", folder / "password", free_port()
    password.write_text(PASSWORD, encoding="ascii")
    for place in (folder, password):
        shutil.chown(place, *_owner())
    _run(
        *(programs / "initdb", "-D", cluster, "-U", USER, f"--pwfile={password}", "--auth=scram-sha-256"),
        *("--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
    )
    options = f"-c listen_addresses={LOOPBACK} -c port={port} -c unix_socket_directories='' -c fsync=off"
    _run(programs / "pg_ctl", "-D", cluster, "-w", "-l", folder / "postgres.log", "-o", options, "start")
    found = {"PGHOST": LOOPBACK, "PGPORT": str(port), "PGUSER": USER, "PGPASSWORD": PASSWORD, "PGDATABASE": DATABASE}
    try:
        create = [str(programs / "createdb"), DATABASE]
        subprocess.run(create, env={**os.environ, **found}, check=True, capture_output=True)
        yield found
    finally:
        _run(programs / "pg_ctl", "-D", cluster, "-m", "immediate", "stop")


def dump(variables: Mapping[str, str]) -> bytes:
    """Everything that a database holds, as text."""
    command = [str(_programs() / "pg_dump"), "--inserts", variables["PGDATABASE"]]
    return subprocess.run(command, env={**os.environ, **variables}, check=True, capture_output=True).stdout


def _programs() -> Path:
    """The folder of the newest server's programs."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda program: float(program.parents[1].name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NotBuiltError("PostgreSQL's server is not installed")
    return Path(on_path).resolve().parent


def _owner() -> tuple[str, str] | tuple[int, int]:
    return ("nobody", "nogroup") if os.geteuid() == 0 else (os.geteuid(), os.getegid())


def _run(*argv: object) -> None:
    command = [*(NOBODY if os.geteuid() == 0 else ()), *map(str, argv)]
    # No pipes: the server would inherit them, and they would never end.
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}")
