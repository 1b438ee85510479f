"""Writes down the attempts of a refresh, and reads what an attempt would read, to see whether it has changed.

What an attempt reads is named and digested: the entries of its instances in the active map, their logs up to the
t that was newest then (the index items, and the segments that follow the active caches), the definitions of its
databases, and the rules. Segments that arrive later are no change.
"""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

from msgspec.structs import replace

from logcache_assets.domain.attempts import Attempt, End
from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.contract_definitions import definition_path
from logcache_assets.domain.index_items import render_index_item
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MapEntry, any_entry_of, entry_of
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.errors import LogCacheError, NotYet, Outdated, Unavailable, WrongData
from logcache_assets.ports import (
    Clock,
    ItaipuRepository,
    ObjectNotFoundError,
    ObjectStore,
    PathNotFoundError,
    SegmentIndex,
)
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.inspect_map import BaseMap, read_base_map
from logcache_assets.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The stored attempts of refreshes."""

    store: ObjectStore
    segment_index: SegmentIndex
    repository: ItaipuRepository
    clock: Clock
    settings: Settings

    def read(self, *, transaction: str, selection: str) -> tuple[Attempt, ...]:
        """All attempts at a night and selection, oldest first."""
        prefix = self.settings.locations.attempts(transaction=transaction, selection=selection)
        uris = sorted(item.uri for item in self.store.list_objects(prefix))
        return tuple(Documents(self.store).read(uri, Attempt) for uri in uris)

    def begin(self, instances: Collection[Instance], *, transaction: str, selection: str) -> Attempt:
        """Write down that an attempt at refreshing these instances begins."""
        base = read_base_map(self.repository)
        newest = ask_each(instances, self.segment_index.newest_t)
        read_t = {instance.name: t for instance, t in newest.items()}
        attempt = Attempt(
            transaction=transaction,
            selection=selection,
            number=len(self.read(transaction=transaction, selection=selection)) + 1,
            started_at=self.clock.now(),
            base_sha=base.sha,
            read_t=read_t,
            inputs=self.inputs(instances, base, read_t),
        )
        self._write(attempt)
        return attempt

    def end(
        self, attempt: Attempt, end: End, *, stage: str, reason: str, left_out: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Write down how an attempt ended, and which databases it left out for which reasons."""
        ended_at = self.clock.now()
        self._write(replace(attempt, ended_at=ended_at, end=end, stage=stage, reason=reason, left_out=dict(left_out)))

    def inputs(self, instances: Collection[Instance], base: BaseMap, read_t: Mapping[str, int]) -> dict[str, str]:
        """What an attempt reads → digest.

        Args:
            instances: of the refresh.
            base: the active map.
            read_t: instance → t up to which the index is looked at.
        """
        return dict(self._inputs(instances, base, read_t))

    def _inputs(
        self, instances: Collection[Instance], base: BaseMap, read_t: Mapping[str, int]
    ) -> Iterator[tuple[str, str]]:
        yield f"the rules ({RULES_PATH})", self._file_digest(RULES_PATH, base.sha)
        for path in sorted({definition_path(instance.database) for instance in instances}):
            yield f"the definitions ({path})", self._file_digest(path, base.sha)
        entries = {instance: entry_of(base.entries, instance) for instance in instances}
        logs = ask_each(instances, lambda i: self._log_digest(i, entries[i], read_t.get(i.name, 0)))
        for instance in entries:
            entry = any_entry_of(base.entries, instance)
            yield f"the entry of {instance.name}", sha256_of(canonical_json(entry) if entry else "")
            yield f"the log of {instance.name}", logs[instance]

    def _log_digest(self, instance: Instance, entry: MapEntry | None, until_t: int) -> str:
        """Digest of the index items, and of the etags of the segments that follow the active cache.

        An index that is refused has a digest of its own: the stage that needs the index says what is wrong with it.
        """
        try:
            segments = [found for found in self.segment_index.segments(instance) if found.last_t <= until_t]
            followed = [found.path for found in segments if found.last_t > (entry.last_t if entry else 0)]
            with ThreadPoolExecutor(self.settings.copy_threads) as pool:
                etags = list(pool.map(self._etag, followed))
        except WrongData as error:
            return sha256_of(str(error))
        return sha256_of("\n".join([*map(render_index_item, segments), *etags]))

    def _etag(self, uri: str) -> str:
        try:
            return self.store.head(uri).etag
        except ObjectNotFoundError:
            return "absent"

    def _file_digest(self, path: str, ref: str) -> str:
        try:
            return sha256_of(self.repository.read(path, ref=ref))
        except PathNotFoundError:
            return "absent"

    def _write(self, attempt: Attempt) -> None:
        uri = self.settings.locations.attempt(
            transaction=attempt.transaction, selection=attempt.selection, number=attempt.number
        )
        Documents(self.store).write(uri, attempt)


def end_of(error: BaseException) -> End:
    """How an attempt ends that is stopped by this exception."""
    if isinstance(error, Unavailable):
        return End.UNANSWERED
    if isinstance(error, NotYet):
        return End.NOT_YET
    if isinstance(error, Outdated):
        return End.OUTDATED
    if isinstance(error, LogCacheError):
        return End.REFUSED
    return End.FAILED if isinstance(error, Exception) else End.INTERRUPTED
