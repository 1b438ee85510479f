"""Database instances and their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.instances import Instance, is_prototype, parse_instance
from logcache_assets.errors import BadInput


@pytest.mark.parametrize(
    ("name", "database", "prototype"),
    [
        pytest.param("feed-s0", "feed", "s0", id="a shard"),
        pytest.param("customers-global", "customers", "global", id="global"),
        pytest.param("double-entry-s1", "double-entry", "s1", id="a database with a hyphen"),
        pytest.param("double-entry-t5b-s0", "double-entry-t5b", "s0", id="a database that ends like a shard"),
        pytest.param("feed-s1-s14", "feed-s1", "s14", id="a database that ends with a shard"),
        pytest.param("feed-s15", "feed", "s15", id="a shard that the platform adds one day"),
    ],
)
def test_the_prototype_is_split_off_the_right_end(name: str, database: str, prototype: str) -> None:
    """Database names may contain hyphens and shard-like parts."""
    instance = parse_instance(name)

    assert instance == Instance(database=database, prototype=prototype)
    assert instance.name == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("feed", id="no prototype"),
        pytest.param("-s0", id="no database"),
        pytest.param("", id="nothing"),
        pytest.param("feed-s", id="a shard without a number"),
        pytest.param("feed-s01", id="a shard with a leading zero"),
        pytest.param("feed-s--1", id="a negative shard"),
        pytest.param("feed-x1", id="another letter"),
        pytest.param("feed-globals", id="more than global"),
        pytest.param("feed-s1\n", id="a line end"),
        pytest.param("feed-s\u0661", id="an Arabic digit"),
        pytest.param("feed-S0", id="upper case"),
        pytest.param("double-entry-t5b", id="a database that ends like a shard"),
        pytest.param("feed-s0 ", id="a space at the end"),
    ],
)
def test_what_is_no_instance_is_refused(name: str) -> None:
    """The refusal shows the name and how one is written."""
    with pytest.raises(BadInput) as refusal:
        parse_instance(name)

    assert str(refusal.value) == (
        f"{name!r} is no database instance: write <database>-<prototype>, for example feed-s0"
    )


@given(
    database=st.from_regex(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", fullmatch=True),
    prototype=st.just("global") | st.integers(min_value=0).map("s{}".format),
)
def test_a_name_is_its_instance_and_back(database: str, prototype: str) -> None:
    """Parsing an instance's name gives the instance, for every database name and every prototype."""
    instance = Instance(database=database, prototype=prototype)

    assert parse_instance(instance.name) == instance


@pytest.mark.parametrize("name", ["global", *(f"s{n}" for n in range(15))])
def test_the_prototypes_of_the_platform_are_known(name: str) -> None:
    """Today the platform has `s0` to `s14` and `global`."""
    assert is_prototype(name)


@pytest.mark.parametrize("name", ["x1", "S0", "s", "s-1", "s01", "s1 ", "", "Global", "s1.0", "t5b"])
def test_other_names_are_no_prototypes(name: str) -> None:
    """A misspelt prototype is found where it is written, not when its log is missing."""
    assert not is_prototype(name)
