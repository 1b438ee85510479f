"""Malformed input from outside: one sentence that names file, place and remedy, and nothing is published."""

import re
from collections.abc import Callable

import pytest

from logcache_assets.cli import refresh
from logcache_assets.cli.refresh_result import Refreshed
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import LogCacheError
from logcache_assets.local_platform.timeline import EARLIEST
from logcache_assets.local_platform.world import World
from logcache_tests.conftest import silent
from logcache_tests.worlds import files_of, path_of

FEED_S0 = Instance(database="feed", prototype="s0")


def corrupt_raw_log(world: World) -> None:
    """A Parquet file of the night is half a file."""
    night = world.metapod.transactions(TransactionType.DAILY, since=EARLIEST)[0]
    uri = f"{night.datasets['raw-feed-s0/log'].path}/part-00000.parquet"
    world.store.write(uri, world.store.read(uri)[:5000])


def corrupt_segment(world: World) -> None:
    """A segment of the day is half a file."""
    path = world.segment_index.segments(FEED_S0)[-1].path
    world.store.write(path, world.store.read(path)[:300])


def lose_segment(world: World) -> None:
    """The index names a segment whose file is gone."""
    path_of(world, world.segment_index.segments(FEED_S0)[-1].path).unlink()


def edit_map(old: str, new: str) -> Callable[[World], None]:
    """Somebody edits the map on main by hand."""

    def edit(world: World) -> None:
        text = world.repository.read(MAP_PATH, ref="main")
        assert old in text
        world.repository.commit_to_base({MAP_PATH: text.replace(old, new, 1)}, "Edit the map")

    return edit


def edit_definition(world: World) -> None:
    """An analyst commits a definition with an unknown key; the catalog still has the old one."""
    text = world.repository.read("contracts/feed.yaml", ref="main").replace("snapshot: true", "snapshots: true", 1)
    world.repository.commit_to_base({"contracts/feed.yaml": text}, "Add a snapshot")


def expire_allowance(world: World) -> None:
    """An entry of the allow-list ran out the day before."""
    entry = "contract: contract-feed/accounts, finding: unexplained, owner: team-cards, reason: known"
    text = f"allow:\n  - {{{entry}, expires: 2018-05-01}}\n"
    world.repository.commit_to_base({RULES_PATH: text}, "Allow for a while")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(
            corrupt_raw_log,
            ("raw-feed-s0/log/part-00000.parquet is not a readable Parquet file", "copy or compute it again"),
            id="corrupt parquet",
        ),
        pytest.param(
            lose_segment,
            ("contract-feed/accounts and 4 more: it is aborted in the test run: feed-s0", "-5403-5449.avro"),
            id="index item without a file",
        ),
        pytest.param(
            edit_map('"last_t": 3185', '"last_t": 95599N'),
            ("log_cache_map.json on main is not JSON: line 4 column 22", "(C15); correct it and commit"),
            id="last_t as 95599N",
        ),
        pytest.param(
            edit_map('"last_t": 3185', '"last_t": "3185"'),
            ("log_cache_map.json on main: entry s0 / feed", '"3185"', "correct that value and commit"),
            id="last_t as a string",
        ),
        pytest.param(
            edit_map('"last_t": 3185', '"lastT": 3185'),
            ("log_cache_map.json on main: entry s0 / feed", "lastT"),
            id="unknown key in the map",
        ),
        pytest.param(
            edit_definition,
            ("contracts/feed.yaml, line 6", "snapshots"),
            id="unknown key in a definition",
        ),
        pytest.param(
            expire_allowance,
            (f"{RULES_PATH} at ", "line 2", "contract-feed/accounts expired on 2018-05-01", "team-cards"),
            id="expired allowance",
        ),
    ],
)
def test_malformed_input_is_refused(feed_world: World, damage: Callable[[World], None], said: tuple[str, ...]) -> None:
    """The refusal names the file; main stays, and no pull request is opened."""
    damage(feed_world)
    main = feed_world.repository.head("main")

    with pytest.raises(LogCacheError) as refusal:
        refresh.run(feed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert [part for part in said if part not in str(refusal.value)] == []
    assert feed_world.repository.head("main") == main
    assert tuple(feed_world.repository.open_pull_requests()) == ()


def test_a_corrupt_segment_fails_only_its_databases_contracts(world: World) -> None:
    """It is left out, with the name of the file; the other database is judged and proposed all the same."""
    corrupt_segment(world)

    result = refresh.run(world.settings, databases=("customers", "feed"), transaction=None, dry_run=False, say=silent)

    assert isinstance(result, Refreshed)
    assert [found.database for found in result.databases] == ["customers"]
    assert re.match(
        r"contract-feed/transactions and 9 more: it is aborted .*: feed-s0: .*-5403-5449\.avro", result.left_out["feed"]
    )
    listed = world.store.list_objects(f"s3://{world.settings.permanent_bucket}/cache/_refresh/")
    pages = {
        i.uri.rpartition("/")[2]: world.store.read(i.uri).decode() for i in listed if "/validation_report/" in i.uri
    }
    assert 'href="customers_feed.refused.html"' in pages["customers_feed.html"]
    assert "contract-feed/transactions" in pages["customers_feed.refused.html"]


def test_no_test_run_is_started_that_could_not_be_judged(feed_world: World) -> None:
    """It takes hours on a cluster; the rules are read before."""
    expire_allowance(feed_world)

    with pytest.raises(LogCacheError, match="expired on 2018-05-01"):
        refresh.run(feed_world.settings, databases=(), transaction=None, dry_run=False, say=silent)

    assert feed_world.metapod.transactions(TransactionType.CUSTOM, since=EARLIEST) == ()


def test_a_named_transaction_that_metapod_does_not_know_is_refused(feed_world: World) -> None:
    """With its id."""
    unknown = "00000000-0000-4000-8000-000000000000"

    with pytest.raises(LogCacheError, match=unknown):
        refresh.run(feed_world.settings, databases=(), transaction=unknown, dry_run=False, say=silent)


@pytest.mark.parametrize("no_id", ["", "..", "../../x", "49ae32bb-c260-4622-ac10-753cfd8fa7b3\n"])
def test_a_named_transaction_that_is_no_id_is_refused(feed_world: World, no_id: str) -> None:
    """Before it becomes part of a path; an empty one is not taken for the newest night."""
    before = files_of(feed_world.home)

    with pytest.raises(LogCacheError, match="is no id of a metapod transaction"):
        refresh.run(feed_world.settings, databases=(), transaction=no_id, dry_run=False, say=silent)

    assert files_of(feed_world.home) == before
