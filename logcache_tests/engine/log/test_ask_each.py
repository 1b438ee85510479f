"""Questions about several instances at once: as one after the other, but sooner."""

import threading

import pytest

from logcache_assets.domain.instances import Instance
from logcache_assets.engine.log.ask_each import AT_ONCE, ask_each

MANY = [Instance(database="feed", prototype=f"s{n}") for n in range(3 * AT_ONCE)]


def test_answers_come_in_the_order_of_the_instances() -> None:
    """Whichever is answered first; an instance that is named twice is asked once."""
    order = list(reversed(MANY))

    answers = ask_each([*order, *MANY], lambda instance: instance.name)

    assert list(answers.items()) == [(instance, instance.name) for instance in order]
    assert ask_each([], str) == {}


def test_so_many_are_asked_at_once_and_no_more() -> None:
    """The first ones wait for each other, so they are under way together; before one of them ends no other begins."""
    all_there, one_more = threading.Barrier(AT_ONCE), threading.Event()

    def ask(instance: Instance) -> bool:
        if instance not in MANY[:AT_ONCE]:
            one_more.set()
            return False
        all_there.wait(timeout=30)
        begun = one_more.wait(timeout=0.3)
        all_there.wait(timeout=30)
        return begun

    assert set(ask_each(MANY, ask).values()) == {False}


def test_the_first_error_in_order_is_raised() -> None:
    """The one that a person would see if they were asked one after the other, also if a later one fails sooner."""
    later_failed = threading.Event()

    def ask(instance: Instance) -> None:
        if instance == MANY[1]:
            later_failed.wait(timeout=30)
            raise ValueError(instance.name)
        if instance == MANY[5]:
            later_failed.set()
            raise ValueError(instance.name)

    with pytest.raises(ValueError, match="feed-s1"):
        ask_each(MANY, ask)
