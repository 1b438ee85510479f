"""Every documented accident ends in a refusal that names its cause, and nothing is published."""

import pytest

from logcache_assets.cli import local, refresh
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.errors import Refused
from logcache_assets.local_platform.accidents import accidents_of
from logcache_assets.local_platform.world import World
from logcache_tests.conftest import silent

CAUSES = {
    "gap": ("the segment index has a gap", "(C2)"),
    "overlap": ("the segment index has an overlap", "(C3)"),
    "stale-personal-data": ("may still hold deleted personal data (C7)", "customers-global", "customers-s0"),
    "truncated-copy": ("is not what was copied", "bytes at the source", "bytes at the destination", "(C13)"),
    "aborted-dataset": ("raw-customers-global/materialized-entities was aborted",),
    "placeholder": ("committed at the placeholder of empty datasets",),
    "lost-files": ("is committed, but no file is left at",),
    "lost-datom": ("customers-global: the log is not its segments: in t (", ", 1 datom is missing (C31)"),
    "wrong-last-t": ("the map says last_t 3060, the data ends at 3059 (C5)",),
    "empty-contract": ("contract-customers/customers: sound_table: it is empty, yesterday it had 945 rows",),
    "wrong-value": (
        "contract-customers/customers: differences_explained: the 1 unexplained row is on global",
        "(value changed in customer__name), at t 3,620: one segment, 9bcca3c2-10c8-4def-b168-3b98343067c5-3593-3663",
    ),
    "stale-reader": (
        " and 7 more: all 89 missed rows are on feed-s0",
        "in t 5,404-5,449: one segment, 439087fb-973f-42c5-9738-55390a7f41b3-5403-5449.avro",
    ),
}


DATABASE = {
    "gap": "feed",
    "overlap": "feed",
    "stale-personal-data": "customers",
    "truncated-copy": "customers",
    "aborted-dataset": "customers",
    "placeholder": "customers",
    "lost-files": "customers",
    "lost-datom": "customers",
    "wrong-last-t": "customers",
    "empty-contract": "customers",
    "wrong-value": "customers",
    "stale-reader": "feed",
}
"""The database that an accident happens to; refreshed with others it would be left out alone (test_left_out.py)."""


def test_every_accident_has_its_cause(world: World) -> None:
    """No fault is offered to users that the tests do not see refused; one is adopted (refresh/test_adopt.py)."""
    assert {fault.name for fault in accidents_of(world)} == {*CAUSES, "hand-written-map"}


@pytest.mark.parametrize("fault", CAUSES)
def test_an_accident_is_refused_with_its_cause(world: World, fault: str) -> None:
    """The refusal names the cause; there is no pull request and main is as the accident left it."""
    local.break_(world.settings, fault)
    main, map_text = world.repository.head("main"), world.repository.read(MAP_PATH, ref="main")

    with pytest.raises(Refused) as refusal:
        refresh.run(world.settings, databases=(DATABASE[fault],), transaction=None, dry_run=False, say=silent)

    assert all(part in str(refusal.value) for part in CAUSES[fault])
    assert tuple(world.repository.open_pull_requests()) == ()
    assert world.repository.head("main") == main
    assert world.repository.read(MAP_PATH, ref="main") == map_text


@pytest.mark.parametrize("fault", ["gap", "overlap", "stale-personal-data", "truncated-copy"])
def test_an_accident_behind_an_open_pull_request_is_refused(refreshed_world: World, fault: str) -> None:
    """The proposed map is inspected again: the refusal says that it must not be merged."""
    local.break_(refreshed_world.settings, fault)

    with pytest.raises(Refused, match="must not be merged any more"):
        refresh.run(refreshed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)
