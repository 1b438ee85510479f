"""A newer pull request makes an older one pointless if it moves every instance of it at least as far."""

import pytest

from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.superseding import supersedes
from logcache_tests.domain.samples import candidate, changed

NEWER = changed(candidate(), branch="log-cache/2018-05-25-49ae32bb-feed")
"""Another branch with the same instances at the same t."""


def at(*last_t: int) -> Candidate:
    """The sample candidate with other last t; with one alone, of feed-s0 only."""
    changes = zip(candidate().changes, last_t, strict=False)
    return changed(candidate(), changes=tuple(changed(change, last_t=t) for change, t in changes))


@pytest.mark.parametrize(
    ("older", "superseded"),
    [
        pytest.param(at(4836, 4770), True, id="the same t"),
        pytest.param(at(4000, 4000), True, id="earlier t"),
        pytest.param(at(4000), True, id="fewer instances"),
        pytest.param(at(4836, 4771), False, id="one instance further"),
        pytest.param(changed(at(4000), branch=NEWER.branch), False, id="itself"),
    ],
)
def test_an_older_candidate_is_superseded(*, older: Candidate, superseded: bool) -> None:
    """Instance by instance."""
    assert supersedes(NEWER, older) is superseded


def test_another_instance_is_not_superseded() -> None:
    """What the newer candidate does not refresh must stay open."""
    other = changed(candidate().changes[0], instance="customers-s0")

    assert not supersedes(NEWER, changed(candidate(), changes=(other,)))
