"""Datoms by bucket and attribute are the same from memory and from spilled files."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.log.datoms import DatomsInMemory, SpilledDatoms, spill_datoms
from logcache_assets.engine.storage.buckets import WHOLE, Bucket
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.generated import MANY, ONE, InventedLog, datom_rows, invented_logs, log_frame
from logcache_tests.engine.world import OWN_BUCKET, open_store

SCRATCH = f"s3://{OWN_BUCKET}/scratch"
USERS: list[Datom] = [(e, ONE, "x", 5, True) for e in range(100)]


@given(invented_logs(), st.sampled_from([1, 2, 8]), st.sampled_from([1, 2, 8]), st.integers(1, 20))
@settings(max_examples=20)
def test_every_datom_is_in_its_bucket(log: InventedLog, spilled: int, read: int, piece: int) -> None:
    """Each datom is read once, for any number of buckets and of spilled pieces."""
    pieces = [log.datoms[n : n + piece] for n in range(0, len(log.datoms), piece)]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        spills = [
            spill
            for number, datoms in enumerate(pieces)
            for spill in spill_datoms(log_frame(datoms), buckets=spilled, folder_uri=f"{SCRATCH}/{number}", store=store)
        ]

        for datoms in (DatomsInMemory(map(log_frame, pieces)), SpilledDatoms(tuple(spills), store)):
            every, of_attributes = Counter[Datom](), Counter[Datom]()
            for number in range(read):
                bucket = Bucket(number, read)
                found = datoms.every(bucket)
                assert bucket.select(found).equals(found)
                every.update(datom_rows(found))
                for a, frame in datoms.of([ONE, MANY], bucket).items():
                    assert len(frame)
                    assert set(frame["a"]) == {a}
                    of_attributes.update(datom_rows(bucket.select(frame)))
            assert every == Counter(log.datoms)
            assert of_attributes == Counter(datom for datom in log.datoms if datom[1] != 50)


@given(invented_logs(), st.sampled_from([1, 8]), st.sampled_from([1, 2, 8]), st.data())
@settings(max_examples=20)
def test_every_touched_entity_has_its_last_t(log: InventedLog, spilled: int, read: int, data: st.DataObject) -> None:
    """By any datom, or by those of one attribute; up to a t, datoms do not count."""
    after_t = data.draw(st.sampled_from([0, *log.ts]), label="after")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        spills = spill_datoms(log_frame(log.datoms), buckets=spilled, folder_uri=SCRATCH, store=store)

        for datoms in (DatomsInMemory([log_frame(log.datoms)]), SpilledDatoms(spills, store)):
            for attribute in (None, ONE, MANY, MANY + 1):
                found = [
                    datoms.touched(Bucket(n, read), after_t=after_t, attribute=attribute).rows() for n in range(read)
                ]
                newer = [d for d in log.datoms if d[3] > after_t and attribute in {None, d[1]}]
                expected = {e: max(d[3] for d in newer if d[0] == e) for e in {d[0] for d in newer}}
                assert sorted(row for rows in found for row in rows) == sorted(expected.items())


def test_files_of_other_buckets_are_not_opened(store: FolderObjectStore) -> None:
    """A bucket is read alone, so that memory is bounded by one."""
    spills = spill_datoms(log_frame(USERS), buckets=8, folder_uri=SCRATCH, store=store)
    wanted = Bucket(5, 8)
    for spill in spills:
        if spill.bucket != wanted:
            store.path_of(spill.uri).unlink()

    found = SpilledDatoms(spills, store).every(wanted)

    assert sorted(datom_rows(found)) == sorted(datom_rows(wanted.select(log_frame(USERS))))
    assert len(found) > 0


def test_a_bucket_without_datoms_is_empty(store: FolderObjectStore) -> None:
    """A bucket without datoms has no file, and its empty frame keeps its columns."""
    spills = spill_datoms(log_frame(USERS[:1]), buckets=8, folder_uri=SCRATCH, store=store)
    datoms = SpilledDatoms(spills, store)

    empty = next(bucket for bucket in (Bucket(n, 8) for n in range(8)) if bucket != spills[0].bucket)

    assert len(spills) == 1
    assert datoms.every(empty).is_empty()
    assert datoms.every(empty).schema == datoms.every(WHOLE).schema
    assert datoms.of([ONE], empty) == {}
