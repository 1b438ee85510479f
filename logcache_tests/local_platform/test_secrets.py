"""Secrets in the environment stay there: all that a refresh on S3 says, writes and starts is searched for them."""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import build_world
from logcache_assets.settings import child_environment
from logcache_tests.conftest import silent
from logcache_tests.kills.killing import LONGEST_SECONDS, processes_of
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.identities import judged
from logcache_tests.servers.server import Server
from logcache_tests.worlds import settings_at, write_feed_data

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "planted/Secret+of/AWS/4f1d20aa99c7be4a95f1e4c3",
    "AWS_SESSION_TOKEN": "plantedTokenOfAWS//5b1c7be4a9+49ae32bb/c260462233a485bc==",
    "LOGCACHE_PII_KEY": "planted key of personal data 7f00aa11 é",
}
"""Variable → value, with the characters that URLs, JSON and base64 write in another way."""
POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody else on the computer, or a reader of its output, could see of a refresh."""

    exit_code: int
    said: bytes
    command_lines: frozenset[bytes]


def refresh_seen(world: World, variables: Mapping[str, str], *, look: Callable[[bytes], object] = len) -> Seen:
    """Run `logcache refresh` with these variables, and look at the command lines of all its processes.

    Args:
        world: to refresh.
        variables: added to the environment.
        look: is given each command line as soon as it is seen.
    """
    output, lines = world.home.parent / "said.log", set[bytes]()
    program = Path(sys.executable).parent / "logcache"
    environment = {**os.environ, **child_environment(world.settings), **variables}
    with output.open("wb") as sink:
        process = subprocess.Popen([program, "refresh"], env=environment, stdout=sink, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + LONGEST_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            for line in set(command_lines(world.home)) - lines:
                lines.add(line)
                look(line)
            time.sleep(POLL_SECONDS)
        exit_code = process.wait(1)
    return Seen(exit_code=exit_code, said=output.read_bytes(), command_lines=frozenset(lines))


def command_lines(home: Path) -> Iterator[bytes]:
    """The command lines of the processes that work in a world."""
    for pid in processes_of(home):
        with suppress(OSError):
            yield (Path("/proc") / str(pid) / "cmdline").read_bytes()


def written(world: World, server: Server) -> Iterator[tuple[str, bytes]]:
    """Where and what: files of the home, rows of its databases, objects of git, objects of every bucket."""
    for path in sorted(world.home.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), content
            if content.startswith(b"SQLite format 3"):
                yield from ((f"a row of {path}", row) for row in _rows(path))
    command = ["git", "-C", str(world.files.repository), "cat-file", "--batch", "--batch-all-objects"]
    yield "git", subprocess.run(command, check=True, capture_output=True).stdout
    s3 = server.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for item in page.get("Contents", []):
                yield item["Key"], s3.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"].read()


def _rows(path: Path) -> Iterator[bytes]:
    """Every row of every table; a long value is split between the pages of the file, and some are compressed."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of the database's own
                yield repr(row).encode()
                for value in row:
                    with suppress(zlib.error, TypeError):
                        yield zlib.decompress(value)


def forms_of(secret: str) -> set[bytes]:
    """How a secret may be spelled."""
    raw = secret.encode()
    spelled = {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], raw.hex()}
    return {form.encode() for form in spelled} | {base64.b64encode(raw)[:-4]}


def leaks(found: Iterator[tuple[str, bytes]]) -> list[str]:
    """Which secret is where."""
    forms = {name: forms_of(secret) for name, secret in SECRETS.items()}
    return [
        f"{name} in {place}"
        for place, content in found
        for name, spelled in forms.items()
        if any(form in content for form in spelled)
    ]


def places(world: World, server: Server, seen: Seen) -> Iterator[tuple[str, bytes]]:
    """Everything that is searched."""
    yield "what was said", seen.said
    yield from (("a command line", line) for line in seen.command_lines)
    yield from written(world, server)


@pytest.fixture
def on_s3(moto_server: Server, tmp_path: Path) -> World:
    """A small world whose objects lie on S3; the key of personal data is planted."""
    empty_buckets(moto_server)
    write_feed_data(tmp_path / "data")
    settings = settings_at(
        tmp_path / "home",
        store="s3",
        s3_endpoint=moto_server.endpoint_url,
        pii_key=SECRETS["LOGCACHE_PII_KEY"],
        aws_max_attempts="1",
    )
    world = World(settings)
    build_world(world, tmp_path / "data", silent)
    return world


def test_a_refresh_tells_no_secret(on_s3: World, moto_server: Server) -> None:
    """Neither by its output and its processes' command lines, nor in logs, documents, Dagster's storage and git."""
    seen = refresh_seen(on_s3, SECRETS)

    assert (seen.exit_code, b"Pull request:" in seen.said) == (0, True)
    assert any(b"sabesp" in line for line in seen.command_lines)
    assert any(b"export_log.py" in line for line in seen.command_lines)
    assert leaks(places(on_s3, moto_server, seen)) == []


def test_a_refusal_by_s3_tells_no_secret(on_s3: World, moto_server: Server) -> None:
    """Credentials that the server suddenly does not know: its answer, and a failed run's traceback, may repeat them.

    The reason of the run is told, though neither its attempt nor its report can be written or read any more.
    """
    with ExitStack() as until_the_end:

        def judge(line: bytes) -> None:
            if b"export_log.py" in line:
                until_the_end.enter_context(judged(moto_server))

        seen = refresh_seen(on_s3, SECRETS, look=judge)

    assert seen.exit_code == 1
    assert b"AWS does not accept the credentials" in seen.said.splitlines()[-1]
    assert b"/export_request/" in seen.said.splitlines()[-1]
    assert leaks(places(on_s3, moto_server, seen)) == []


def test_a_secret_that_was_written_is_found(on_s3: World, moto_server: Server) -> None:
    """In a file, in a compressed row of a database, and in an object: the search above can fail."""
    (on_s3.home / "some.log").write_text(json.dumps(SECRETS), encoding="utf-8")
    with closing(sqlite3.connect(on_s3.home / "some.db")) as database:
        database.execute("CREATE TABLE t (v BLOB)")
        database.execute("INSERT INTO t VALUES (?)", [zlib.compress(SECRETS["AWS_SESSION_TOKEN"].encode())])
        database.commit()
    bucket = on_s3.settings.permanent_bucket
    signed = quote(SECRETS["AWS_SECRET_ACCESS_KEY"], safe="").encode()
    moto_server.client("s3").put_object(Bucket=bucket, Key="cache/a", Body=signed)

    found = leaks(written(on_s3, moto_server))

    assert [leak.partition(" in ")[0] for leak in found] == [
        "AWS_SESSION_TOKEN",
        *SECRETS,
        "AWS_SECRET_ACCESS_KEY",
    ]
