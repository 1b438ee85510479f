"""The order of Datomic's index, held against Java's own: Spark has a JVM at hand."""

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from logcache_assets.engine.facts.java_uris import uri_key
from logcache_assets.engine.facts.value_keys import uuid_key
from logcache_tests.engine.facts.test_index_order import ORDERS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AUTHORITIES = (
    "",
    "//A.org",
    "//a.org:80",
    "//u@a.org",
    "//a_b",
    "//1.2.3.4",
    "//1.2.3",
    "//[::1]:8",
    "//a.1b",
    "//a.b.",
)
URIS = [
    *ORDERS["uri"],
    *(
        f"{scheme}{authority}{rest}"
        for scheme in ("http:", "", "X:")
        for authority in AUTHORITIES
        for rest in ("/a", "/?B#")
    ),
]
KEYS = [
    pytest.param("java.net.URI.create", uri_key, URIS, id="uris"),
    pytest.param("java.util.UUID.fromString", uuid_key, ORDERS["uuid"], id="uuids"),
]


@pytest.mark.parametrize(("factory", "key", "texts"), KEYS)
def test_values_compare_as_in_java(
    factory: str, key: Callable[[str], Any], texts: list[str], session: "SparkSession"
) -> None:
    """Every pair compares as `compareTo` says."""
    make: Any = session._jvm  # noqa: SLF001 - the way to the JVM
    for name in factory.split("."):
        make = getattr(make, name)
    values = {text: make(text) for text in texts}

    compared = {(a, b): _sign(values[a].compareTo(values[b])) for a, b in product(texts, repeat=2)}

    assert compared == {(a, b): (key(a) > key(b)) - (key(a) < key(b)) for a, b in product(texts, repeat=2)}


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
