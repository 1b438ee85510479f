"""Sums of datoms: the vectors of docs/formats.md, and the laws that comparing sums stands on."""

import re
from pathlib import Path

import polars as pl
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.log_ranges import DatomSum, datom_sum
from logcache_assets.engine.raw.compare_facts import facts_to_datoms, sum_facts
from logcache_assets.engine.raw.datom_hash import datom_hash, sum_datoms
from logcache_assets.engine.storage.schemas import FACTS_SCHEMA
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.generated import log_frame

FORMATS = Path(__file__).parents[3] / "docs" / "formats.md"
VECTOR = re.compile(r"\| `(?P<bytes>[0-9a-f ]+)` \| `(?P<hash>[0-9a-f]{32})` \|")

DATOMS: tuple[Datom, ...] = (
    (13194139534312, 50, "2018-01-01T00:16:40.000Z", 1000, True),
    (17592186044418, 73, "Renée | 7", 1001, True),
    (17592186044418, 73, "Renée | 7", 1002, False),
    (17592186044419, 74, "", 1002, True),
)
"""The datoms of the vectors in docs/formats.md, in its order."""

datoms = st.tuples(st.integers(0, 2**62), st.integers(0, 2**40), st.text(), st.integers(1000, 2**42), st.booleans())


def hash_by_hand(datom: Datom) -> int:
    """The hash as docs/formats.md defines it, by another library and without polars."""
    e, a, v, t, added = datom
    return xxhash.xxh3_128_intdigest(b"\x1f".join([b"%d" % e, b"%d" % a, b"%d" % t, b"%d" % added, v.encode()]))


def test_the_documented_vectors_are_the_hashes() -> None:
    """The bytes and hashes in docs/formats.md are those of the datoms, and those that polars computes."""
    documented = [(bytes.fromhex(m["bytes"]), int(m["hash"], 16)) for m in VECTOR.finditer(FORMATS.read_text("utf-8"))]

    assert len(documented) == len(DATOMS)
    assert [xxhash.xxh3_128_intdigest(text) for text, _ in documented] == [found for _, found in documented]
    assert [found for _, found in documented] == [hash_by_hand(datom) for datom in DATOMS]
    assert log_frame(DATOMS).select(datom_hash()).to_series().to_list() == [found for _, found in documented]


@given(st.lists(datoms, max_size=8))
def test_a_sum_is_that_of_the_definition(rows: list[Datom]) -> None:
    """Sums are modulo 2^128, which a few datoms exceed, and the number of datoms is beside them."""
    assert sum_datoms(log_frame(rows)) == datom_sum(len(rows), sum(map(hash_by_hand, rows)))


@given(st.lists(datoms, max_size=8), st.integers(0, 8))
def test_sums_add_up_in_any_order(rows: list[Datom], cut: int) -> None:
    """The sums of two parts are the sum of the whole, whatever the order of its rows."""
    parts = sum_datoms(log_frame(rows[:cut])) + sum_datoms(log_frame(rows[cut:]))

    assert parts == sum_datoms(log_frame(rows[::-1]))


@given(datoms, st.data())
def test_any_changed_field_changes_the_sum(datom: Datom, data: st.DataObject) -> None:
    """Entity, attribute, value, t and added all count, and where one ends and the next begins."""
    other = data.draw(datoms.filter(lambda found: found != datom))

    assert sum_datoms(log_frame([datom])) != sum_datoms(log_frame([other]))


def test_a_repeated_datom_changes_the_sum() -> None:
    """Two equal datoms are two: a log is a multiset."""
    assert sum_datoms(log_frame([DATOMS[0], DATOMS[0]])) != sum_datoms(log_frame([DATOMS[0]]))
    assert DatomSum() + sum_datoms(log_frame([DATOMS[0]])) == datom_sum(1, hash_by_hand(DATOMS[0]))


def test_facts_are_the_datoms_that_they_came_from() -> None:
    """A closed fact is an assertion and a retraction; an empty one is only the datom that changed nothing."""
    closed, is_open, asserted_again, nothing_retracted = (
        (1, 73, "x", None, 1001, 1005),
        (1, 73, "y", None, 1005, None),
        (1, 73, "y", None, 1006, 1006),
        (1, 73, "z", None, None, 1007),
    )
    facts = pl.DataFrame([closed, is_open, asserted_again, nothing_retracted], FACTS_SCHEMA, orient="row")
    told: list[Datom] = [
        (1, 73, "x", 1001, True),
        (1, 73, "x", 1005, False),
        (1, 73, "y", 1005, True),
        (1, 73, "y", 1006, True),
        (1, 73, "z", 1007, False),
    ]

    assert sorted(facts_to_datoms(facts).iter_rows()) == sorted(told)
    assert sum_facts(facts) == datom_sum(5, sum(map(hash_by_hand, told)))
