"""Nights whose instants, or our own clock's, cannot be true: nothing is built on them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from logcache_assets.cli import refresh
from logcache_assets.cli.refresh_result import NothingToRefresh
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import Refused
from logcache_assets.local_platform.world import World
from logcache_tests.conftest import silent
from logcache_tests.worlds import files_of


def set_in_metapod(world: World, statement: str, instant: datetime) -> None:
    """Change an instant of every run that metapod knows."""
    with closing(sqlite3.connect(world.files.metapod)) as connection, connection:
        connection.execute(statement, (utc_text(instant),))


def begin_in_the_future(world: World) -> None:
    """Somebody typed the start of the night, two days ahead."""
    set_in_metapod(world, "UPDATE transactions SET started_at = ?", world.clock.now() + timedelta(days=2))


def begin_after_its_commits(world: World) -> None:
    """The start of the night is this noon, after all its commits."""
    set_in_metapod(world, "UPDATE transactions SET started_at = ?", world.clock.now() - timedelta(hours=2))


def commit_in_the_future(world: World) -> None:
    """Metapod's clock was 37 days ahead."""
    set_in_metapod(world, "UPDATE datasets SET committed_at = ?", world.clock.now() + timedelta(days=37))


def take_older_files(world: World) -> None:
    """The night's datasets have the paths of an older run, whose files they share."""
    world.clock.set(world.clock.now() - timedelta(days=30))
    for uri in list(world.store.list_uris(f"s3://{world.settings.ephemeral_bucket}/")):
        if "/raw-feed-s0/log/" in uri:
            world.store.write(uri, world.store.read(uri))
    world.clock.set(world.clock.now() + timedelta(days=30))


def set_clock_back(world: World) -> None:
    """Our own clock says 2017."""
    world.clock.set(world.clock.now().replace(year=2017))


def set_clock_ahead(world: World) -> None:
    """Our own clock is 37 days ahead."""
    world.clock.set(world.clock.now() + timedelta(days=37))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            begin_in_the_future, "no good nightly transaction.* it began at .*, and now is", id="future start"
        ),
        pytest.param(begin_after_its_commits, "was committed at .*, before the run began at", id="start after commits"),
        pytest.param(commit_in_the_future, "was committed at .*, and now is", id="a commit in the future"),
        pytest.param(take_older_files, "older than the run, begun at .*: it is another run's", id="older files"),
        pytest.param(set_clock_back, "the clock here is behind: it says 2017-.*; metapod shows a commit", id="2017"),
        pytest.param(set_clock_ahead, "of the last 14 days, and now is .* by the clock here", id="37 days ahead"),
    ],
)
def test_instants_that_cannot_be_true_are_refused(
    feed_world: World, change: Callable[[World], None], said: str
) -> None:
    """When the night read its segments is not known, so nothing is written (C7)."""
    change(feed_world)
    before = files_of(feed_world.buckets)

    with pytest.raises(Refused, match=said):
        refresh.run(feed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert files_of(feed_world.buckets) == before
    assert tuple(feed_world.repository.open_pull_requests()) == ()


def test_a_test_run_is_not_passed_over(refreshed_feed_world: World) -> None:
    """Somebody's test run is newer than every night; it never stood for one."""
    settings = refreshed_feed_world.settings

    looked = refresh.run(settings, databases=(), transaction=None, dry_run=True, say=silent)

    assert isinstance(looked, NothingToRefresh)
    assert looked.rejected == []


def test_a_test_run_that_a_person_names_is_refused(refreshed_feed_world: World) -> None:
    """With the reason."""
    world = refreshed_feed_world
    (test_run,) = world.metapod_store.find_transactions(types=[TransactionType.CUSTOM])

    with pytest.raises(Refused, match="its type is CUSTOM, wanted is DAILY or HOTFIX"):
        refresh.run(world.settings, databases=(), transaction=test_run.id, dry_run=True, say=silent)
