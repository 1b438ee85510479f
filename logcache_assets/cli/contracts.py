"""`logcache contracts`: computes contracts outside Dagster, from a folder of buckets and an index of segments.

This module reads and writes the command's files. engine/ computes contracts; folder_commands.py declares the options.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.owned_folders import make_owned_folder
from logcache_assets.adapters.scratch import DriverName, open_driver
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.cli.input_files import open_index, open_root, read_map, read_until, require_reached
from logcache_assets.cli.output import Result, show_progress, table
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.engine.contracts.build_contracts import BuiltContract, ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.drivers.progress import Progress
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.errors import BadInput
from logcache_assets.ports import SegmentIndex, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that the command reads, by option."""

    root: Path | str
    index: Path | SegmentTable
    definitions: Path
    until: Path | None
    log_map: Path | None


class WrittenContract(Result, frozen=True, kw_only=True):
    """One contract that was computed."""

    dataset: str
    rows: int
    path: str
    """Its folder below `--out`."""
    files: int


class ContractsResult(Result, frozen=True, kw_only=True):
    """All contracts that were computed, in the order of their definitions."""

    datasets: list[WrittenContract]
    warnings: list[str]
    """Caches that could not be used, and why."""
    seconds: float


def run(  # noqa: PLR0913 - one parameter per option of the command
    inputs: Inputs,
    *,
    out: Path,
    databases: tuple[str, ...],
    kinds: tuple[str, ...],
    driver: DriverName,
    pii_key: bytes,
    tell: Tell,
) -> ContractsResult:
    """Compute the contracts of these databases (of all if none is named) into `<out>/<dataset name>/`.

    Nothing is written to out before every contract is computed. If a cache cannot be used, a warning says so and the
    log is read from segments.

    Raises:
        WrongUsage: a database has no definition.
        LogCacheError: input is malformed, or a log is not whole; nothing was written.
    """
    began, warnings = time.monotonic(), list[str]()

    def warn(line: str) -> None:
        warnings.append(line)
        tell(line)

    catalog = load_catalog(inputs.definitions)
    wanted = select_databases(catalog, databases)
    entries = read_map(inputs.log_map)
    declared = [instance for definition in catalog for instance in definition.instances]
    given = open_index(inputs.index, declared=declared, entries=entries)
    until = read_until(inputs.until, {*given.instances, *declared})
    require_reached(inputs.until, until, given, entries)
    store = open_root(inputs.root)
    built: list[BuiltContract] = []
    with _staging_folder(out) as staging, open_driver(driver) as running:
        for definition in wanted:
            tell(f"{definition.database}: reading {', '.join(i.name for i in definition.instances)}")
            build = ContractBuild(
                definition=definition,
                sources=_sources(definition, given.index, until, entries),
                pii_key=pii_key,
                kinds=kinds,
                policy=CachePolicy.FALLBACK,
            )
            show = partial(_show, definition.database)
            built += build_contracts(build, store=store, out=staging, driver=running, warn=warn, progress=show)
    return ContractsResult(
        datasets=[_written(contract, out) for contract in built],
        warnings=warnings,
        seconds=round(time.monotonic() - began, 3),
    )


def _written(contract: BuiltContract, out: Path) -> WrittenContract:
    name = contract.table.dataset
    return WrittenContract(dataset=name, rows=contract.rows, path=str(out / name), files=len(contract.files))


def _show(database: str, progress: Progress) -> None:
    show_progress(f"{database}: {progress}")


def _sources(
    definition: DatabaseDefinition, index: SegmentIndex, until: Mapping[str, int], entries: LogCacheMap
) -> tuple[LogSource, ...]:
    return tuple(
        LogSource(
            instance=instance,
            index=index,
            cache=entry_of(entries, instance),
            until_t=until.get(instance.name),
        )
        for instance in definition.instances
    )


@contextmanager
def _staging_folder(out: Path) -> Iterator[Folder]:
    """Yield a folder beside out, whose files are moved into out if the block succeeds, and removed otherwise."""
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = make_owned_folder(out.parent, f".{out.name}")
        store = FolderObjectStore(staging.path, SystemClock())
        store.create_bucket("contracts")
    try:
        yield Folder(store, "s3://contracts")
        with _writing(out):
            _publish(staging.path / "contracts", out)
    finally:
        staging.remove()


def _publish(staging: Path, out: Path) -> None:
    """Move the files into out, and remove files of earlier runs from the same folders: a folder is one dataset."""
    files = sorted(path for path in staging.rglob("*") if path.is_file())
    for folder in sorted({file.parent for file in files}):
        for former in (out / folder.relative_to(staging)).glob("*.parquet"):
            former.unlink()
    for file in files:
        place = out / file.relative_to(staging)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(f"--out {out} cannot be written ({error}); name another folder, or make room") from error


def render(result: ContractsResult) -> Iterator[str]:
    """One line per dataset, then their number."""
    rows = [(d.dataset, d.rows, d.files, d.path) for d in result.datasets]
    yield from table(("dataset", "rows", "files", "path"), rows)
    yield f"{len(result.datasets)} contracts in {result.seconds} s"
