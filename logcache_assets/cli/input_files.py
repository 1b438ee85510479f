"""Reads the files that are given to commands outside Dagster: a folder of buckets, index items, cut-offs, a map.

All of them are checked before a log is read; errors name file, line and remedy.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.domain.index_files import find_item_faults
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.json_text import NotJsonError, UnfitJsonError, decode_json
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of, instances_of, parse_map
from logcache_assets.domain.plain_text import quoted, shortened
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.storage.schemas import END
from logcache_assets.errors import BadInput, WrongUsage


def open_root(root: Path) -> FolderObjectStore:
    """Open a folder of buckets as an object store; raises WrongUsage if it is no folder."""
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
    file: Path | None, until: Mapping[str, int], index: SegmentList, entries: LogCacheMap | None = None
) -> None:
    """Refuse a t of `read_until` that a log does not reach, most often one of another instance; raises BadInput."""
    for instance in index.instances:
        cache = entry_of(entries or {}, instance)
        ends_at = max(index.newest_t(instance), cache.last_t if cache else 0)
        if until.get(instance.name, 0) > ends_at:
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
    """Read a log cache map, which is empty if no file is given; raises BadInput if it is malformed."""
    return {} if file is None else parse_map(read_text(file), where=str(file))


def read_text(file: Path) -> str:
    """Read the text of a file; raises BadInput if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read ({error}); correct the option or the file") from error
