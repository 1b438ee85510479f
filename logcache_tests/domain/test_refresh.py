"""Whether a refresh is due, what it is called, and when it may be published."""

from datetime import UTC, datetime, time

import pytest

from logcache_assets.domain.definitions import DatabaseDefinition, parse_definition
from logcache_assets.domain.documents import Publication
from logcache_assets.domain.due import Refresh, Wait, plan_refresh
from logcache_assets.domain.log_cache_map import LogCacheMap
from logcache_assets.domain.publish_window import PublishWindow
from logcache_assets.domain.selections import branch_name, selection_name
from logcache_tests.domain.samples import (
    BASE_SHA,
    CUSTOMERS,
    FEED_S0,
    FEED_S1,
    NIGHT,
    READ_AT,
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
    """Feed is behind, customers is not."""
    assert isinstance(plan(OLDER, databases=CATALOG[:1]), Wait)
    assert plan(OLDER, databases=CATALOG[1:]) == Refresh(transaction=NIGHT, databases=("feed",), base_sha=BASE_SHA)


def test_a_run_is_worth_repeating_when_night_or_base_change() -> None:
    """The key of a run request: the same plan asks only once."""
    due = Refresh(transaction=NIGHT, databases=("feed",), base_sha=BASE_SHA)

    assert due.key == f"{NIGHT}:{BASE_SHA}"
    assert due.key != Refresh(transaction=NIGHT, databases=("feed",), base_sha=SHA).key
    assert due.key != Refresh(transaction=TEST_RUN, databases=("feed",), base_sha=BASE_SHA).key


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        pytest.param(time(12, 59, 59, 999999), False, id="just before"),
        pytest.param(time(13, 0), True, id="at its start"),
        pytest.param(time(18, 0), True, id="in the middle"),
        pytest.param(time(22, 59, 59, 999999), True, id="just before its end"),
        pytest.param(time(23, 0), False, id="at its end"),
        pytest.param(time(0, 0), False, id="midnight"),
    ],
)
def test_the_publish_window_holds_its_start_and_not_its_end(*, at: time, inside: bool) -> None:
    """13:00 to 23:00 UTC: outside of it contracts are computed."""
    window = PublishWindow(start_hour=13, end_hour=23)

    assert window.holds(datetime.combine(READ_AT, at, tzinfo=UTC)) is inside
    assert str(window) == "13:00-23:00 UTC"


def test_a_window_of_a_whole_day_holds_every_hour() -> None:
    """0 to 24 switches the rule off."""
    window = PublishWindow(start_hour=0, end_hour=24)

    assert all(window.holds(READ_AT.replace(hour=hour)) for hour in range(24))


@pytest.mark.parametrize(
    ("databases", "name"),
    [
        pytest.param(["feed", "customers", "a", "b"], "all", id="the whole catalog in any order"),
        pytest.param(["feed"], "feed", id="one"),
        pytest.param(["feed", "customers"], "customers_feed", id="two, sorted"),
        pytest.param(["feed", "a", "customers"], "a_customers_feed", id="three"),
    ],
)
def test_a_selection_is_named_by_its_databases(databases: list[str], name: str) -> None:
    """Short names for documents and branches."""
    assert selection_name(databases, catalog=["a", "b", "customers", "feed"]) == name


def test_a_large_selection_has_a_short_name_of_its_own() -> None:
    """Its size and a digest: the same for any order, another for any other choice."""
    catalog = [f"database-{n}" for n in range(50)]

    name = selection_name(catalog[:17], catalog=catalog)

    assert name.startswith("17_")
    assert len(name) == len("17_4f1d20aa")
    assert selection_name(list(reversed(catalog[:17])), catalog=catalog) == name
    assert selection_name(catalog[1:18], catalog=catalog) != name


def test_a_branch_is_named_by_night_and_selection() -> None:
    """A partial refresh never moves the branch of the whole one."""
    assert branch_name(transaction=NIGHT, started_at=READ_AT, selection="all") == "log-cache/2018-05-24-1c7be4a9"
    assert branch_name(transaction=NIGHT, started_at=READ_AT, selection="feed") == "log-cache/2018-05-24-1c7be4a9-feed"
