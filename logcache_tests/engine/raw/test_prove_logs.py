"""A night's raw datasets beside the segments: every attempt to pass off another log, or other entities, is found."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.log_documents import InstanceRequest, RawLogs
from logcache_assets.domain.log_ranges import plan_comparison, prove_ranges
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.unproven import find_unproven
from logcache_assets.engine.raw.prove_logs import prove_logs
from logcache_assets.engine.storage.parquet import write_part
from logcache_tests.conftest import silent
from logcache_tests.engine.generated import datom_rows, write_segment
from logcache_tests.engine.world import (
    FEED_S0,
    OWN_BUCKET,
    cut_off,
    driver_in,
    segments_of,
    source_at,
    strict_log,
    write_cache,
)

LOG = f"s3://{OWN_BUCKET}/cache/feed-s0/log"
ENTITIES = f"s3://{OWN_BUCKET}/cache/feed-s0/materialized-entities"
OPEN = f"{ENTITIES}/open-00000-of-00001.parquet"
LATE = datetime(2018, 6, 1, tzinfo=UTC)
MIDDLE = 10_000
"""A row in the middle of the log."""

Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture
def night(store: FolderObjectStore) -> FolderObjectStore:
    """A store with the raw datasets that a night wrote for feed-s0."""
    source = source_at(FEED_S0, "night")
    write_cache(source, store, folder="cache", last_t=source.until_t or 0)
    return store


def described(store: FolderObjectStore, segments: Sequence[Segment] = (), vouched: RawLogs | None = None) -> RawLogs:
    """What the notebook finds, compared with these segments, by default those of the demo."""
    request = InstanceRequest(
        instance="feed-s0",
        log=LOG,
        materialized_entities=ENTITIES,
        segments=plan_comparison(segments or segments_of(FEED_S0), prove_ranges(vouched.ranges) if vouched else ()),
    )
    (logs,) = prove_logs([request], store=store, driver=driver_in(store), tell=silent)
    return logs


def change(store: FolderObjectStore, uri: str, how: Change) -> None:
    """Write a Parquet file again, with other rows."""
    path = store.path_of(uri)
    how(pl.read_parquet(path)).write_parquet(path)


def change_log(store: FolderObjectStore, how: Change) -> None:
    """Write the night's log with other rows."""
    change(store, f"{LOG}/part-00000.parquet", how)


def problems_of(logs: RawLogs) -> str:
    """What is not proven, as one text."""
    return "; ".join(map(str, find_unproven(logs, source_read_at=LATE)))


def in_row(number: int, **columns: pl.Expr) -> Change:
    """Change some columns of one row."""

    def how(frame: pl.DataFrame) -> pl.DataFrame:
        is_row = pl.int_range(pl.len()) == number
        return frame.with_columns(
            pl.when(is_row).then(wanted).otherwise(pl.col(name)).alias(name) for name, wanted in columns.items()
        )

    return how


def without(first: int, rows: int = 1) -> Change:
    """Leave out some rows."""
    return lambda frame: pl.concat([frame[:first], frame[first + rows :]])


def test_a_sound_night_is_proven_range_by_range(night: FolderObjectStore) -> None:
    """Every segment up to the night is compared, the sums of the log and of its entities are one."""
    logs = described(night)

    chain = [s for s in segments_of(FEED_S0) if s.last_batch_t < logs.log.last_t]
    assert [(r.segment, r.last_batch_t, r.last_t) for r in logs.ranges] == [
        (s.path, s.last_batch_t, s.last_t) for s in sorted(chain, key=lambda s: s.last_t)
    ]
    assert sum(r.log.datoms for r in logs.ranges) == logs.log.rows
    assert logs.log.fingerprint == logs.materialized_entities.fingerprint
    assert problems_of(logs) == ""


@pytest.mark.parametrize(
    ("how", "missing", "extra"),
    [
        pytest.param(without(MIDDLE), 1, 0, id="one datom is lost"),
        pytest.param(in_row(MIDDLE, v=pl.col("v") + "x"), 1, 1, id="one text is altered"),
        pytest.param(in_row(MIDDLE, e=pl.col("e") + 1), 1, 1, id="one datom is another entity's"),
        pytest.param(in_row(MIDDLE, added=~pl.col("added")), 1, 1, id="one assertion is a retraction"),
        pytest.param(lambda log: pl.concat([log, log[MIDDLE : MIDDLE + 1]]), 0, 1, id="one datom is doubled"),
    ],
)
def test_one_wrong_datom_is_found_in_its_range(night: FolderObjectStore, how: Change, missing: int, extra: int) -> None:
    """Exactly one range differs, that of the datom's t, with the number of datoms that only one side has."""
    changed_t = strict_log(source_at(FEED_S0, "night"), night)["t"][MIDDLE]
    change_log(night, how)

    logs = described(night)

    (differing,) = [r for r in logs.ranges if not r.equal]
    assert differing.last_batch_t < changed_t <= differing.last_t
    assert (differing.missing, differing.extra) == (missing, extra)
    text = problems_of(logs)
    assert f"in t ({differing.last_batch_t}, {differing.last_t}], of segment {differing.segment}" in text
    assert "(C31)" in text
    assert "materialized entities" not in text  # they tell what the segments tell, so they are not accused


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(without(0, 12_000), id="half of the datoms are lost"),
        pytest.param(lambda log: log.with_columns(~pl.col("added")), id="every added is turned"),
        pytest.param(lambda log: log.with_columns(v=pl.lit("")), id="every text is empty"),
    ],
)
def test_a_log_that_is_wrong_everywhere_is_refused_in_one_sentence(night: FolderObjectStore, how: Change) -> None:
    """The first ranges are named and the others counted."""
    change_log(night, how)

    text = problems_of(described(night))

    assert "feed-s0: the log is not its segments: in t (0, " in text
    assert " more (C31)" in text
    assert len(text) < 3000


def test_another_prototypes_log_is_refused(night: FolderObjectStore) -> None:
    """Rows of feed-s1 are no log of feed-s0, though they make a sound log."""
    other = strict_log(source_at(segments_of_s1()[0].instance, "night"), night)
    change_log(night, lambda _: other)

    assert "feed-s0: the log is not its segments" in problems_of(described(night))


def segments_of_s1() -> tuple[Segment, ...]:
    """The segments of the demo's other prototype."""
    return segments_of(replace(FEED_S0, prototype="s1"))


@pytest.mark.parametrize(
    ("how", "counts"),
    [
        pytest.param(without(MIDDLE), "1 datom is missing", id="one fact is lost"),
        pytest.param(in_row(MIDDLE, v=pl.col("v") + "x"), "1 datom is missing and 1 datom is extra", id="another text"),
        pytest.param(
            in_row(MIDDLE, t_from=pl.col("t_from") + 1), "1 datom is missing and 1 datom is extra", id="another t"
        ),
        pytest.param(in_row(MIDDLE, t_to=pl.col("t_from") + 1), "1 datom is extra", id="a fact that never ended"),
        pytest.param(lambda facts: pl.concat([facts, facts[MIDDLE : MIDDLE + 1]]), "1 datom is extra", id="doubled"),
    ],
)
def test_entities_that_are_not_the_logs_facts_are_refused(night: FolderObjectStore, how: Change, counts: str) -> None:
    """The attribute is named by its id, whether a contract shows it or not."""
    attribute = pl.read_parquet(night.path_of(OPEN))["a"][MIDDLE]
    change(night, OPEN, how)

    assert f"are not the facts of the log: of attribute {attribute}, {counts} (C31)" in problems_of(described(night))


def test_an_integer_that_is_not_its_text_is_refused(night: FolderObjectStore) -> None:
    """Contracts read `n` of integers and refs, so it must say what `v` says."""
    numbers = pl.read_parquet(night.path_of(OPEN))["n"]
    row = int(numbers.is_not_null().arg_max() or 0)
    change(night, OPEN, in_row(row, n=pl.col("n") + 1))

    assert "whose number is not that of their text: 1 (C31)" in problems_of(described(night))


def test_facts_in_the_wrong_half_are_refused(night: FolderObjectStore) -> None:
    """Entity contracts read only the open half, so a current fact among the closed ones would be lost."""
    lost = pl.read_parquet(night.path_of(OPEN))[MIDDLE : MIDDLE + 1]
    change(night, OPEN, without(MIDDLE))
    change(night, OPEN.replace("open-", "closed-"), lambda closed: pl.concat([closed, lost]).sort("a", "e"))

    logs = described(night)

    assert logs.log.fingerprint == logs.materialized_entities.fingerprint
    assert problems_of(logs).startswith(
        "feed-s0: facts of the materialized entities that lie where no reader looks for them: 1 (C17)"
    )


def test_facts_out_of_order_are_refused(night: FolderObjectStore) -> None:
    """Readers take an attribute as one run of rows, and its entities in order."""
    change(night, OPEN, lambda facts: pl.concat([facts[1:], facts[:1]]))

    assert "that lie where no reader looks for them: 1 (C17)" in problems_of(described(night))


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(in_row(MIDDLE, tx=pl.col("tx") + 1), id="another tx"),
        pytest.param(in_row(MIDDLE, tx_instant=pl.col("tx_instant").dt.offset_by("1ms")), id="another instant"),
    ],
)
def test_a_tx_that_is_not_its_ts_is_refused(night: FolderObjectStore, how: Change) -> None:
    """The columns that repeat what t and the tx's own datom say are checked, too."""
    change_log(night, how)

    assert "t of the log whose tx or instant is not that of its datoms: 1 (C31)" in problems_of(described(night))


def test_segments_that_a_manifest_vouches_for_are_not_read(night: FolderObjectStore, store: FolderObjectStore) -> None:
    """Beside the log only what is newer than the former comparison is read; a damaged log is found all the same."""
    segments = own_copies(store)
    before = described(night, [s for s in segments if s.last_t <= cut_off(FEED_S0, "old")])
    vouched = [r.segment for r in before.ranges if r.last_t <= cut_off(FEED_S0, "old")]
    for path in vouched:
        store.path_of(path).unlink()

    logs = described(night, segments, before)
    assert [r.segment for r in logs.ranges if r.vouched] == vouched
    assert problems_of(logs) == ""


def own_copies(store: FolderObjectStore) -> list[Segment]:
    """The demo's segments up to the night as files of the test's own."""
    copies = []
    for segment in segments_of(FEED_S0):
        if segment.last_t <= cut_off(FEED_S0, "night"):
            path = f"s3://{OWN_BUCKET}/{segment.path.rpartition('/')[2]}"
            store.write(path, store.read(segment.path))
            copies.append(replace(segment, path=path))
    return copies


def test_a_segment_that_was_extracted_again_is_read_again(night: FolderObjectStore, store: FolderObjectStore) -> None:
    """A manifest vouches for a path and a timestamp, so the new file is read, and what it lacks is extra in the log."""
    before = described(night)
    first = min(segments_of(FEED_S0), key=lambda s: s.last_t)
    log = datom_rows(strict_log(source_at(FEED_S0, "night"), night).filter(pl.col("t") <= first.last_t))
    kept = [log[0], *log[2:]]
    again = replace(
        write_segment(kept, store, last_batch_t=0, last_t=first.last_t),
        instance=FEED_S0,
        timestamp_ms=first.timestamp_ms,
    )

    logs = described(night, [again, *(s for s in segments_of(FEED_S0) if s != first)], before)

    assert [r.segment for r in logs.ranges if not r.vouched] == [again.path]
    (differing,) = [r for r in logs.ranges if not r.equal]
    assert (differing.missing, differing.extra) == (0, 1)


def test_another_segmentation_of_the_same_log_is_no_difference(
    night: FolderObjectStore, store: FolderObjectStore
) -> None:
    """Two segments that were merged by a re-extraction are compared over the whole range."""
    before = described(night)
    chain = sorted(segments_of(FEED_S0), key=lambda s: s.last_t)
    last_t = chain[1].last_t
    datoms = datom_rows(strict_log(source_at(FEED_S0, "night"), night).filter(pl.col("t") <= last_t))
    merged = replace(
        write_segment(datoms, store, last_batch_t=0, last_t=last_t),
        instance=FEED_S0,
        timestamp_ms=chain[1].timestamp_ms,
    )

    logs = described(night, [merged, *chain[2:]], before)

    assert (logs.ranges[0].segment, logs.ranges[0].vouched, logs.ranges[0].last_t) == (merged.path, False, last_t)
    assert problems_of(logs) == ""


def test_a_log_that_ends_inside_a_segment_is_compared_up_to_there(store: FolderObjectStore) -> None:
    """The part of the segment after the log's end is not missing, and no manifest vouches for the part before it."""
    source = source_at(FEED_S0, "night")
    inside_t = strict_log(source, store)["t"][MIDDLE]
    write_cache(source, store, folder="cache", last_t=inside_t)

    logs = described(store)
    again = described(store, vouched=logs)

    (inside,) = [s for s in segments_of(FEED_S0) if s.last_batch_t < inside_t < s.last_t]
    assert logs.ranges[-1].segment == inside.path
    assert problems_of(logs) == problems_of(again) == ""
    assert [r.segment for r in again.ranges if not r.vouched] == [inside.path]


def test_datoms_that_no_segment_covers_are_told(night: FolderObjectStore) -> None:
    """An index with a gap proves nothing of the datoms in it, and one that ends early nothing of the rest."""
    chain = sorted((s for s in segments_of(FEED_S0) if s.last_t <= cut_off(FEED_S0, "night")), key=lambda s: s.last_t)
    lost, newest = chain[3], chain[-1]

    text = problems_of(described(night, [s for s in chain if s not in (lost, newest)]))

    assert f"nothing covers t in ({lost.last_batch_t}, {lost.last_t}] (C2)" in text
    assert f"nothing covers t in ({newest.last_batch_t}, {newest.last_t}] (C2)" in text
    assert "datoms of the log that lie in no segment's range of t: " in text


def test_an_empty_log_is_described(store: FolderObjectStore) -> None:
    """Nothing is compared with it, and nothing crashes."""
    source = source_at(FEED_S0, "night")
    write_part(strict_log(source, store)[:0], LOG, store)

    logs = described(store)

    assert (logs.log.rows, logs.ranges) == (0, ())
