"""Verdicts of earlier refreshes, read from the documents that their stages left."""

from datetime import timedelta
from pathlib import Path

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.documents import Verdict
from logcache_assets.domain.locations import Locations
from logcache_assets.local_platform.clock import LocalClock
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.past_verdicts import MOST_READ, MOST_VERDICTS, past_verdicts
from logcache_tests.domain.samples import BINDING, NOW, candidate, changed, verdict
from logcache_tests.engine.world import OWN_BUCKET, open_store

LOCATIONS = Locations(permanent_bucket=OWN_BUCKET)


@pytest.fixture
def store(tmp_path: Path) -> FolderObjectStore:
    """A bucket without any document."""
    return open_store(tmp_path)


def put(store: FolderObjectStore, night: str, *, days: int = 0, databases: tuple[str, ...] = ("feed",)) -> Verdict:
    """Store the verdict of a refresh of this night, decided so many days after the first."""
    binding = changed(BINDING, yesterday_transaction=night)
    made = changed(verdict(), binding=binding, databases=databases, decided_at=NOW + timedelta(days=days))
    Documents(store).write(LOCATIONS.verdict(transaction=night, selection="all"), made)
    return made


def test_verdicts_come_in_the_order_of_time(store: FolderObjectStore) -> None:
    """They are sorted by time, not by their documents' names."""
    later, first = put(store, "a", days=2), put(store, "b", days=1)

    assert past_verdicts(Documents(store), LOCATIONS, databases=("feed",)) == (first, later)


def test_only_verdicts_over_the_databases_are_read(store: FolderObjectStore) -> None:
    """One that shares a single database counts."""
    both = put(store, "a", databases=("cards", "feed"))
    put(store, "b", databases=("cards",))

    assert past_verdicts(Documents(store), LOCATIONS, databases=("feed", "customers")) == (both,)


def test_the_verdict_of_the_present_refresh_is_left_out(store: FolderObjectStore) -> None:
    """A report that is made again does not chart itself twice."""
    own, other = put(store, "a"), put(store, "b")

    assert past_verdicts(Documents(store), LOCATIONS, databases=("feed",), besides=own.binding) == (other,)


def test_what_is_no_verdict_of_this_version_is_left_out(store: FolderObjectStore) -> None:
    """Other stages' documents, reports, and verdicts that a former version wrote."""
    good = put(store, "a")
    Documents(store).write(LOCATIONS.candidate(transaction="a", selection="all"), candidate())
    store.write(LOCATIONS.report(transaction="a", selection="all", ending="md"), b"# Verdict")
    store.write(LOCATIONS.verdict(transaction="b", selection="all"), b'{"approved": true}')

    assert past_verdicts(Documents(store), LOCATIONS, databases=("feed",)) == (good,)


def test_no_more_verdicts_are_read_than_are_charted(store: FolderObjectStore) -> None:
    """The number of stored verdicts grows for years."""
    for n in range(MOST_VERDICTS + 2):
        put(store, f"{n:02}", days=n)

    assert len(past_verdicts(Documents(store), LOCATIONS, databases=("feed",))) == MOST_VERDICTS


def test_a_database_that_is_rarely_refreshed_does_not_read_years_of_verdicts(store: FolderObjectStore) -> None:
    """Only the newest are read; an older verdict on this database is not found any more."""
    put(store, "old", databases=("cards",))
    clock = LocalClock(store.path_of("s3://any").parent.parent / "clock")
    clock.set(clock.now() + timedelta(days=1))
    for n in range(MOST_READ - 1):
        put(store, f"{n:03}")

    assert len(past_verdicts(Documents(store), LOCATIONS, databases=("cards",))) == 1

    put(store, "one more")

    assert past_verdicts(Documents(store), LOCATIONS, databases=("cards",)) == ()
