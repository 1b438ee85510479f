"""Items of an index that cannot be right beside the others."""

from dataclasses import replace

import pytest

from logcache_assets.domain.index_files import find_item_faults
from logcache_assets.domain.instances import Instance, parse_instance
from logcache_assets.domain.segments import Segment

LAYOUT = "s3://logs/1/s3/{prototype}/{database}"


def chain(name: str, *ends: int, layout: str = LAYOUT) -> list[Segment]:
    """The segments of an instance, the first one from 0."""
    instance, begins = parse_instance(name), (0, *ends)
    folder = layout.format(prototype=instance.prototype, database=instance.database, instance=name)
    return [
        Segment(
            instance=instance,
            path=f"{folder}/{end}.avro",
            initial_t=begin + 1,
            last_batch_t=begin,
            last_t=end,
            timestamp_ms=1_500_000_000_000,
        )
        for begin, end in zip(begins, ends, strict=False)
    ]


INDEX = [*chain("feed-s0", 10, 20, 30), *chain("feed-s1", 10, 20), *chain("customers-s0", 10, 20)]


def faults(segments: list[Segment], cached_t: dict[Instance, int] | None = None) -> list[tuple[int, str]]:
    """Place and text of every fault."""
    return [(segments.index(s), text) for s, text in find_item_faults(segments, cached_t=cached_t or {})]


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(LAYOUT, id="as Correnteza writes them"),
        pytest.param("s3://logs/{instance}", id="a folder per instance"),
        pytest.param("s3://logs/feed/{database}/of/{prototype}", id="a known name above all"),
        pytest.param("s3://logs/1/s3/all", id="one folder for all"),
        pytest.param("s3://{database}/{prototype}", id="a bucket per database"),
    ],
)
def test_any_layout_is_sound(layout: str) -> None:
    """Where segments lie is the deployment's decision."""
    names = ("feed-s0", "feed-s1", "customers-s0", "customers-s3")

    assert faults([s for name in names for s in chain(name, 10, 20, layout=layout)]) == []


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        pytest.param("s0/customers", "the database customers", id="of another database"),
        pytest.param("s1/feed", "the prototype s1", id="of another prototype"),
        pytest.param("s1/customers", "the database customers", id="of both"),
    ],
)
def test_an_item_in_anothers_folder_is_wrong(folder: str, said: str) -> None:
    """The others show where that database's or prototype's segments lie."""
    wrong = [replace(s, path=f"s3://logs/1/s3/{folder}/x.avro") if n == 1 else s for n, s in enumerate(INDEX)]

    found = faults(wrong)

    assert {place for place, _ in found} == {1}
    assert said in found[0][1]


def test_an_item_in_an_unknown_folder_is_sound() -> None:
    """Re-extracted files may lie elsewhere, in another bucket or below another folder."""
    moved = [replace(s, path="s3://other/reextracted/x.avro") if n == 1 else s for n, s in enumerate(INDEX)]
    deeper = [replace(s, path=s.path.replace("logs/", "logs/v2/")) if n == 1 else s for n, s in enumerate(INDEX)]

    assert faults(moved) == faults(deeper) == []


def test_a_log_begins_at_0_or_where_a_cache_ends() -> None:
    """Items that are missing before the first one would be missing datoms."""
    late = [s for s in INDEX if (s.instance.name, s.last_t) != ("feed-s0", 10)]
    feed_s0 = parse_instance("feed-s0")

    assert faults(INDEX) == []
    assert "the log of feed-s0 begins here, after t 10" in faults(late)[0][1]
    assert faults(late)[0][0] == 0
    assert faults(late, {feed_s0: 9})[0][0] == 0
    assert faults(late, {feed_s0: 10}) == faults(late, {feed_s0: 15}) == []
