"""Copies the objects of a folder into another one, proves every copy, and never overwrites.

The order makes it safe: list the source and freeze it, list the destination, copy exactly the listed versions, list the
destination again and compare it with the copies' answers. Whoever calls writes a manifest last.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from logcache_assets.domain.copying import Bytes, Difference, Fate, fate_of
from logcache_assets.domain.data_files import is_data_file
from logcache_assets.domain.problems import Problem
from logcache_assets.errors import LogCacheError, Refused, Unavailable
from logcache_assets.ports import (
    Clock,
    CopyRequest,
    FailedCopy,
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreUnavailable,
    StoredObject,
)
from logcache_assets.refresh.copying.copy_meter import CopyMeter, OnProgress, ignore
from logcache_assets.refresh.copying.found_object import FoundObject
from logcache_assets.refresh.copying.ledger import Entry, Inventory, Ledger
from logcache_assets.refresh.file_proofs import expiry_of, pin

REMOVE = "nothing is overwritten: find out who wrote it, remove it and copy again"
_NOTED_AT_ONCE = 200
_PASSES = 2
_PAUSE_SECONDS = 2.0
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCopy:
    """One copy of a folder; its steps are called in their order, or all by `run`."""

    store: ObjectStore
    clock: Clock
    ledger: Ledger
    source: str
    """Folder, with a slash at its end."""
    destination: str
    """Folder, with a slash at its end."""
    data_only: bool = True
    """Whether only data files are copied (domain/data_files.py), or everything."""
    again: str = "copy again"
    """What to do when the source is no longer what it was, for messages."""
    asked_at_once: int = 10
    """How many objects are asked for at once."""
    progress: OnProgress = ignore

    def run(self) -> None:
        """Freeze, compare, copy and prove; raises what these raise."""
        self.freeze()
        self.compare()
        self.copy_missing()
        self.prove()

    def freeze(self) -> Inventory:
        """List the source, which is the copy's contract from now on.

        Raises:
            Refused: nothing lies there.
        """
        lifecycle = self.store.lifecycle(self.source.split("/")[2])
        listed = ((name, item, expiry_of(item, lifecycle)) for name, item in self._listed(self.source))
        self.ledger.freeze(listed)
        inventory = self.ledger.inventory()
        if not inventory.objects:
            raise _refused(f"no object lies at {self.source}: nothing was copied", remedy="correct the folder")
        return inventory

    def compare(self) -> None:
        """List the destination before the first copy, and prove what an earlier attempt left there.

        Raises:
            Refused: something else lies there.
        """
        wrong: list[Difference] = []
        listed = self._found()
        self.ledger.begin_listing()
        while batch := list(islice(listed, _NOTED_AT_ONCE)):
            self.ledger.note_listed(found.name for found in batch)
            unknown = [f for f in batch if f.entry is None or f.entry.copy_etag != f.item.etag]
            looked = self._in_parallel(self._look, unknown) if unknown else []
            self.ledger.prove((each.found.name, each.copy) for each in looked if each.copy is not None)
            wrong += [each.found.difference(each.fate) for each in looked if each.copy is None]
        self.ledger.forget_unlisted()
        if wrong:
            raise self._conflict(wrong)

    def look(self) -> None:
        """Note what seems to be there already, by names and sizes alone, for an estimate before a copy."""
        there = ((f.name, f.item) for f in self._found() if f.entry and f.entry.size_bytes == f.item.size_bytes)
        while batch := list(islice(there, _NOTED_AT_ONCE)):
            self.ledger.prove(batch)

    def _found(self) -> Iterator[FoundObject]:
        for name, item in self._listed(self.destination):
            yield FoundObject(name, item, self.ledger.find(name))

    def _look(self, found: FoundObject) -> "_Looked":
        """Compare an object at the destination with its source, by the checksums that HEAD tells."""
        entry, item = found.entry, found.item
        if entry is None or entry.size_bytes != item.size_bytes:
            return _Looked(found, Fate.FOREIGN if entry is None else Fate.CONFLICTING, None)
        source, copy = self._head_source(entry), self.store.head(item.uri)
        fate = fate_of(source=_bytes(source), destination=_bytes(copy))
        return _Looked(found, fate, copy if fate is Fate.PRESENT else None)

    def _head_source(self, entry: Entry) -> StoredObject:
        listed = entry.listed_at(self.source)
        source = self.store.head(listed.uri)
        if pin(source) != pin(listed):
            raise _refused(f"{listed.uri} changed after it was listed: nothing more was copied", remedy=self.again)
        return source

    def copy_missing(self) -> None:
        """Copy what has no copy yet, those first that expire first; what could not be answered is tried twice.

        Raises:
            Refused: sources vanished, changed or expire, or S3 refuses; all others were copied.
            ObjectStoreUnavailable: some could not be copied now.
        """
        meter = CopyMeter(self.ledger.inventory(missing_only=True), self.progress)
        refused: list[tuple[str, LogCacheError]] = []
        for number in range(_PASSES):
            if number:
                time.sleep(_PAUSE_SECONDS)
            failed = list(self._pass(meter, skip={name for name, _ in refused}))
            refused += [(name, error) for name, error in failed if not isinstance(error, Unavailable)]
            waiting = [(name, error) for name, error in failed if isinstance(error, Unavailable)]
            if not waiting:
                break
        self.ledger.fail((name, str(error)) for name, error in refused + waiting)
        if refused or waiting:
            raise self._failure([error for _, error in refused], [error for _, error in waiting])
        meter.tell()

    def _pass(self, meter: CopyMeter, *, skip: set[str]) -> Iterator[tuple[str, LogCacheError]]:
        """Copy what is missing once; yields what failed. After a denial nothing more is sent, and it is raised."""
        noted: list[tuple[str, StoredObject]] = []
        denials: list[LogCacheError] = []
        for outcome in self.store.copy_all(self._requests(skip, denials)):
            if isinstance(outcome, FailedCopy):
                if isinstance(outcome.error, Unavailable) and not outcome.error.is_passing:
                    denials.append(outcome.error)
                yield outcome.request.destination_uri.removeprefix(self.destination), outcome.error
                continue
            noted.append((outcome.uri.removeprefix(self.destination), outcome))
            meter.add(outcome.size_bytes)
            if len(noted) >= _NOTED_AT_ONCE:
                self.ledger.prove(noted)
                noted = []
        self.ledger.prove(noted)
        if denials:
            raise denials[0]

    def _requests(self, skip: set[str], denials: Sequence[LogCacheError]) -> Iterator[CopyRequest]:
        """What is missing, until somebody is denied: all others would be, too."""
        for batch in self.ledger.missing():
            self._require_time(batch)
            for entry in batch:
                if denials:
                    return
                if entry.name not in skip:
                    yield CopyRequest(
                        source=entry.listed_at(self.source), destination_uri=self.destination + entry.name
                    )

    def _require_time(self, batch: tuple[Entry, ...]) -> None:
        """Stop when the sources that expire first are deleted any moment now (C12)."""
        first = batch[0].expires_at
        if first is not None and first <= self.clock.now():
            problem = f"{self.source}{batch[0].name} expired at {first:%Y-%m-%d %H:%M} UTC, during the copy"
            raise Refused.of(Problem(code="C12", found=(problem,), remedy="refresh from a newer nightly transaction"))

    def _failure(self, refused: list[LogCacheError], waiting: list[LogCacheError]) -> LogCacheError:
        failed, total = len(refused) + len(waiting), self.ledger.inventory().objects
        kind = Refused if refused else ObjectStoreUnavailable
        gone = sum(isinstance(error, ObjectNotFoundError) for error in refused)
        more = f"; {gone} of them vanished from the source: {self.again}" if gone else ""
        return kind(f"{failed} of {total} files were not copied, first: {(refused or waiting)[0]}{more}")

    def prove(self) -> None:
        """Compare one listing of the destination with the answers of the copies: nothing else, nothing less.

        Raises:
            Refused: an object there is not the copy, has no checksum, or is missing.
        """
        wrong, there = [], 0
        for found in self._found():
            there += found.entry is not None
            if not found.is_the_copy:
                wrong.append(found.difference(Fate.FOREIGN if found.entry is None else Fate.CONFLICTING))
        if there < self.ledger.inventory().objects:
            wrong.append(self._first_absent())
        if wrong:
            raise self._conflict(wrong)
        self._require_checksums()

    def _first_absent(self) -> Difference:
        there = {name for name, _ in self._listed(self.destination)}
        entry = next(entry for entry in self.ledger.entries() if entry.name not in there)
        return Difference(entry.name, Fate.MISSING, entry.size_bytes, None)

    def _require_checksums(self) -> None:
        """Every copy has a checksum; where etags differ, as those of objects in parts do, its source has the same."""
        differing = (entry for entry in self._with_checksums() if entry.copy_etag != entry.etag)
        while batch := list(islice(differing, _NOTED_AT_ONCE)):
            for entry, checksum in zip(batch, self._in_parallel(self._source_checksum, batch), strict=True):
                if checksum not in {None, entry.copy_checksum}:
                    wrong = Difference(entry.name, Fate.CONFLICTING, entry.size_bytes, entry.size_bytes)
                    raise self._conflict([wrong])

    def _with_checksums(self) -> Iterator[Entry]:
        for entry in self.ledger.entries():
            if entry.copy_checksum is None or entry.copy_bytes != entry.size_bytes:
                found = f"{entry.copy_bytes} of {entry.size_bytes} bytes, checksum {entry.copy_checksum or 'missing'}"
                problem = f"the copy of {self.destination}{entry.name} is not proven ({found})"
                raise _refused(problem, remedy=REMOVE)
            yield entry

    def _source_checksum(self, entry: Entry) -> str | None:
        """The checksum of a source, if it is still there and the store keeps one."""
        try:
            source = self.store.head(self.source + entry.name)
        except ObjectNotFoundError:
            return None
        return source.checksum if source.etag == entry.etag else None

    def _in_parallel(self, ask: Callable[[T], R], asked: Iterable[T]) -> list[R]:
        with ThreadPoolExecutor(self.asked_at_once) as pool:
            return list(pool.map(ask, asked))

    def _listed(self, folder: str) -> Iterator[tuple[str, StoredObject]]:
        for item in self.store.list_objects(folder):
            name = item.uri.removeprefix(folder)
            if not self.data_only or is_data_file(name, item.size_bytes):
                yield name, item

    def _conflict(self, wrong: list[Difference]) -> Refused:
        """The refusal of a destination that differs from its source; it names the first object that differs."""
        first = min(wrong, key=lambda difference: difference.name)
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        place = f"{self.destination}{first.name}"
        if first.fate is not Fate.UNPROVEN:
            return _refused(f"{place} is not what was copied: {first}{more}", remedy=REMOVE)
        problem = (
            f"{place} exists already and cannot be compared with its source, because their etags differ and the store "
            f"keeps no checksum of one of them{more}"
        )
        return _refused(problem, remedy=REMOVE)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look at both sides showed; `copy` if they hold the same bytes."""

    found: FoundObject
    fate: Fate
    copy: StoredObject | None


def _bytes(item: StoredObject) -> Bytes:
    return Bytes(item.size_bytes, item.checksum, item.etag)


def _refused(problem: str, *, remedy: str) -> Refused:
    return Refused.of(Problem(code="C13", found=(problem,), remedy=remedy))
