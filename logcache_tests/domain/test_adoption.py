"""What may be adopted, and as of which instant."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from logcache_assets.domain.adoption import (
    adopted_manifest,
    entry_of_manifest,
    find_adoption_problems,
    find_index_problems,
    find_outdated_proof,
    find_place_problems,
    is_same_place,
)
from logcache_assets.domain.log_cache_map import UnprovenEntry
from logcache_assets.domain.log_documents import Manifest, RawLogs
from logcache_assets.domain.log_ranges import datom_sum
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.soundness import find_export_problems
from logcache_tests.domain.samples import FEED_S0, FOLDER, NOW, READ_AT, compared_range, map_entry, raw_logs, segment

CACHES = "s3://permanent/cache/"
ENTRY = UnprovenEntry(last_t=4836, log=f"{FOLDER}/log", materialized_entities=f"{FOLDER}/materialized-entities")
HOUR = timedelta(hours=1)
TWO = (compared_range(0, 3000, extracted_at=READ_AT + HOUR), compared_range(3000, 4836))
LOGS = replace(raw_logs(), ranges=TWO)
SEGMENTS = (segment(0, 3000, extracted_at=READ_AT + HOUR), segment(3000, 4836), segment(4836, 5000))
REFRESH = "replace it: logcache refresh --databases feed"


def codes_of(problems: list[Problem]) -> list[str | None]:
    """Their codes."""
    return [problem.code for problem in problems]


def found_in(logs: RawLogs, entry: UnprovenEntry = ENTRY) -> list[Problem]:
    """Why these logs may not be adopted; the files were written when the sample night began."""
    return list(find_adoption_problems(FEED_S0, entry, logs, written_at=READ_AT))


def test_what_equals_its_segments_is_adopted_as_of_the_newest_of_them() -> None:
    """Also a range that was extracted again after the files were written: it holds nothing that this one lacks."""
    manifest = adopted_manifest(ENTRY, LOGS)

    assert found_in(LOGS) == []
    assert manifest.source_read_at == READ_AT + HOUR
    assert manifest.origin == "adopted"
    assert adopted_manifest(ENTRY, LOGS) == manifest


@pytest.mark.parametrize(
    ("logs", "entry", "code", "found"),
    [
        pytest.param(
            replace(LOGS, ranges=(replace(TWO[0], log=datom_sum(24_311, 9)), TWO[1])),
            ENTRY,
            "C7",
            "it may still hold deleted personal data",
            id="it differs from what was extracted after it was written",
        ),
        pytest.param(
            replace(LOGS, ranges=(TWO[0], replace(TWO[1], log=datom_sum(24_309, 9), missing=1))),
            ENTRY,
            "C31",
            "the log is not its segments",
            id="it differs from what it could have read",
        ),
        pytest.param(replace(LOGS, ranges=TWO[1:]), ENTRY, "C2", "nothing covers t in (0, 3000]", id="never compared"),
        pytest.param(
            LOGS, replace(ENTRY, last_t=4835), "C5", "the map says last_t 4835, the data ends at 4836", id="last_t"
        ),
        pytest.param(replace(LOGS, duplicate_datoms=2), ENTRY, "C19", "2 datoms of the log are dup", id="duplicates"),
        pytest.param(
            replace(LOGS, log=replace(LOGS.log, columns={"e": "int64"})), ENTRY, "C17", "cannot read", id="columns"
        ),
    ],
)
def test_what_is_not_proven_has_exactly_its_problem(logs: RawLogs, entry: UnprovenEntry, code: str, found: str) -> None:
    """And says what to do: another night is no remedy here."""
    (problem,) = found_in(logs, entry)

    assert problem.code == code
    assert found in str(problem)
    assert problem.remedy == REFRESH or code == "C2"


@pytest.mark.parametrize(
    ("log", "entities", "is_adoptable"),
    [
        pytest.param(f"{FOLDER}/log", f"{FOLDER}/materialized-entities", True, id="beside each other"),
        pytest.param(f"s3a{FOLDER[2:]}/log/", f"s3n{FOLDER[2:]}/materialized-entities/", True, id="as Spark writes it"),
        pytest.param(f"{CACHES}old/feed/log", f"{CACHES}old/feed/materialized-entities", True, id="any folder"),
        pytest.param(f"{FOLDER}/raw", f"{FOLDER}/materialized-entities", False, id="another name of the log"),
        pytest.param(f"{FOLDER}/log", f"{FOLDER}/entities", False, id="another name of the entities"),
        pytest.param(f"{FOLDER}/log", f"{CACHES}x/materialized-entities", False, id="two folders"),
        pytest.param("s3://permanent/a/log", "s3://permanent/a/materialized-entities", False, id="outside cache/"),
        pytest.param("s3://eph/cache/a/log", "s3://eph/cache/a/materialized-entities", False, id="another bucket"),
    ],
)
def test_a_manifest_has_one_place(log: str, entities: str, *, is_adoptable: bool) -> None:
    """Beside `log` and `materialized-entities` of one folder below cache/; elsewhere nobody looks for it (C14)."""
    entry = replace(ENTRY, log=log, materialized_entities=entities)

    found = list(find_place_problems(FEED_S0, entry, caches=CACHES))

    assert codes_of(found) == ([] if is_adoptable else ["C14"])
    assert all(problem.remedy == REFRESH for problem in found)


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        pytest.param((segment(0, 3000), segment(3100, 4836)), "C2", id="a gap below"),
        pytest.param((segment(0, 4836), segment(4900, 5000)), "C2", id="a gap above"),
        pytest.param((segment(0, 4000), segment(3000, 4836)), "C3", id="an overlap"),
        pytest.param((segment(0, 4000),), "C4", id="ahead of the index"),
    ],
)
def test_an_index_that_is_no_whole_log_proves_nothing(segments: tuple[Segment, ...], code: str) -> None:
    """No file is read for it."""
    assert codes_of(list(find_index_problems(FEED_S0, ENTRY, segments))) == [code]


def outdated(manifest: Manifest, *segments: Segment) -> list[str | None]:
    """The codes of why a manifest proves nothing by these segments."""
    entry = entry_of_manifest(manifest, manifest_sha256="ab" * 32)
    return codes_of(list(find_outdated_proof(FEED_S0, entry, manifest, segments, now=NOW)))


def test_a_proof_holds_as_long_as_the_index_names_what_was_compared() -> None:
    """New segments after it change nothing; an extraction since, another file, or no comparison at all do."""
    proof = adopted_manifest(ENTRY, LOGS)
    again = segment(3000, 4836, extracted_at=READ_AT + 2 * HOUR)
    other = segment(3000, 4836, extracted_at=READ_AT + HOUR)

    assert outdated(proof, *SEGMENTS) == []
    assert outdated(proof, SEGMENTS[0], again, SEGMENTS[2]) == ["C7", "C7"]
    assert outdated(proof, SEGMENTS[0], other, SEGMENTS[2]) == ["C7"]
    assert outdated(replace(proof, ranges=()), *SEGMENTS) == ["C31", "C7"]
    assert outdated(replace(proof, source_read_at=NOW + HOUR), *SEGMENTS) == ["C7"]


def test_an_adoption_moves_no_pointer() -> None:
    """Another t, another path or an entry that is proven already is none."""
    entry = map_entry()

    assert is_same_place(entry, ENTRY)
    assert is_same_place(entry, replace(ENTRY, log=f"s3a{FOLDER[2:]}/log/"))
    assert not is_same_place(replace(entry, last_t=4837), ENTRY)
    assert not is_same_place(replace(entry, log="s3://permanent/cache/x/log"), ENTRY)
    assert not is_same_place(entry, entry)
    assert not is_same_place(entry, None)


def test_a_night_behind_an_unproven_entry_is_refused() -> None:
    """A last_t does not go backwards, whether it is proven or not (C6)."""
    assert codes_of(list(find_export_problems(raw_logs(), replace(ENTRY, last_t=4837)))) == ["C6"]
