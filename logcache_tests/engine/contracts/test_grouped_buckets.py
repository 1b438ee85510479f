"""Entity contracts read buckets of a cache together where their open facts fit; no cell depends on it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.log.log_op import LogSource
from logcache_tests.engine.builds import build
from logcache_tests.engine.deep_log import CACHED_BUCKETS, CACHED_DATOMS, DEFINITION, cached_source, shown_users
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.world import driver_in


def wanted(source: LogSource, *kinds: str, bucket_datoms: int = 4_000_000) -> ContractBuild:
    """A build of some kinds."""
    return ContractBuild(
        definition=DEFINITION, sources=(source,), pii_key=b"k", kinds=kinds, bucket_datoms=bucket_datoms
    )


def elsewhere_in(store: FolderObjectStore) -> Driver:
    """A driver whose tasks share no memory."""
    return ElsewhereDriver(driver_in(store).scratch)


@pytest.mark.parametrize("driver_of", [driver_in, elsewhere_in])
@pytest.mark.parametrize(("bucket_datoms", "files"), [(4_000_000, 1), (480, 2), (240, 4), (120, CACHED_BUCKETS)])
def test_buckets_that_are_read_together_show_the_same(
    bucket_datoms: int, files: int, driver_of: Callable[[FolderObjectStore], Driver], store: FolderObjectStore
) -> None:
    """Refs across buckets, lists, and a delta that touches most buckets; the last case reads each bucket alone."""
    source = cached_source(store)

    found = build(wanted(source, "entity", bucket_datoms=bucket_datoms), store, driver=driver_of(store))

    users = found["contract-app/users"]
    assert users.frame.sort("user__id").to_dicts() == shown_users()
    assert len(users.files) == files
    assert all(frame["user__id"].is_sorted() for frame in users.frames)


def test_closed_facts_make_no_tasks(store: FolderObjectStore) -> None:
    """By the bound that the cache was written with its history needs eight tasks; what holds now does not."""
    source = cached_source(store)

    now, history = (
        build(wanted(source, kind, bucket_datoms=CACHED_DATOMS), store)[f"contract-app/{dataset}"]
        for kind, dataset in (("entity", "users"), ("snapshot", "users-snapshot"))
    )

    assert len(now.files) == 2
    assert len(history.files) == CACHED_BUCKETS


def test_facts_that_were_open_at_an_earlier_t_count(store: FolderObjectStore) -> None:
    """Before the cache's end closed files are read too, so that their facts are counted."""
    source = replace(cached_source(store), until_t=1050)

    found = build(wanted(source, "entity", bucket_datoms=CACHED_DATOMS), store)

    assert len(found["contract-app/users"].files) == CACHED_BUCKETS
