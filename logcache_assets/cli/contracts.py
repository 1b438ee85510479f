"""`logcache contracts`: computes contracts outside Dagster, from a folder of buckets and a file of index items.

Only what the command reads and writes is here; the computation is engine/, the options are declared in main.py.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.scratch import DriverName, open_driver
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.cli.input_files import open_root, read_index, read_map, read_until
from logcache_assets.cli.output import show_progress, table
from logcache_assets.domain.definitions import DatabaseDefinition, Kind
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.engine.contracts.build_contracts import BuiltContract, ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.drivers.progress import Progress
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.errors import BadInput
from logcache_assets.ports import SegmentIndex, Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The command's files."""

    root: Path
    index: Path
    definitions: Path
    until: Path | None
    log_map: Path | None


def run(  # noqa: PLR0913 - one parameter per option of the command
    inputs: Inputs,
    *,
    out: Path,
    databases: tuple[str, ...],
    kinds: tuple[Kind, ...],
    driver: DriverName,
    pii_key: bytes,
    tell: Tell,
) -> dict[str, object]:
    """Compute the contracts of these databases (all without a choice) into `<out>/<dataset name>/`.

    Nothing is written to out before every contract is computed. A cache that cannot be used is told and left out.

    Returns:
        `{"datasets": [{"dataset", "rows", "path", "files"}], "warnings": [...], "seconds": …}`.

    Raises:
        LogCacheError: malformed input, or a log that is not whole; nothing was written.
    """
    began, warnings = time.monotonic(), list[str]()

    def warn(line: str) -> None:
        warnings.append(line)
        tell(line)

    wanted = select_databases(load_catalog(inputs.definitions), databases)
    index, entries = read_index(inputs.index), read_map(inputs.log_map)
    until = read_until(inputs.until, {*index.instances, *(i for d in wanted for i in d.instances)})
    store = open_root(inputs.root)
    built: list[BuiltContract] = []
    with _published_at_once(out) as staging, open_driver(driver) as running:
        for definition in wanted:
            tell(f"{definition.database}: reading {', '.join(i.name for i in definition.instances)}")
            build = ContractBuild(
                definition=definition,
                sources=_sources(definition, index, until, entries),
                pii_key=pii_key,
                kinds=kinds,
                policy=CachePolicy.FALLBACK,
            )
            show = partial(_show, definition.database)
            built += build_contracts(build, store=store, out=staging, driver=running, warn=warn, progress=show)
    datasets = [
        {
            "dataset": contract.table.dataset,
            "rows": contract.rows,
            "path": str(out / contract.table.dataset),
            "files": len(contract.files),
        }
        for contract in built
    ]
    return {"datasets": datasets, "warnings": warnings, "seconds": round(time.monotonic() - began, 3)}


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
def _published_at_once(out: Path) -> Iterator[Folder]:
    """A folder beside out whose files take their places in out when all are there, and are gone otherwise."""
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        store = FolderObjectStore(beside, SystemClock())
        store.create_bucket("contracts")
    try:
        yield Folder(store, "s3://contracts")
        with _writing(out):
            _publish(beside / "contracts", out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _publish(staging: Path, out: Path) -> None:
    """Files of a former run in the same datasets are replaced, all of them: a folder is one dataset."""
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


def render(result: Mapping[str, object]) -> Iterator[str]:
    """One line per dataset."""
    datasets = cast("list[dict[str, object]]", result["datasets"])
    yield from table(
        ("dataset", "rows", "files", "path"),
        [tuple(d[k] for k in ("dataset", "rows", "files", "path")) for d in datasets],
    )
    yield f"{len(datasets)} contracts in {result['seconds']} s"
