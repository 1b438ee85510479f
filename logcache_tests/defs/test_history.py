"""The contracts stage judges with the verdicts of earlier refreshes."""

from datetime import timedelta
from typing import Any

import dagster as dg

from logcache_assets.domain.documents import ContractOutcome, Verdict
from logcache_assets.domain.locations import Stage, stage_of
from logcache_assets.local_platform.world import World
from logcache_assets.refresh.document_store import Documents
from logcache_tests.domain.samples import changed
from logcache_tests.worlds import materialize, refusal_of

ACCOUNTS = "contract-feed/accounts"


def with_more_accounts(outcome: ContractOutcome) -> ContractOutcome:
    """Accounts as they were when there were 10,000 more."""
    if outcome.dataset != ACCOUNTS or outcome.figures is None:
        return outcome
    today = changed(outcome.figures.today, rows=outcome.figures.today.rows + 10_000)
    return changed(outcome, figures=changed(outcome.figures, today=today))


def put_earlier_verdicts(world: World, *, refreshes: int) -> None:
    """Let the world have had earlier refreshes of other nights, with more accounts in all of them."""
    documents, locations = Documents(world.store), world.settings.locations
    (uri,) = [
        item.uri
        for item in world.store.list_objects(locations.documents)
        if stage_of(item.uri) == Stage.VERDICT and item.uri.endswith(".json")
    ]
    verdict = documents.read(uri, Verdict)
    assert verdict.binding is not None
    for n in range(refreshes):
        earlier = changed(
            verdict,
            binding=changed(verdict.binding, yesterday_transaction=f"night-{n}"),
            decided_at=verdict.decided_at - timedelta(days=30 * (n + 1)),
            contracts=tuple(map(with_more_accounts, verdict.contracts)),
        )
        documents.write(locations.verdict(transaction=f"night-{n}", selection="all"), earlier)


def test_a_contract_is_held_against_the_refreshes_before(refreshed_feed_world: World) -> None:
    """The verdicts of earlier nights are its history, its own night's is not; outside the band it warns."""
    put_earlier_verdicts(refreshed_feed_world, refreshes=3)

    result = materialize(refreshed_feed_world, "contract/feed/accounts", "contract/feed/merchants")

    assert refusal_of(result) == ""
    checks = {c.asset_key.path[-1]: c for c in result.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {"accounts": False, "merchants": True}
    assert checks["accounts"].severity == dg.AssetCheckSeverity.WARN
    assert "-10,000 since the last refresh" in (checks["accounts"].description or "")
    assert checks["merchants"].metadata["earlier_refreshes"].value == 3


def test_the_first_refresh_has_nothing_to_be_held_against(refreshed_feed_world: World) -> None:
    """The demo passes silently, though its own verdict lies there."""
    result = materialize(refreshed_feed_world, "contract/feed/accounts")

    [found] = result.get_asset_check_evaluations()
    table: Any = found.metadata["rules"].value
    said = {row.data["rule"]: row.data["found"] for row in table.records}
    assert (found.passed, said["rows_within_band"]) == (True, "no earlier refreshes to compare with")
