"""Decisions whether a refresh is due."""

import pytest

from logcache_assets.domain.contract_definitions import DatabaseDefinition, parse_definition
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.due import Refresh, Wait, plan_refresh
from logcache_assets.domain.log_cache_map import LogCacheMap
from logcache_tests.domain.samples import (
    BASE_SHA,
    CUSTOMERS,
    FEED_S0,
    FEED_S1,
    NIGHT,
    SHA,
    TEST_RUN,
    map_entry,
    transaction,
)


def definition(database: str, prototypes: str) -> DatabaseDefinition:
    """A database with one small contract."""
    return parse_definition(
        f"database: {database}\nprototypes: [{prototypes}]\n"
        "entities: [{name: things, primary_key: thing/id, attributes: [{attribute: thing/name}]}]\n",
        where=f"{database}.yaml",
    )


CATALOG = (definition("customers", "global"), definition("feed", "s0, s1"))
ACTIVE: LogCacheMap = {
    "global": {"customers": map_entry(CUSTOMERS)},
    "s0": {"feed": map_entry(FEED_S0)},
    "s1": {"feed": map_entry(FEED_S1)},
}
OLDER: LogCacheMap = {**ACTIVE, "s1": {"feed": map_entry(FEED_S1, transaction=TEST_RUN)}}
PUBLISHED = Publication(
    candidate_sha=SHA,
    base_sha=BASE_SHA,
    branch="log-cache/2018-05-24-1c7be4a9",
    number=7,
    url="file:///pull_requests/7",
    verdict_sha256="aa" * 32,
)


def plan(
    active: LogCacheMap,
    *,
    databases: tuple[DatabaseDefinition, ...] = CATALOG,
    published: Publication | None = None,
    base_sha: str = BASE_SHA,
) -> Refresh | Wait:
    """The plan for the sample night."""
    return plan_refresh(
        chosen=transaction(FEED_S0), databases=databases, active=active, base_sha=base_sha, published=published
    )


@pytest.mark.parametrize(
    "active",
    [
        pytest.param({}, id="no cache at all"),
        pytest.param(OLDER, id="one instance is older"),
        pytest.param({"s0": ACTIVE["s0"], "global": ACTIVE["global"]}, id="one instance has no cache"),
    ],
)
def test_a_refresh_is_due_while_any_instance_is_behind(active: LogCacheMap) -> None:
    """It names the transaction, the databases and the base."""
    assert plan(active) == Refresh(transaction=NIGHT, databases=("customers", "feed"), base_sha=BASE_SHA)


def test_nothing_is_due_when_the_active_map_has_the_night() -> None:
    """The reason names the transaction."""
    assert plan(ACTIVE) == Wait(
        reason=f"the active map already points to transaction {NIGHT}, the newest good nightly run"
    )


def test_nothing_is_due_when_the_night_is_proposed_already() -> None:
    """The reason names the pull request."""
    assert plan(OLDER, published=PUBLISHED) == Wait(
        reason=f"transaction {NIGHT}, the newest good nightly run, is already proposed in "
        "pull request #7 (file:///pull_requests/7)"
    )


def test_a_proposal_on_an_older_base_is_due_again() -> None:
    """Somebody merged meanwhile: the candidate must be built on today's map."""
    assert isinstance(plan(OLDER, published=PUBLISHED, base_sha=SHA), Refresh)


def test_a_partial_refresh_looks_at_its_own_databases() -> None:
    """Only feed's cache is older than the night, so only a refresh of feed is due."""
    assert isinstance(plan(OLDER, databases=CATALOG[:1]), Wait)
    assert plan(OLDER, databases=CATALOG[1:]) == Refresh(transaction=NIGHT, databases=("feed",), base_sha=BASE_SHA)


def test_a_run_is_worth_repeating_when_night_or_base_change() -> None:
    """The key of a run request: the same plan asks only once."""
    due = Refresh(transaction=NIGHT, databases=("feed",), base_sha=BASE_SHA)

    assert due.key == f"{NIGHT}:{BASE_SHA}"
    assert due.key != Refresh(transaction=NIGHT, databases=("feed",), base_sha=SHA).key
    assert due.key != Refresh(transaction=TEST_RUN, databases=("feed",), base_sha=BASE_SHA).key
