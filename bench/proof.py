"""Measures what proofs cost: the export notebook's comparison with segments, and the checksums of a cache that is read.

`python bench/proof.py` prints a table of one run, in CPU seconds. The generated bank's own log up to the end is the
night; its cache, 2 % of the datoms before, is the active one.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bank import Bank
from contenders import WORKLOADS, command_of
from generate import Size
from measure import measure

from logcache_assets.adapters.scratch import local_driver
from logcache_assets.cli.input_files import open_root, read_index, read_map
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry, instances_of
from logcache_assets.domain.log_documents import InstanceRequest
from logcache_assets.domain.log_ranges import RequestedSegment, plan_comparison
from logcache_assets.domain.unproven import find_unproven
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.log.proven_files import open_proven, read_manifest
from logcache_assets.engine.raw.build_raw import RawBuild, build_raw
from logcache_assets.engine.raw.prove_logs import prove_logs
from logcache_assets.engine.storage.parquet import list_parquet
from logcache_assets.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class Night:
    """The raw datasets of one instance, and what they are compared with."""

    instance: Instance
    out: Folder
    delta: tuple[RequestedSegment, ...]
    """All segments, with the sums of the active cache's manifest."""
    every: tuple[RequestedSegment, ...]
    """All segments, without them."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, value in (("datoms", 2_000_000), ("instances", 2), ("segments", 200)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    size = Size(datoms=options.datoms, instances=options.instances, segments=options.segments, delta=0.02)
    with tempfile.TemporaryDirectory(prefix="bench-proof-") as scratch:
        bank = Bank(Path(scratch) / "bank")
        bank.prepare(size)
        print("\n".join(measure_proofs(bank)))


def measure_proofs(bank: Bank) -> Iterator[str]:
    """Yield the lines of the table."""
    store = open_root(bank.folder / "buckets")
    with local_driver() as driver:
        nights = [_night(bank, instance, store, driver) for instance in _caches(bank)]
        ways: dict[str, Callable[[Night], tuple[RequestedSegment, ...]]] = {
            "both raw datasets described, compared with nothing": lambda _: (),
            "compared with the segments after the active cache": lambda night: night.delta,
            "compared with all segments": lambda night: night.every,
        }
        first = 0.0
        yield "| the notebook's work | CPU s | of the first |"
        yield "|---|--:|--:|"
        for title, segments_of in ways.items():
            cost = _cpu_seconds(partial(_describe, nights, segments_of, store, driver))
            first = first or cost
            yield f"| {title} | {cost:.2f} | {cost / first:.2f} |"
    yield ""
    yield from _checksums(bank, store)


def _caches(bank: Bank) -> Mapping[Instance, MapEntry]:
    return dict(instances_of(read_map(bank.map_file)))


def _night(bank: Bank, instance: Instance, store: ObjectStore, driver: Driver) -> Night:
    """Write the raw datasets that a night after the cache would write."""
    entry, index = _caches(bank)[instance], read_index(bank.folder / "index.jsonl")
    out = Folder(store, f"{entry.log.removesuffix('/log')}-night")
    source = LogSource(instance=instance, index=index, cache=entry)
    build = RawBuild(source=source, log=out.at("log"), entities=out.at("entities"))
    build_raw(build, store=store, driver=driver, warn=print)
    segments, proven = index.segments(instance), read_manifest(instance, entry, store).ranges
    return Night(instance, out, plan_comparison(segments, proven), plan_comparison(segments, ()))


def _describe(
    nights: Sequence[Night],
    segments_of: Callable[[Night], tuple[RequestedSegment, ...]],
    store: ObjectStore,
    driver: Driver,
) -> None:
    """Do the notebook's work; what was compared must be equal."""
    wanted = [
        InstanceRequest(
            instance=night.instance.name,
            log=night.out.at("log").uri,
            materialized_entities=night.out.at("entities").uri,
            segments=segments_of(night),
        )
        for night in nights
    ]
    for logs in prove_logs(wanted, store=store, driver=driver, tell=lambda _: None):
        if logs.ranges and (problems := list(find_unproven(logs, source_read_at=datetime.max.replace(tzinfo=UTC)))):
            raise SystemExit(f"the generated log is not proven: {problems[0]}")


def _checksums(bank: Bank, store: ObjectStore) -> Iterator[str]:
    """Lines about entity contracts from the cache: how much of their time is spent on verifying its files."""
    out = bank.folder / "out"
    whole = measure(command_of("ours", WORKLOADS["entity-cache"], bank, out / "contracts"), folder=out).cpu_seconds
    files = [
        (open_proven(instance, entry, read_manifest(instance, entry, store).materialized_entities, store), uri)
        for instance, entry in _caches(bank).items()
        for uri in list_parquet(entry.materialized_entities, store)
        if "/open-" in uri
    ]
    spent = sum(_cpu_seconds(partial(proven.verified, uri, store)) for proven, uri in files)
    yield "| entity contracts, cache + delta | CPU s |"
    yield "|---|--:|"
    yield f"| the whole command | {whole:.2f} |"
    yield f"| verifying the files that it reads | {spent:.2f} ({spent / whole:.1%}) |"


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
