"""Patterns: what differing rows have in common, in which order, and as the clause that a reviewer reads first."""

from dataclasses import replace
from itertools import permutations

import pytest

from logcache_assets.domain.figures import Pattern
from logcache_assets.domain.patterns import describe_patterns, merge_patterns, with_segments
from logcache_tests.domain.contract_samples import pattern
from logcache_tests.domain.samples import changed, segment

STATUS = ("account__status",)
CHAIN = [segment(*bounds) for bounds in [(0, 100), (100, 140), (140, 200), (200, 250), (250, 300)]]


def unexplained(rows: int, **fields: object) -> Pattern:
    """Rows of s0 whose status nothing explains, with some fields changed."""
    return changed(pattern(rows, reason="unexplained", columns=STATUS), **fields)


def test_patterns_of_one_kind_are_united() -> None:
    """Rows are added, t spans both, a few examples are kept, each once."""
    one = pattern(3, columns=STATUS, first_t=120, last_t=140, examples=("a", "b"))
    other = pattern(4, columns=STATUS, first_t=90, last_t=130, examples=("b", "c", "d"))

    assert merge_patterns([one, other]) == (
        pattern(7, columns=STATUS, first_t=90, last_t=140, examples=("a", "b", "c")),
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"reason": "excised"}, id="another reason"),
        pytest.param({"change": "value to null"}, id="another change"),
        pytest.param({"prototype": "s1"}, id="another prototype"),
        pytest.param({"columns": ("account__amount",)}, id="another column"),
        pytest.param({"columns": (*STATUS, "account__amount")}, id="a column more"),
    ],
)
def test_patterns_of_another_kind_stay_apart(fields: dict[str, object]) -> None:
    """Reason, change, prototype and columns make the kind."""
    merged = merge_patterns([pattern(3, columns=STATUS), changed(pattern(2, columns=STATUS), **fields)])

    assert [found.rows for found in merged] == [3, 2]


def test_t_that_is_not_known_does_not_count() -> None:
    """What is known of the other part stands; nothing is made of nothing."""
    known = pattern(3, first_t=120, last_t=140)

    assert merge_patterns([pattern(1), known]) == (pattern(4, first_t=120, last_t=140),)
    assert merge_patterns([known, pattern(1)]) == (pattern(4, first_t=120, last_t=140),)
    assert merge_patterns([pattern(1), pattern(1)]) == (pattern(2),)
    assert merge_patterns([]) == ()


def test_faults_come_first_then_the_most_rows() -> None:
    """A single unexplained row before a million explained ones; equal numbers by prototype, reason, columns."""
    ordered = (
        unexplained(5, columns=()),
        pattern(2, reason="missed", columns=STATUS),
        unexplained(1, columns=("account__amount",)),
        unexplained(1),
        unexplained(1, prototype="s1"),
        pattern(1_000_000, columns=STATUS),
        pattern(7, reason="excised"),
        pattern(7, reason="renamed-ident"),
        pattern(7, prototype="s1"),
    )

    for start in range(len(ordered)):
        assert merge_patterns((*ordered[start:], *ordered[:start])) == ordered
    assert merge_patterns(reversed(ordered)) == ordered


def test_the_order_does_not_depend_on_where_patterns_come_from() -> None:
    """A key that was renamed is as many rows missing as added; the document must be the same bytes every time."""
    rekeyed = [unexplained(9, change=change, columns=()) for change in ("row added", "row missing")]

    assert len({merge_patterns(found) for found in permutations(rekeyed)}) == 1


@pytest.mark.parametrize(
    ("first_t", "last_t", "names", "count"),
    [
        pytest.param(101, 140, ["feed-s0-100-140.avro"], 1, id="exactly one segment"),
        pytest.param(120, 120, ["feed-s0-100-140.avro"], 1, id="one t inside"),
        pytest.param(100, 100, ["feed-s0-0-100.avro"], 1, id="a segment's last t is its own"),
        pytest.param(100, 101, ["feed-s0-0-100.avro", "feed-s0-100-140.avro"], 2, id="across two"),
        pytest.param(
            101,
            250,
            ["feed-s0-100-140.avro", "feed-s0-140-200.avro", "feed-s0-200-250.avro"],
            3,
            id="as many as are named",
        ),
        pytest.param(
            1,
            300,
            ["feed-s0-0-100.avro", "feed-s0-100-140.avro", "feed-s0-140-200.avro"],
            5,
            id="more than are named, all of them counted",
        ),
        pytest.param(301, 999, [], 0, id="behind the last segment"),
        pytest.param(300, 999, ["feed-s0-250-300.avro"], 1, id="the end of the last segment"),
    ],
)
def test_a_pattern_names_the_segments_that_hold_its_t(first_t: int, last_t: int, names: list[str], count: int) -> None:
    """A segment holds t in (last_batch_t, last_t]; in whatever order the index gives them."""
    placed = with_segments(pattern(1, first_t=first_t, last_t=last_t), CHAIN[::-1])

    assert placed == pattern(1, first_t=first_t, last_t=last_t, segments=tuple(names), segment_count=count)


def test_only_segments_that_hold_a_row_are_named() -> None:
    """Two rows far apart are in two files, not in all between; a segment's own last t is in it, its first is not."""
    found = pattern(3, first_t=101, last_t=250)

    placed = with_segments(found, CHAIN, ts=[250, 140, 101])

    assert placed == changed(found, segments=("feed-s0-100-140.avro", "feed-s0-200-250.avro"), segment_count=2)


def test_a_pattern_without_t_names_no_segment() -> None:
    """Where its rows lie is not known."""
    assert with_segments(pattern(1), CHAIN) == pattern(1)
    assert with_segments(pattern(1, first_t=5, last_t=5), []) == pattern(1, first_t=5, last_t=5)


def test_a_segment_goes_by_its_files_name() -> None:
    """However deep its folder is, and without one."""
    for path in ("s3://logs/feed/s0/t-1.avro", "t-1.avro"):
        found = replace(CHAIN[0], path=path)

        assert with_segments(pattern(1, first_t=5, last_t=5), [found]).segments == ("t-1.avro",)


IN_ONE = {"segments": ("t-82000.avro",), "segment_count": 1}


@pytest.mark.parametrize(
    ("patterns", "total", "clause"),
    [
        pytest.param(
            [unexplained(4312, prototype="s1", first_t=81_000, last_t=82_400, **IN_ONE)],
            4312,
            "all 4,312 unexplained rows are on s1 (value changed in account__status), in t 81,000-82,400: one segment, "
            "t-82000.avro",
            id="all of one kind, in one segment",
        ),
        pytest.param(
            [unexplained(4312, first_t=81_000, last_t=82_400, segments=("a", "b", "c"), segment_count=17)],
            4312,
            "all 4,312 unexplained rows are on s0 (value changed in account__status), in t 81,000-82,400, 17 segments",
            id="in many segments",
        ),
        pytest.param(
            [unexplained(2, first_t=81_000, last_t=81_000)],
            2,
            "all 2 unexplained rows are on s0 (value changed in account__status), at t 81,000",
            id="at one t that no segment holds",
        ),
        pytest.param(
            [unexplained(1)],
            1,
            "the 1 unexplained row is on s0 (value changed in account__status)",
            id="a single row, of which t is not known",
        ),
        pytest.param(
            [unexplained(1200)],
            5000,
            "1,200 of 5,000 unexplained rows are on s0 (value changed in account__status)",
            id="some of the rows; the others are of patterns that were not kept",
        ),
        pytest.param(
            [pattern(7, reason="missed", change="row missing", columns=())],
            7,
            "all 7 missed rows are on s0 (row missing)",
            id="whole rows",
        ),
        pytest.param(
            [pattern(7, reason="missed", change="not changed", columns=("a", "b", "c", "d"))],
            7,
            "all 7 missed rows are on s0 (not changed in a, b, c)",
            id="many columns, of which three are named",
        ),
        pytest.param(
            [
                unexplained(9, change="row missing", columns=(), first_t=150, last_t=160, **IN_ONE),
                unexplained(3, first_t=140, last_t=155, **IN_ONE),
            ],
            12,
            "all 12 unexplained rows are on s0 (mostly row missing), in t 140-160: one segment, t-82000.avro",
            id="two kinds, of which the larger is named",
        ),
        pytest.param(
            [unexplained(9, first_t=150, last_t=160, **IN_ONE), unexplained(3, columns=())],
            12,
            "all 12 unexplained rows are on s0 (mostly value changed in account__status)",
            id="two kinds, and t of only one is known",
        ),
        pytest.param(
            [unexplained(9, first_t=150, last_t=160, **IN_ONE), unexplained(3, columns=(), first_t=990, last_t=999)],
            12,
            "all 12 unexplained rows are on s0 (mostly value changed in account__status), in t 150-999",
            id="two kinds, of which one is in a segment and one in none",
        ),
        pytest.param(
            [unexplained(9, prototype="s2"), unexplained(3, prototype="s0")],
            12,
            "all 12 unexplained rows are on s0, s2 (value changed in account__status)",
            id="one kind on two prototypes",
        ),
    ],
)
def test_the_common_cause_is_one_clause(patterns: list[Pattern], total: int, clause: str) -> None:
    """Counts, prototypes, what happened to which columns, and where in the log; never a value."""
    assert describe_patterns(patterns, total=total) == clause


def test_the_names_of_instances_take_the_place_in_front() -> None:
    """Where several databases are told of at once."""
    found = [unexplained(9, prototype="s2"), unexplained(3, prototype="s0", change="value to null")]

    assert describe_patterns(found, total=12, place="feed-") == (
        "all 12 unexplained rows are on feed-s0, feed-s2 (mostly value changed in account__status)"
    )


@pytest.mark.parametrize(
    ("known", "place", "clause"),
    [
        pytest.param(("s0", "s2"), "", "on all prototypes (value", id="every prototype"),
        pytest.param(("s0", "s2"), "feed-", "on all prototypes of feed (value", id="every instance of a database"),
        pytest.param(("s0", "s1", "s2"), "", "on s0, s2 (value", id="one is sound"),
        pytest.param((), "", "on s0, s2 (value", id="not known"),
    ],
)
def test_a_cause_on_every_prototype_names_none(known: tuple[str, ...], place: str, clause: str) -> None:
    """A list without an exception tells nobody where to look."""
    found = [unexplained(9, prototype="s2"), unexplained(3, prototype="s0")]

    assert clause in describe_patterns(found, total=12, place=place, known=known)


def test_the_only_prototype_is_named() -> None:
    """Its name says more than that it is all of them."""
    assert "on s0 (value" in describe_patterns([unexplained(9, prototype="s0")], total=9, known=("s0",))


def test_t_of_several_prototypes_is_not_one_range() -> None:
    """A t means something in its own log only."""
    found = [unexplained(9, first_t=90_000, last_t=90_100), unexplained(3, prototype="s1", first_t=500, last_t=700)]

    assert "500-90,100" not in describe_patterns(found, total=12)


def test_the_number_of_segments_is_that_of_all_rows() -> None:
    """Two kinds of rows in three segments each lie in up to six."""
    found = [
        unexplained(9, first_t=100, last_t=300, segments=("a", "b", "c"), segment_count=3),
        unexplained(3, change="value to null", first_t=400, last_t=700, segments=("d", "e", "f"), segment_count=3),
    ]

    assert ", 3 segments" not in describe_patterns(found, total=12)
