"""The order of Datomic's index, for every value type; the orders are written by hand, by Java's and Clojure's rules."""

import polars as pl
import pytest

from logcache_assets.engine.facts.index_order import index_places
from logcache_assets.engine.facts.values import COLUMN_TYPES

ORDERS = {
    "string": ["", "A", "Z", "a", "ab", "é", "\ud7ff", "😀", "\ue000", "\uffff"],
    "keyword": [":Z", ":a", ":a.b", ":a/b", ":a/c", ":a/c/d", ":a.b/a", ":b/a"],
    "symbol": ["/", "Z", "a", "z", "a/z", "b/a"],
    "boolean": ["false", "true"],
    "long": ["-9223372036854775808", "-10", "-9", "0", "9", "10", "9223372036854775807"],
    "ref": ["35", "100", "17592186044418", "2305864999446250524"],
    "instant": [
        "-300000-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00.000Z",
        "1969-12-31T23:59:59.999Z",
        "2018-01-01T00:00:00.000Z",
        "9999-12-31T23:59:59.999Z",
        "+10000-01-01T00:00:00.000Z",
    ],
    "double": ["-Infinity", "-10.0", "-9.0", "-5.0E-324", "0.0", "1.0E-320", "9.0", "10.0", "Infinity", "NaN"],
    "float": ["-1.5", "0.1", "1.0E10", "Infinity"],
    "bigdec": ["-1", "-0.5", "0", "0.0000000001", "1.0", "1.00", "9", "10", "1" + "0" * 40],
    "bigint": ["-" + "9" * 40, "-1", "9", "10", "9" * 40],
    "uuid": [
        "80000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "00000000-0000-0000-8000-000000000000",
        "00000000-0000-0000-0000-000000000000",
        "00000000-0000-0000-7fff-ffffffffffff",
        "7fffffff-0000-0000-0000-000000000000",
    ],
    "bytes": ["", "gA==", "/w==", "AA==", "fw==", "gIA=", "AAA="],
    "uri": [
        "a/b",
        "http:/b",
        "HTTP://A.org/",
        "http://a.org/?a",
        "http://a.org/?b",
        "http://a.org/b",
        "http://a.org:80/a",
        "http://B.org/a",
        "http://u@a.org/a",
        "http:b",
        "mailto:a@b",
        "mailto:b@b",
        "mailto:b@b#x",
        "urn:a",
    ],
    "tuple": [
        "[nil nil]",
        "[nil 7]",
        "[false 1]",
        "[true 1]",
        "[-1 nil]",
        "[9 1.50M]",
        "[9 1.6M]",
        "[9N ##NaN]",
        "[10 1]",
        "[:a 1]",
        "[:a/b 1]",
        '[#inst "2017-12-31T23:59:59.999-00:00" 1]',
        '[#inst "2018-01-01T00:00:00.000-00:00" 1]',
        '[#uuid "ffffffff-ffff-ffff-ffff-ffffffffffff" 1]',
        '[#uuid "00000000-0000-0000-0000-000000000000" 1]',
        '["" nil]',
        '["a" nil]',
        '["a" 1]',
        '["a" 1 2]',
        r'["a\"b" 1]',
        r'["b\"" 1]',
        r'["b\u0041" 1]',
    ],
    "fn": ["#db/fn{}", "a"],
}
"""Value type → texts in the order of the index; where two are one value, the text decides."""


def placed(values: list[str], value_type: str) -> list[str]:
    """The values in the order of their places, from texts as from integers."""
    facts = pl.DataFrame({"v": values, "n": pl.Series([None] * len(values), dtype=pl.Int64)})
    places = index_places(facts, value_type)
    assert places.n_unique() == len(values)
    return facts.select(pl.col("v").sort_by(places))["v"].to_list()


@pytest.mark.parametrize("value_type", ORDERS)
def test_values_are_in_the_order_of_the_index(value_type: str) -> None:
    """Every type has its own order."""
    right = ORDERS[value_type]

    assert placed(right[::2] + right[1::2][::-1], value_type) == right


def test_every_type_of_a_column_has_an_order() -> None:
    """None is forgotten."""
    assert COLUMN_TYPES.keys() <= ORDERS.keys()


@pytest.mark.parametrize(
    ("value_type", "wrong"),
    [
        pytest.param("uuid", "00000000", id="uuid"),
        pytest.param("bytes", "*", id="bytes"),
        pytest.param("bigdec", "one", id="bigdec"),
        pytest.param("tuple", "(1 2)", id="tuple"),
        pytest.param("tuple", "[(1 2)]", id="tuple of a list"),
        pytest.param("tuple", '[#inst "today"]', id="tuple of no instant"),
        pytest.param("long", "seven", id="long"),
    ],
)
def test_texts_of_another_type_come_last(value_type: str, wrong: str) -> None:
    """What no reader can order is ordered by its text, so that the same value is always first."""
    right = ORDERS[value_type]

    assert placed([wrong, *right], value_type) == [*right, wrong]
    assert placed([wrong, f"{wrong}!"], value_type) == [wrong, f"{wrong}!"]


def test_integers_are_their_own_places() -> None:
    """Refs, longs, instants and booleans need no text."""
    facts = pl.DataFrame({"v": [None, None], "n": [2305864999446250524, 35]}, schema_overrides={"v": pl.String})

    assert index_places(facts, "ref").to_list() == [2305864999446250524, 35]
