"""What a driver sends to Spark's workers: sources, deltas and tasks work in another process, with either index."""

import pickle
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from subprocess import run

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.segment_list import SegmentList
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.log.log_op import LogSource, ask_index, plan_delta
from logcache_assets.engine.log.open_logs import SpillTask
from logcache_assets.local_platform.segment_index import LocalSegmentIndex
from logcache_assets.ports import SegmentIndex
from logcache_tests.engine.generated import INSTANCE, datom_rows, segments_in, small_log, source_of, write_segments
from logcache_tests.engine.world import OWN_BUCKET, refuse_warning, strict_log, write_cache

READ_THERE = """
import pickle, sys
from logcache_assets.engine.log.log_op import CachePolicy, read_log
source, delta, task, store = pickle.load(sys.stdin.buffer)
log = read_log(source, store, policy=CachePolicy.STRICT, warn=print)
answer = log, delta.read(delta.chain, store), task.run()
sys.stdout.buffer.write(pickle.dumps(answer))
"""


def sqlite_index(folder: Path, segments: Iterable[Segment]) -> SegmentIndex:
    """In a file that both processes see."""
    index = LocalSegmentIndex(folder / "index.sqlite")
    index.put(segments)
    return index


def listed_index(_: Path, segments: Iterable[Segment]) -> SegmentIndex:
    """Sent with the source."""
    return SegmentList(segments)


@pytest.mark.parametrize("make_index", [sqlite_index, listed_index])
def test_a_source_and_its_delta_are_read_in_another_process(
    make_index: Callable[[Path, Iterable[Segment]], SegmentIndex], tmp_path: Path, store: FolderObjectStore
) -> None:
    """The log, the newer datoms and their spill are those that this process reads."""
    alone = source_of(*write_segments(small_log().datoms, (10, 20, 30), store))
    cache = write_cache(alone, store, folder="cache", last_t=10)
    source = LogSource(instance=INSTANCE, index=make_index(tmp_path, segments_in(alone)), cache=cache)
    delta = plan_delta(ask_index(source), warn=refuse_warning)
    task = SpillTask(delta, delta.chain, 1, store, Folder(store, f"s3://{OWN_BUCKET}/spill"))

    sent = pickle.dumps((source, delta, task, store))
    answer = run([sys.executable, "-c", READ_THERE], input=sent, capture_output=True, check=True)
    log, newer, (instance, count, spills) = pickle.loads(answer.stdout)  # noqa: S301 - sent by ourselves

    assert datom_rows(log) == datom_rows(strict_log(replace(source, cache=None), store)) == small_log().datoms
    assert datom_rows(newer) == datom_rows(delta.read(delta.chain, store))
    assert (instance, count, len(spills)) == (INSTANCE, len(newer), 1)
    assert store.read(spills[0].uri)
