"""A catalog that declares other contracts than the commit that a refresh tests."""

from logcache_assets.domain.contract_definitions import definition_path
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import FEED_DEFINITION, materialize


def test_a_contract_that_the_candidates_commit_does_not_declare_fails_its_checks(feed_world: World) -> None:
    """An analyst removed an entity after the catalog was pulled: its checks fail and say to pull it again."""
    without_merchants, _, _ = FEED_DEFINITION.partition("  - name: merchants")
    feed_world.repository.commit_to_base({definition_path("feed"): without_merchants}, "Remove merchants")

    result = materialize(feed_world)

    of_merchants = [e for e in result.get_asset_check_evaluations() if e.asset_key.path[-1].startswith("merchant")]
    assert of_merchants
    assert not any(evaluation.passed for evaluation in of_merchants)
    assert all("do not declare it (C24); run `logcache catalog pull`" in str(e.metadata) for e in of_merchants)
