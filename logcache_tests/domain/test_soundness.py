"""Problems of exports, entries and pointers; each broken rule gives one sentence with its code."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from logcache_assets.domain.log_cache_map import LogCacheMap, MapEntry
from logcache_assets.domain.log_documents import Manifest, RawLogs
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.soundness import (
    find_export_problems,
    find_lost_entries,
    find_pointer_problems,
    find_segment_problems,
)
from logcache_tests.domain.samples import (
    CUSTOMERS,
    FEED_S0,
    FEED_S1,
    READ_AT,
    changed,
    manifest,
    map_entry,
    raw_logs,
    segment,
)

LATER = READ_AT + timedelta(hours=1)
DIGEST = map_entry().manifest_sha256


def one(problems: Iterable[Problem]) -> str:
    """The only problem, as a person reads it; it says what to do."""
    (problem,) = problems
    assert problem.remedy
    return str(problem)


def with_log(**fields: object) -> RawLogs:
    """Raw logs whose log is changed."""
    return changed(raw_logs(), log=changed(raw_logs().log, **fields))


def with_entities(**fields: object) -> RawLogs:
    """Raw logs whose materialized entities are changed."""
    return changed(raw_logs(), materialized_entities=changed(raw_logs().materialized_entities, **fields))


@pytest.mark.parametrize(
    "active",
    [
        pytest.param(None, id="no cache yet"),
        pytest.param(map_entry(last_t=3185), id="an older cache"),
        pytest.param(map_entry(last_t=4836), id="a cache of the same t"),
    ],
)
def test_a_sound_export_has_no_problem(active: MapEntry | None) -> None:
    """It has none whichever entry is active."""
    assert list(find_export_problems(raw_logs(), active)) == []


@pytest.mark.parametrize(
    ("logs", "parts"),
    [
        pytest.param(with_log(rows=0), ("the exported log is empty",), id="an empty log"),
        pytest.param(
            with_log(columns=raw_logs().log.columns | {"t": "double"}),
            ("LogOp cannot read", "'t': 'double'", "(C17)"),
            id="C17: another type",
        ),
        pytest.param(
            with_log(columns={k: v for k, v in raw_logs().log.columns.items() if k != "tx_instant"}),
            ("LogOp cannot read", "(C17)"),
            id="C17: a column is gone",
        ),
        pytest.param(
            with_entities(columns=raw_logs().materialized_entities.columns | {"x": "string"}),
            ("materialized entities have columns", "'x': 'string'", "(C17)"),
            id="C17: a column too many",
        ),
        pytest.param(
            changed(raw_logs(), duplicate_datoms=3),
            ("3 datoms of the log are duplicates", "(C19)"),
            id="C19: duplicates",
        ),
        pytest.param(
            with_entities(last_t=4835),
            ("the log ends at t 4836, the materialized entities at 4835", "(C5)"),
            id="C5: log and entities end apart",
        ),
    ],
)
def test_an_unsound_export_has_exactly_its_problem(logs: RawLogs, parts: tuple[str, ...]) -> None:
    """The sentence names the instance, what was found, and the check."""
    problem = one(find_export_problems(logs, map_entry(last_t=3185)))

    assert problem.startswith("feed-s0: ")
    assert all(part in problem for part in parts)


def test_a_cache_never_goes_backwards() -> None:
    """An export behind the active cache is a problem even if it is sound by itself (C6)."""
    problem = one(find_export_problems(raw_logs(), map_entry(last_t=4837)))

    assert problem.startswith("feed-s0: the log ends at t 4836, behind the active cache's 4837 (C6); ")


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([segment(0, 4836)], id="the cache ends with the index"),
        pytest.param([segment(0, 4836), segment(4836, 5449, extracted_at=LATER)], id="newer segments go on"),
        pytest.param([segment(0, 4800), segment(4800, 5449)], id="one straddles the cache's end"),
        pytest.param([segment(0, 10), segment(20, 4836), segment(4836, 5449)], id="a gap that the cache covers"),
    ],
)
def test_a_log_that_can_be_continued_has_no_problem(segments: list[Segment]) -> None:
    """LogOp reads the cache and strictly newer datoms of these segments."""
    assert list(find_segment_problems(FEED_S0, segments, map_entry())) == []


@pytest.mark.parametrize(
    ("segments", "parts"),
    [
        pytest.param(
            [segment(0, 4836), segment(4900, 5449)],
            ("has a gap", "(4836, 4900]", "(C1)"),
            id="C1: a gap behind the cache",
        ),
        pytest.param(
            [segment(0, 4836), segment(4836, 5000), segment(5001, 5449)],
            ("has a gap", "(5000, 5001]", "(C2)"),
            id="C2: a gap in the chain",
        ),
        pytest.param(
            [segment(0, 4836), segment(4836, 5000), segment(4900, 5449)],
            ("has an overlap", "(4900, 5000]", "(C3)"),
            id="C3: an overlap",
        ),
        pytest.param(
            [segment(0, 4835)], ("ends at t 4836, ahead of the index, which ends at 4835", "(C4)"), id="C4: cache ahead"
        ),
        pytest.param([], ("ahead of the index, which ends at 0", "(C4)"), id="C4: an index without segments"),
        pytest.param(
            [segment(0, 1213), segment(1213, 4836, extracted_at=LATER)],
            ("1 segment with", "(1213, 4836]", "deleted personal data (C7)"),
            id="C7: extracted again behind the cache",
        ),
        pytest.param(
            [segment(0, 4800), segment(4800, 5449, extracted_at=LATER)],
            ("1 segment with", "(4800, 5449]", "deleted personal data (C7)"),
            id="C7: extracted again, across the cache's end",
        ),
    ],
)
def test_a_log_that_cannot_be_continued_has_exactly_its_problem(
    segments: list[Segment], parts: tuple[str, ...]
) -> None:
    """The sentence names the instance, the range of t, and the check."""
    problem = one(find_segment_problems(FEED_S0, segments, map_entry()))

    assert problem.startswith("feed-s0: ")
    assert all(part in problem for part in parts)


def test_an_entry_and_its_manifest_belong_together() -> None:
    """Digest, t, folder, transaction and time of reading agree."""
    assert list(find_pointer_problems(FEED_S0, map_entry(), manifest(), manifest_sha256=DIGEST)) == []


def test_another_manifest_is_found_by_its_digest() -> None:
    """The map names the manifest's bytes (C13)."""
    problem = one(find_pointer_problems(FEED_S0, map_entry(), manifest(), manifest_sha256="cd" * 32))

    assert problem.startswith("feed-s0: the manifest s3://permanent/cache/feed-s0/4836-1c7be4a9/manifest.json is not")
    assert "found cdcdcdcdcdcd, expected abababababab" in problem
    assert "(C13); " in problem


OTHER_FOLDER = "s3://permanent/cache/feed-s1/4836-1c7be4a9"


@pytest.mark.parametrize(
    ("entry", "found", "parts"),
    [
        pytest.param(
            changed(map_entry(), last_t=4837),
            manifest(),
            ("the map says last_t 4837, the data ends at 4836", "(C5)"),
            id="C5: a last_t one too far",
        ),
        pytest.param(
            map_entry(),
            changed(manifest(), last_t=4837),
            ("last_t 4836, the data ends at 4837", "(C5)"),
            id="C5: one short",
        ),
        pytest.param(
            changed(map_entry(), source_read_at=LATER),
            manifest(),
            ("read at 2018-05-24T01:30:00.000Z", "read at 2018-05-24T00:30:00.000Z", "(C7)"),
            id="C7: a time of reading moved past a re-extraction",
        ),
        pytest.param(
            changed(map_entry(), transaction="49ae32bb-c260-4622-ac10-753cfd8fa7b3"),
            manifest(),
            ("transaction 49ae32bb", "the manifest 1c7be4a9", "(C7)"),
            id="C7: another transaction",
        ),
        pytest.param(
            map_entry(),
            changed(manifest(), instance="feed-s1"),
            ("folder of feed-s1", "(C14)"),
            id="C14: another shard",
        ),
        pytest.param(
            changed(map_entry(), log=f"{OTHER_FOLDER}/log"),
            manifest(),
            (f"{OTHER_FOLDER}/log", "(C14)"),
            id="C14: the log of another folder",
        ),
        pytest.param(
            changed(map_entry(), materialized_entities=f"{OTHER_FOLDER}/materialized-entities"),
            manifest(),
            (f"the entry points to {OTHER_FOLDER}/materialized-entities, the manifest beside it describes", "(C14)"),
            id="C14: the entities of another folder",
        ),
    ],
)
def test_a_wrong_pointer_has_exactly_its_problem(entry: MapEntry, found: Manifest, parts: tuple[str, ...]) -> None:
    """The sentence says what the map says and what the data says."""
    problem = one(find_pointer_problems(FEED_S0, entry, found, manifest_sha256=DIGEST))

    assert problem.startswith("feed-s0: ")
    assert all(part in problem for part in parts)


BASE: LogCacheMap = {"s0": {"feed": map_entry(last_t=3185)}, "global": {"customers": map_entry(CUSTOMERS, last_t=3059)}}


@pytest.mark.parametrize(
    ("candidate", "lost"),
    [
        pytest.param(BASE, [], id="nothing changed"),
        pytest.param({**BASE, "s0": {"feed": map_entry()}}, [], id="its own entry changed"),
        pytest.param({**BASE, "s0": {}}, [], id="its own entry gone"),
        pytest.param({**BASE, "global": {}}, ["customers-global"], id="another entry gone"),
        pytest.param({"s0": BASE["s0"]}, ["customers-global"], id="another prototype gone"),
        pytest.param({**BASE, "global": {"customers": map_entry(CUSTOMERS)}}, ["customers-global"], id="another moved"),
        pytest.param(
            {**BASE, "s1": {"feed": map_entry(FEED_S1)}}, ["feed-s1"], id="the same database on another shard"
        ),
        pytest.param(
            {**BASE, "s0": {**BASE["s0"], "feeds": map_entry()}}, ["feeds-s0"], id="a database whose name begins alike"
        ),
        pytest.param({}, ["customers-global"], id="an empty map"),
    ],
)
def test_entries_outside_the_refresh_stay(candidate: LogCacheMap, lost: list[str]) -> None:
    """A refresh of feed-s0 changes that entry and no other (C16)."""
    problems = list(find_lost_entries(base=BASE, candidate=candidate, changed=(FEED_S0,)))

    assert [(problem.code, problem.subjects) for problem in problems] == [("C16", (name,)) for name in lost]
    assert all("its entry would change, and it is not part of this refresh" in str(problem) for problem in problems)
