"""A stage that finds its work done says so, in its line and on its page; one that does it does not say *reused*."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from logcache_assets.defs.run_storage import open_storage
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import materialize, refusal_of

STAGES = ("log_export/feed", "permanent_log/feed", "log_cache_candidate", "itaipu_test_run")
LINES = (
    "feed: 35,285 datoms reused, as their earlier description is still true",
    "bytes reused, as the earlier copy is intact",
    "Reused the earlier commit",
    "Reused an earlier test run of Itaipu, transaction",
)


def lines_of(instance: dg.DagsterInstance, run: str) -> str:
    """What the stages of a run logged."""
    return "\n".join(record.user_message for record in instance.all_logs(run) if not record.is_dagster_event)


def shown_by(materializations: Iterator[Any]) -> dict[str, str]:
    """Asset → what its page says of reuse."""
    return {
        made.asset_key.to_user_string(): str(made.metadata["reused"].value)
        for made in materializations
        if "reused" in made.metadata
    }


def test_what_is_found_done_is_not_told_as_done(refreshed_feed_world: World) -> None:
    """Export, copy, candidate and test run of the same night again."""
    result = materialize(refreshed_feed_world, *STAGES)

    assert refusal_of(result) == ""
    made = (event.step_materialization_data.materialization for event in result.get_asset_materialization_events())
    assert shown_by(made) == dict.fromkeys(STAGES, "yes, what an earlier run made still holds")
    with open_storage(refreshed_feed_world.dagster_home) as instance:
        told = lines_of(instance, result.run_id)
    assert [line for line in LINES if line not in told] == []
    assert "exported" not in told
    assert "Committed" not in told


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_done_is_told_as_done(refreshed_feed_world: World, stage: str) -> None:
    """The first refresh of the night made all of it."""
    key = dg.AssetKey.from_user_string(stage)
    with open_storage(refreshed_feed_world.dagster_home) as instance:
        event = instance.get_latest_materialization_event(key)

    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["reused"].value == "no, made in this run"
