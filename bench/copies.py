"""Copies of objects inside S3, by us and by the programs that people use, each into a fresh bucket and verified.

    python bench/copies.py                  2,000 objects of 20 kB and 20 of 64 MB, at 0 and 60 ms
    python bench/copies.py --small          a tenth of it

The server is versitygw, which `make servers` builds. A relay in a process of its own delays what the server answers.
Every contender is a whole process; ours is `logcache copy`, so its time includes its start and the proof of each copy.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from far_server import REGION, Server, delayed, empty_buckets, versitygw

PROGRAMS = Path(sys.executable).parent
PREFIXES = 50
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The objects of one table."""

    objects: int
    size_bytes: int

    def __str__(self) -> str:
        size = f"{self.size_bytes // MEGABYTE} MB" if self.size_bytes >= MEGABYTE else f"{self.size_bytes // 1000} kB"
        return f"{self.objects:,} objects of {size}"

    @property
    def keys(self) -> Iterator[str]:
        """The keys, spread over folders as a night's datasets are."""
        return (f"raw/p{n % PREFIXES:02}/part-{n:05}.parquet" for n in range(self.objects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way to copy s3://source/raw/ to s3://target/raw/."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one contender needed."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    wrong: int
    """Objects that are missing or have another size or etag."""


def contenders(server: Server, home: Path, *, runbook: bool) -> Iterator[Contender]:
    """Ours and the others, against a server."""
    url = server.endpoint_url
    aws = {**server.credentials.variables, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    cp = [str(PROGRAMS / "aws"), "--endpoint-url", url, "s3", "cp", "--only-show-errors", "--recursive"]
    if runbook:
        each = " ".join([*cp, "s3://source/raw/{}", "s3://target/raw/{}"])
        names = " ".join(f"p{n:02}" for n in range(PREFIXES))
        script = f"echo {names} | tr ' ' '\\n' | xargs -P 10 -I{{}} {each}"
        yield Contender(name="the runbook: xargs -P 10 aws s3 cp", argv=["sh", "-c", script], environment=aws)
    yield Contender(name="aws s3 cp", argv=[*cp, "s3://source/raw/", "s3://target/raw/"], environment=aws)
    rclone = {
        "RCLONE_CONFIG_X_TYPE": "s3",
        "RCLONE_CONFIG_X_PROVIDER": "Other",
        "RCLONE_CONFIG_X_ENDPOINT": url,
        "RCLONE_CONFIG_X_ENV_AUTH": "true",
        "RCLONE_CONFIG_X_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG": str(home / "rclone.conf"),
    }
    at_once = ["--transfers", "64", "--checkers", "64", "--s3-no-check-bucket"]
    argv = [str(PROGRAMS / "rclone"), "copy", *at_once, "x:source/raw", "x:target/raw"]
    yield Contender(name="rclone, 64 transfers", argv=argv, environment=aws | rclone)
    for workers in (64, 256):
        argv = [str(PROGRAMS / "s5cmd"), "--endpoint-url", url, "--numworkers", str(workers), "--log", "error", "cp"]
        argv += ["s3://source/raw/*", "s3://target/raw/"]
        yield Contender(name=f"s5cmd, {workers} workers", argv=argv, environment=aws)
    ours = {
        "LOGCACHE_STORE": "s3",
        "LOGCACHE_CLOCK": "system",
        "LOGCACHE_S3_ENDPOINT": url,
        "LOGCACHE_HOME": str(home),
    }
    argv = [str(PROGRAMS / "logcache"), "copy", "s3://source/raw", "s3://target/raw"]
    yield Contender(name="logcache copy, verified", argv=argv, environment=aws | ours)


def fill(server: Server, load: Load) -> None:
    """Put the objects into the bucket `source`."""
    client, content = server.client("s3", max_pool_connections=16), os.urandom(load.size_bytes)

    def put(key: str) -> None:
        own = key.encode().ljust(64)
        client.put_object(Bucket="source", Key=key, Body=own + content[len(own) :])

    with ThreadPoolExecutor(8 if load.size_bytes < MEGABYTE else 2) as pool:
        list(pool.map(put, load.keys))


def listing(server: Server, bucket: str) -> dict[str, tuple[int, str]]:
    """Key → size and etag."""
    pages = server.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    found: list[Mapping[str, Any]] = [item for page in pages for item in page.get("Contents", [])]
    return {item["Key"]: (item["Size"], item["ETag"]) for item in found}


def run(contender: Contender, server: Server) -> Run:
    """Let one contender copy into a fresh bucket, and compare what it left with the source."""
    client = server.client("s3")
    for key in listing(server, "target"):
        client.delete_object(Bucket="target", Key=key)
    client.delete_bucket(Bucket="target")
    client.create_bucket(Bucket="target")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        contender.argv, env={**environment, **contender.environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = process.communicate()
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        print(f"{contender.name} ended with {process.returncode}: {said.decode()[-500:]}")
    source, target = listing(server, "source"), listing(server, "target")
    sizes = sum(target.get(key, (None,))[0] != size for key, (size, _) in source.items())
    return Run(
        name=contender.name,
        seconds=seconds,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak_mb=after.ru_maxrss / 1000,
        wrong=sizes + len(target.keys() - source.keys()),
    )


def table(load: Load, latency_ms: int, runs: Sequence[Run]) -> Iterator[str]:
    """The runs as a Markdown table, each beside ours."""
    ours = runs[-1]
    yield f"{load}, {latency_ms} ms"
    yield ""
    yield "| | objects/s | seconds | seconds / ours | CPU ms per object | wrong |"
    yield "|---|--:|--:|--:|--:|--:|"
    for each in runs:
        rate, ratio = load.objects / each.seconds, each.seconds / ours.seconds
        cpu = 1000 * each.cpu_seconds / load.objects
        yield f"| {each.name} | {rate:,.0f} | {each.seconds:.1f} | {ratio:.2f} | {cpu:.2f} | {each.wrong} |"
    yield ""


def main() -> None:
    """Run all contenders on all loads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a tenth of the objects")
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 60], help="milliseconds of each answer")
    parser.add_argument("--no-runbook", action="store_true", help="leave the slowest out")
    options = parser.parse_args()
    part = 10 if options.small else 1
    loads = (Load(objects=2000 // part, size_bytes=20_000), Load(objects=20 // part, size_bytes=64 * MEGABYTE))
    for load in loads:
        with ExitStack() as until_the_end:
            folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd())))
            server = until_the_end.enter_context(versitygw(folder))
            empty_buckets(server, "source", "target")
            fill(server, load)
            for latency_ms in options.latency:
                with delayed(server, latency_ms, folder) as far:
                    ways = contenders(far, folder, runbook=not options.no_runbook)
                    runs = [run(way, server) for way in ways if "copy" not in way.name or clear(folder)]
                print("\n".join(table(load, latency_ms, runs)), flush=True)


def clear(home: Path) -> bool:
    """Remove the ledgers of earlier copies; true, for a condition."""
    for ledger in (home / "copies").glob("*"):
        ledger.unlink()
    return True


if __name__ == "__main__":
    main()
