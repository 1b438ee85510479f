"""The law of the cache over the real log: a cache at any t, read up to any t, changes nothing."""

import uuid
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.driver import Driver
from logcache_tests.engine.elsewhere import ElsewhereDriver
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.generated import source_of
from logcache_tests.engine.law import answers_of
from logcache_tests.engine.world import DATABASES, definition_of, driver_in, segments_of, strict_log, write_cache

BUCKET_DATOMS = st.sampled_from([4_000, 20_000, 4_000_000])


@cache
def ts_of(instance: Instance, store: FolderObjectStore) -> tuple[int, ...]:
    """Every t of an instance, ascending."""
    log = strict_log(source_of(*segments_of(instance)), store)
    return tuple(log["t"].unique().sort())


@pytest.mark.parametrize("database", DATABASES)
@given(data=st.data())
@settings(max_examples=1, phases=[Phase.explicit, Phase.generate])
def test_a_cache_changes_nothing(database: str, data: st.DataObject, shared_store: FolderObjectStore) -> None:
    """Caches of one or all instances, cut inside segments or after the build's t, in any number of buckets."""
    sources = []
    for instance in definition_of(database).instances:
        ts = ts_of(instance, shared_store)
        until_t = data.draw(st.none() | st.integers(ts[0], ts[-1]), label=f"{instance.name} until")
        source = replace(source_of(*segments_of(instance)), until_t=until_t)
        cut = data.draw(st.none() | st.sampled_from(ts), label=f"{instance.name} cached until")
        buckets = data.draw(BUCKET_DATOMS)
        folder = str(uuid.uuid4())
        entry = write_cache(source, shared_store, folder=folder, last_t=cut, bucket_datoms=buckets) if cut else None
        sources.append(replace(source, cache=entry))
    wanted = ContractBuild(
        definition=definition_of(database),
        sources=tuple(sources),
        pii_key=PII_KEY,
        bucket_datoms=data.draw(BUCKET_DATOMS),
    )
    own = driver_in(shared_store)
    driver: Driver = ElsewhereDriver(own.scratch) if data.draw(st.booleans(), label="elsewhere") else own
    alone = replace(wanted, sources=tuple(replace(source, cache=None) for source in sources))

    assert answers_of(wanted, shared_store, driver) == answers_of(alone, shared_store)
