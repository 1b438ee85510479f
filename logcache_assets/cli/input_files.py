"""Reads what is given to commands outside Dagster: a folder of buckets, an index, cut-offs, a map.

All of them are checked before a log is read; errors name file, line and remedy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.adoption import unproven_problem
from logcache_assets.domain.handwritten_map import parse_any_map
from logcache_assets.domain.index_files import find_item_faults
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.json_text import NotJsonError, UnfitJsonError, decode_json
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of, instances_of, unproven_of
from logcache_assets.domain.plain_text import quoted, shortened
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.storage.schemas import END
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.ports import ObjectStore, SegmentIndex
from logcache_assets.settings import load_settings


def open_root(root: Path | str) -> ObjectStore:
    """Open a folder of buckets, or S3 (`s3://`), as an object store; raises WrongUsage if it is neither."""
    if isinstance(root, str):
        if root.rstrip("/") != "s3:":
            raise WrongUsage(f"--root {root} is a place on S3; write `s3://`, because the index names whole URIs")
        from logcache_assets.connect import s3_store  # noqa: PLC0415 - all adapters, 0.1 s, and a folder needs none

        return s3_store(load_settings())
    if not root.is_dir():
        raise WrongUsage(f"--root {root} is no folder; correct the option")
    return FolderObjectStore(root, SystemClock())


def read_index(file: Path, entries: LogCacheMap | None = None) -> SegmentList:
    """Read index items, one JSON object per line, skipping blank lines.

    Args:
        file: the file.
        entries: the caches, which hold what comes before an instance's first item.

    Raises:
        BadInput: a line is malformed, or contradicts the others.
    """
    segments: list[Segment] = []
    keys: dict[tuple[Instance, int], int] = {}
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            segment = parse_index_item(line, where=f"{file}, line {number}")
            before = keys.setdefault((segment.instance, segment.last_t), number)
            if before != number:
                raise BadInput(
                    f"{file}, line {number}: lines {before} and {number} are both {segment.instance.name} with last_t "
                    f"{segment.last_t}, which is the index's key; keep the item that is valid"
                )
            segments.append(segment)
    cached_t = {instance: entry.last_t for instance, entry in instances_of(entries or {})}
    for segment, fault in find_item_faults(segments, cached_t=cached_t):
        raise BadInput(f"{file}, line {keys[segment.instance, segment.last_t]}: {fault}")
    return SegmentList(segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenIndex:
    """The segment index of a command."""

    index: SegmentIndex
    instances: tuple[Instance, ...]
    """Those that a file has; of a table, those that are declared, because nobody lists a table's."""


def open_index(
    given: Path | SegmentTable, *, declared: Iterable[Instance], entries: LogCacheMap | None = None
) -> GivenIndex:
    """Open the index of the option `--index`: a file is read and checked whole, a table is asked for what is needed.

    Args:
        given: the option's value.
        declared: the instances of the definitions.
        entries: as in `read_index`.

    Raises:
        BadInput: as `read_index`.
    """
    if isinstance(given, SegmentTable):
        from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex  # noqa: PLC0415 - only for tables

        return GivenIndex(index=DynamoDbSegmentIndex(given), instances=tuple(sorted(set(declared))))
    read = read_index(given, entries)
    return GivenIndex(index=read, instances=read.instances)


def read_until(file: Path | None, instances: Iterable[Instance]) -> Mapping[str, int]:
    """Read the t of each instance in a file; raises BadInput if it is malformed or names an unknown instance."""
    if file is None:
        return {}
    text = read_text(file)
    try:
        until = decode_json(text, dict[str, msgspec.Raw])
    except UnfitJsonError as error:
        raise BadInput(f'{file}: {error}; write {{"feed-s0": 5449}}, one t per instance') from error
    except NotJsonError as error:
        raise BadInput(f"{file} is not JSON: {error}; correct it") from error
    known = {instance.name for instance in instances}
    for name in until:
        if name not in known:
            raise BadInput(f"{file}: unknown instance {quoted(name)}; instances are {', '.join(sorted(known))}")
    return {name: _t_of(name, value, file) for name, value in until.items()}


def require_reached(
    file: Path | None, until: Mapping[str, int], given: GivenIndex, entries: LogCacheMap | None = None
) -> None:
    """Refuse a t of `read_until` that a log does not reach, most often one of another instance; raises BadInput."""
    named = [instance for instance in given.instances if instance.name in until]
    for instance, newest_t in ask_each(named, given.index.newest_t).items():
        cache = entry_of(entries or {}, instance)
        ends_at = max(newest_t, cache.last_t if cache else 0)
        if until[instance.name] > ends_at:
            raise BadInput(
                f"{file}: t of {instance.name} is {until[instance.name]}, but its log ends at t {ends_at}; "
                "write a t that it has reached"
            )


def _t_of(name: str, value: msgspec.Raw, file: Path) -> int:
    text = bytes(value).decode()
    if not text.isdecimal() or len(text) > len(str(END)) or int(text) >= END:
        raise BadInput(f"{file}: t of {name} is {shortened(text, 40)}; write a whole number such as 5449")
    return int(text)


def read_map(file: Path | None) -> LogCacheMap:
    """Read a log cache map, which is empty if no file is given; raises BadInput for one that proves nothing."""
    entries = {} if file is None else parse_any_map(read_text(file), where=str(file))
    for instance, entry in unproven_of(entries).items():
        raise BadInput(f"{file}: {unproven_problem(instance, entry)}; or leave the map out")
    return entries


def read_text(file: Path) -> str:
    """Read the text of a file; raises BadInput if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}); correct the option or the file") from error
