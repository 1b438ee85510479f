"""A hundred thousand objects copied by `logcache copy` through faults: nothing lost, every loss named, none twice.

    python -m bench.many_objects                     10,000 and 100,000 objects
    python -m bench.many_objects --objects 1000

Needs versitygw (`make servers`). The fault proxy deletes some sources during the copy, refuses requests, loses replies
after their effect, and answers errors with status 200. Peak memory is that of the copying process alone.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.ports import CopyRequest, StoredObject
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.fault_proxy.faults import Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy, fault_proxy
from logcache_tests.servers.server import REGION, ROOT
from logcache_tests.servers.versitygw import versitygw

CONTENTS = 100
"""So many different contents have the objects, so that one in the place of another would be seen."""
CONTENT_BYTES = 2000
FAULTS = Faults(seed=1, slow_down=0.01, dropped_reply=0.005, error_in_200=0.005, vanished=0.001)
MIB = 1 << 20
PROCESS = [str(Path(sys.executable).parent / "logcache"), "copy", "s3://source/f", "s3://target/f"]


@dataclass(frozen=True)
class Ended:
    """How a copy ended."""

    exit_code: int
    told: str
    seconds: float
    peak_bytes: int


def uri_of(number: int) -> str:
    """Where a source lies; folders have a thousand objects, as a night's datasets do."""
    return f"s3://source/f/{number // 1000:03}/part-{number % 1000:03}.parquet"


def fill(proxy: FaultProxy, count: int) -> None:
    """Put so many objects into `source`, of every content as many."""
    empty_buckets(proxy.upstream, "source", "target")
    store = S3ObjectStore(AwsAccess(endpoint_url=proxy.upstream.endpoint_url))
    first = [store.write(uri_of(n), f"{n:03} ".encode() * (CONTENT_BYTES // 4)) for n in range(CONTENTS)]
    copies = (CopyRequest(source=first[n % CONTENTS], destination_uri=uri_of(n)) for n in range(CONTENTS, count))
    made = sum(isinstance(outcome, StoredObject) for outcome in store.copy_all(copies))
    if made != count - CONTENTS:
        raise SystemExit(f"only {made} of {count} sources could be made")


def copied(proxy: FaultProxy, home: Path) -> Ended:
    """Run the command in a process of its own."""
    environment = {
        **os.environ,
        "LOGCACHE_HOME": str(home),
        "LOGCACHE_STORE": "s3",
        "LOGCACHE_CLOCK": "system",
        "LOGCACHE_S3_ENDPOINT": proxy.server.endpoint_url,
    }
    output, began = home.parent / f"{home.name}.log", time.monotonic()
    with output.open("w") as sink:
        pid = os.posix_spawn(
            PROCESS[0],
            PROCESS,
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, sink.fileno(), 1), (os.POSIX_SPAWN_DUP2, sink.fileno(), 2)],
        )
        _, status, usage = os.wait4(pid, 0)
    return Ended(
        os.waitstatus_to_exitcode(status), output.read_text(), time.monotonic() - began, usage.ru_maxrss * 1024
    )


def etags(s3: Any, bucket: str) -> dict[str, str]:  # noqa: ANN401 - clients are made from descriptions
    """Key → etag, which is the MD5 of these objects."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", [])}


def checked(proxy: FaultProxy, ended: Ended, before: dict[str, str]) -> Iterator[str]:
    """What is wrong after a copy through faults; nothing if all is well."""
    s3 = proxy.upstream.client("s3")
    gone = set(before) - set(etags(s3, "source"))
    there = etags(s3, "target")
    lost = set(before) - set(there) - gone
    if lost:
        yield f"{len(lost)} objects are lost"
    if wrong := [key for key, etag in there.items() if before.get(key) != etag]:
        yield f"{len(wrong)} objects are not their source"
    named = re.search(r"is named in (\S+)", ended.told)
    names = {line.split("\t")[0] for line in Path(named[1]).read_text().splitlines()} if named else set()
    if names != {key.removeprefix("f/") for key in gone}:
        yield f"{len(gone)} sources vanished, and {len(names)} are named"
    if ended.exit_code != bool(gone):
        yield f"it ended with {ended.exit_code}: {ended.told[-300:]}"


def measure(proxy: FaultProxy, count: int, folder: Path) -> list[str]:
    """Copy through faults, then once more without; prints figures and returns what is wrong."""
    fill(proxy, count)
    before = etags(proxy.upstream.client("s3"), "source")
    with proxy.injecting(FAULTS):
        ended = copied(proxy, folder / f"home-{count}")
        asked, injected = proxy.operations["CopyObject"], {str(fault): n for fault, n in proxy.injected.items()}
    wrong = list(checked(proxy, ended, before))
    with proxy.injecting(Faults()):
        again = copied(proxy, folder / f"home-{count}")
        if again.exit_code or proxy.operations["CopyObject"]:
            wrong.append(f"the second call ended with {again.exit_code}, {proxy.operations['CopyObject']} copies")
    print(
        f"{count:>8,} objects: {ended.seconds:6.1f} s, {count / ended.seconds:5.0f} objects/s, "
        f"peak {ended.peak_bytes / MIB:4.0f} MiB; {asked:,} copies sent; {injected}; "
        f"again {again.seconds:.1f} s, {again.peak_bytes / MIB:.0f} MiB; {'; '.join(wrong) or 'all is accounted for'}"
    )
    return wrong


def main() -> None:
    """Measure each count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--objects", type=int, nargs="*", default=[10_000, 100_000])
    counts: list[int] = parser.parse_args().objects
    os.environ.update(ROOT.variables, AWS_REGION=REGION)
    with (
        tempfile.TemporaryDirectory() as folder,
        versitygw(Path(folder) / "versitygw") as server,
        fault_proxy(server, honours_if_none_match=True) as proxy,
    ):
        wrong = [problem for count in counts for problem in measure(proxy, count, Path(folder))]
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
