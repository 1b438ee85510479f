"""Plans of copies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.copying import CopyPlan, plan_copy

NOTHING = CopyPlan(missing=(), present=(), conflicting=(), foreign=())
OBJECTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1", "2"]))


@pytest.mark.parametrize(
    ("source", "destination", "group"),
    [
        pytest.param({"a": "1"}, {}, "missing", id="not there"),
        pytest.param({"a": "1"}, {"a": "1"}, "present", id="there with the same digest"),
        pytest.param({"a": "1"}, {"a": "2"}, "conflicting", id="there with another digest"),
        pytest.param({}, {"a": "1"}, "foreign", id="only there"),
    ],
)
def test_an_object_falls_into_its_group(source: dict[str, str], destination: dict[str, str], group: str) -> None:
    """The table of the plan, row by row; all other groups are empty."""
    plan = plan_copy(source=source, destination=destination)

    assert {name: getattr(plan, name) for name in NOTHING.__slots__} == {
        name: (("a",) if name == group else ()) for name in NOTHING.__slots__
    }


def test_nothing_at_all_is_an_empty_plan() -> None:
    """Without objects all groups are empty."""
    assert plan_copy(source={}, destination={}) == NOTHING


@given(source=OBJECTS, destination=OBJECTS)
def test_every_object_is_in_exactly_one_group(source: dict[str, str], destination: dict[str, str]) -> None:
    """For all listings: the groups partition the names, and what is to be copied overwrites nothing."""
    plan = plan_copy(source=source, destination=destination)

    names = [*plan.missing, *plan.present, *plan.conflicting, *plan.foreign]
    assert sorted(names) == sorted(source.keys() | destination.keys())
    assert not set(plan.missing) & destination.keys()
    assert {name for name in plan.present if source[name] != destination[name]} == set()


@given(source=OBJECTS, destination=OBJECTS)
def test_a_copy_of_the_plan_leaves_nothing_to_copy(source: dict[str, str], destination: dict[str, str]) -> None:
    """After the missing objects are copied, a second plan misses none and has the same conflicts."""
    plan = plan_copy(source=source, destination=destination)

    again = plan_copy(source=source, destination=destination | {name: source[name] for name in plan.missing})

    assert again.missing == ()
    assert (again.conflicting, again.foreign) == (plan.conflicting, plan.foreign)
