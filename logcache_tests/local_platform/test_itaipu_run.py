"""A run of the local Itaipu while a part of the world cannot answer."""

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.engine.log.log_op import CachePolicy
from logcache_assets.local_platform.itaipu_run import ItaipuRun
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import open_transaction
from logcache_assets.ports import ObjectStoreUnavailable
from logcache_tests.conftest import silent
from logcache_tests.unreachable_store import UnreachableStore


def test_an_outage_ends_a_run(world: World) -> None:
    """It is no fault of a dataset, and nothing is left uncommitted, or the gate would wait for it for ever."""
    transaction = open_transaction(world, TransactionType.CUSTOM, name="test", started_at=world.clock.now())
    assert isinstance(world.store, FolderObjectStore)
    world.store = UnreachableStore(world.store)
    run = ItaipuRun(
        world=world,
        transaction=transaction,
        version=world.repository.head("main") or "",
        out_uri=f"s3://{world.settings.ephemeral_bucket}",
        prefixes=("contract-customers/",),
        policy=CachePolicy.FALLBACK,
        tell=silent,
    )

    with pytest.raises(ObjectStoreUnavailable, match="SlowDown"):
        run.compute()

    rows = world.metapod_store.datasets(transaction)
    assert rows
    assert all(row.aborted_at for row in rows)
