"""Buckets: each entity is in one bucket, and the hash that decides it never changes."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.engine.storage.buckets import (
    MAX_BUCKETS,
    WHOLE,
    Bucket,
    bucket_of,
    choose_buckets,
    group_buckets,
    parse_bucket,
)

COUNTS = [1, 2, 8, 64, MAX_BUCKETS]
counts = st.sampled_from(COUNTS)
entities = st.integers(0, 2**63 - 1)


@st.composite
def buckets(draw: st.DrawFn) -> Bucket:
    """Any bucket."""
    of = draw(counts)
    return Bucket(draw(st.integers(0, of - 1)), of)


def buckets_of(ids: list[int], of: int) -> list[int]:
    """The bucket numbers that the engine gives."""
    return list(pl.DataFrame({"e": ids}, {"e": pl.Int64}).select(b=bucket_of(of))["b"]) if of > 1 else [0] * len(ids)


def hashed(entity: int, of: int) -> int:
    """The documented hash in whole numbers: the top bits of the product with 2^64 / golden ratio."""
    return (entity * 0x9E3779B97F4A7C15 % 2**64) * of >> 64


@pytest.mark.parametrize(
    ("entity", "of_2", "of_8", "of_4096"),
    [
        (0, 0, 0, 0),
        (1, 1, 4, 2531),
        (72, 0, 3, 2041),
        (13194139534312, 1, 4, 2152),
        (17592186044418, 1, 7, 3651),
        (2305864999446250524, 1, 4, 2522),
    ],
)
def test_the_hash_never_changes(entity: int, of_2: int, of_8: int, of_4096: int) -> None:
    """File names depend on it; these numbers were computed with integers, without the engine."""
    assert [*buckets_of([entity], 2), *buckets_of([entity], 8), *buckets_of([entity], 4096)] == [of_2, of_8, of_4096]


@given(st.lists(entities, max_size=20), counts)
def test_every_entity_lies_in_exactly_one_bucket(ids: list[int], of: int) -> None:
    """The bucket is the one that the documented hash gives."""
    frame = pl.DataFrame({"e": ids}, {"e": pl.Int64})
    wanted = [hashed(e, of) for e in ids]

    assert buckets_of(ids, of) == wanted
    for number in {*wanted, 0, of - 1}:
        assert Bucket(number, of).select(frame)["e"].to_list() == [e for e in ids if hashed(e, of) == number]


@given(entities, buckets(), buckets())
def test_buckets_of_any_counts_fit_into_each_other(entity: int, one: Bucket, other: Bucket) -> None:
    """A bucket of a small count is a union of buckets of a larger one."""
    in_one, in_other = hashed(entity, one.of) == one.number, hashed(entity, other.of) == other.number

    if in_one and in_other:
        assert one.meets(other)
    if in_other and one.holds_all_of(other):
        assert in_one
    assert one.meets(other) == other.meets(one) == (one.holds_all_of(other) or other.holds_all_of(one))
    assert WHOLE.holds_all_of(one)


@pytest.mark.parametrize(("few", "many"), list(product([1, 2, 8], [8, 64])))
def test_every_bucket_of_many_lies_in_one_of_few(few: int, many: int) -> None:
    """Each bucket of the small count holds equally many of the large one."""
    held = [sum(Bucket(n, few).holds_all_of(Bucket(m, many)) for m in range(many)) for n in range(few)]

    assert held == [many // few] * few


@pytest.mark.parametrize("step", [1, 4, 7, 1024, 2**42])
@pytest.mark.parametrize("begin", [0, 13194139534312, 17592186044416])
def test_neighbouring_ids_are_spread(begin: int, step: int) -> None:
    """Datomic's ids are consecutive; still no bucket gets twice its share."""
    ids = [(begin + n * step) % 2**62 for n in range(8000)]

    sizes = pl.Series(buckets_of(ids, 8)).value_counts()["count"]

    assert len(sizes) == 8
    assert max(sizes) < 2 * 8000 / 8


@pytest.mark.parametrize(
    ("datoms", "wanted"),
    [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (201, 4), (400, 4), (801, 16), (10**9, MAX_BUCKETS)],
)
def test_buckets_are_as_few_as_fit(datoms: int, wanted: int) -> None:
    """The smallest power of two that fits, here with 100 datoms per bucket."""
    assert choose_buckets(datoms, bucket_datoms=100) == wanted


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        pytest.param([0], 1, id="one bucket"),
        pytest.param([25, 25, 25, 25], 1, id="all of them fit"),
        pytest.param([25, 25, 25, 26], 2, id="one row too many"),
        pytest.param([0, 90, 1, 9, 50, 50, 0, 0], 2, id="halves fit"),
        pytest.param([0, 91, 1, 9, 50, 50, 0, 0], 4, id="a full half"),
        pytest.param([100, 1, 0, 0], 4, id="a full bucket"),
        pytest.param([0, 101, 0, 0], None, id="a bucket that is too large alone"),
    ],
)
def test_buckets_are_grouped_where_they_fit(rows: list[int], wanted: int | None) -> None:
    """As few groups as hold at most 100 rows each."""
    assert group_buckets(rows, at_most=100) == wanted


@given(buckets())
def test_a_bucket_reads_back_from_its_name(bucket: Bucket) -> None:
    """parse_bucket reverses str."""
    assert parse_bucket(str(bucket)) == bucket
    assert len(str(bucket)) == len("00003-of-00008")


@pytest.mark.parametrize(
    "text", ["", "0-of-1", "00000-of-00000", "00000-of-00003", "00002-of-00002", "00000-of-08192", "00000-of-00001x"]
)
def test_other_names_are_no_bucket(text: str) -> None:
    """None for counts that are no power of two, numbers beyond the count, and other spellings."""
    assert parse_bucket(text) is None
