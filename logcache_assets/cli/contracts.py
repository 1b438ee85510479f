"""`logcache contracts`: computes contracts outside Dagster, from a folder of buckets and a file of index items.

Only what the command reads and writes is here; the computation is engine/, the options are declared in main.py.
"""

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
import polars as pl

from logcache_assets.catalog import load_catalog, select_databases
from logcache_assets.cli.output import table
from logcache_assets.domain.definitions import DatabaseDefinition, Kind
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of, json_place, parse_map
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.contracts import compute_contracts
from logcache_assets.engine.layout import END
from logcache_assets.engine.log import CachePolicy, LogSource, read_facts
from logcache_assets.engine.parquet import FIRST_PART, parquet_bytes
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.local_platform.object_store import LocalObjectStore
from logcache_assets.ports import Tell

Segments = Mapping[Instance, tuple[Segment, ...]]


def run(  # noqa: PLR0913 - one parameter per option of the command
    *,
    root: Path,
    index: Path,
    definitions: Path,
    until: Path | None,
    out: Path,
    log_map: Path | None,
    databases: tuple[str, ...],
    kinds: tuple[Kind, ...],
    pii_key: bytes,
    tell: Tell,
) -> dict[str, object]:
    """Compute the contracts of these databases (all without a choice) into `<out>/<dataset name>/`.

    Nothing is written to out before every contract is computed. A cache that cannot be used is told and left out.

    Returns:
        `{"datasets": [{"dataset", "rows", "path"}], "warnings": [...], "seconds": …}`.

    Raises:
        LogCacheError: malformed input, or a log that is not whole; nothing was written.
    """
    began, warnings = time.monotonic(), list[str]()

    def warn(line: str) -> None:
        warnings.append(line)
        tell(line)

    wanted = select_databases(load_catalog(definitions), databases)
    segments = read_index(index)
    sources = _sources(wanted, segments, _read_until(until, wanted, segments), _read_map(log_map))
    store = LocalObjectStore(_folder(root, "--root"), LocalClock(root / "clock"))

    def facts_of(instance: Instance) -> pl.DataFrame:
        return read_facts(sources[instance], store, policy=CachePolicy.FALLBACK, warn=warn)

    with _published_at_once(out) as staging:
        rows: dict[str, int] = {}
        for definition in wanted:
            tell(f"{definition.database}: reading {', '.join(i.name for i in definition.instances)}")
            facts = {instance: facts_of(instance) for instance in definition.instances}
            for contract in compute_contracts(definition, facts, pii_key=pii_key, kinds=kinds, warn=warn):
                with _writing(out):
                    file = _prepared(staging / contract.table.dataset / FIRST_PART)
                    file.write_bytes(parquet_bytes(contract.frame))
                rows[contract.table.dataset] = len(contract.frame)
    datasets = [{"dataset": name, "rows": n, "path": str(out / name / FIRST_PART)} for name, n in rows.items()]
    return {"datasets": datasets, "warnings": warnings, "seconds": round(time.monotonic() - began, 3)}


def read_index(file: Path) -> Segments:
    """The segments of every instance from JSON lines; blank lines are passed over; raises BadInput."""
    segments: dict[Instance, list[Segment]] = {}
    keys: dict[tuple[Instance, int], int] = {}
    for number, line in enumerate(_text(file).split("\n"), start=1):
        if line.strip():
            segment = parse_index_item(line, where=f"{file}, line {number}")
            before = keys.setdefault((segment.instance, segment.last_t), number)
            if before != number:
                raise BadInput(
                    f"{file}, line {number}: lines {before} and {number} are both {segment.instance.name} with last_t "
                    f"{segment.last_t}, which is the index's key; keep the item that is valid"
                )
            segments.setdefault(segment.instance, []).append(segment)
    return {instance: tuple(found) for instance, found in segments.items()}


def _read_until(file: Path | None, wanted: Iterable[DatabaseDefinition], segments: Segments) -> Mapping[str, int]:
    if file is None:
        return {}
    text = _text(file)
    try:
        until = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise BadInput(f'{file}: {error}; write {{"feed-s0": 5449}}, one t per instance') from error
    except msgspec.DecodeError as error:
        raise BadInput(f"{file} is not JSON: {json_place(text)}; correct it") from error
    known = {i.name for i in segments} | {i.name for d in wanted for i in d.instances}
    for name in until:
        if name not in known:
            raise BadInput(f"{file}: unknown instance {name!r}; instances are {', '.join(sorted(known))}")
    return {name: _t_of(name, value, file) for name, value in until.items()}


def _t_of(name: str, value: msgspec.Raw, file: Path) -> int:
    text = bytes(value).decode()
    if not text.isdecimal() or int(text) >= END:
        raise BadInput(f"{file}: t of {name} is {text[:40]}; write a whole number such as 5449")
    return int(text)


def _read_map(file: Path | None) -> LogCacheMap:
    return {} if file is None else parse_map(_text(file), where=str(file))


def _sources(
    wanted: Iterable[DatabaseDefinition], segments: Segments, until: Mapping[str, int], entries: LogCacheMap
) -> Mapping[Instance, LogSource]:
    return {
        instance: LogSource(
            instance=instance,
            segments=segments.get(instance, ()),
            cache=entry_of(entries, instance),
            until_t=until.get(instance.name),
        )
        for definition in wanted
        for instance in definition.instances
    }


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise BadInput(f"{option} {path} is no folder; correct the option")
    return path


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}); correct the option or the file") from error


@contextmanager
def _published_at_once(out: Path) -> Iterator[Path]:
    """A folder beside out whose files take their places in out when all are there, and are gone otherwise."""
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield staging
        with _writing(out):
            for file in sorted(path for path in staging.rglob("*") if path.is_file()):
                file.replace(_prepared(out / file.relative_to(staging)))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(f"--out {out} cannot be written ({error}); name another folder, or make room") from error


def _prepared(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def render(result: Mapping[str, object]) -> Iterator[str]:
    """One line per dataset."""
    datasets = cast("list[dict[str, object]]", result["datasets"])
    yield from table(("dataset", "rows", "path"), [(d["dataset"], d["rows"], d["path"]) for d in datasets])
    yield f"{len(datasets)} contracts in {result['seconds']} s"
