"""Helpers that build contracts and read them back, or read the facts of one instance."""

import uuid
from dataclasses import dataclass
from io import BytesIO

import polars as pl

from logcache_assets.engine.contracts.build_contracts import BuiltContract, ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Driver, Folder
from logcache_assets.engine.drivers.progress import Meter, ignore
from logcache_assets.engine.facts.instance_facts import InstanceFacts
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.log.open_logs import LogLadder, load_facts
from logcache_assets.ports import ObjectStore, Tell
from logcache_tests.engine.world import OWN_BUCKET, driver_in, refuse_warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A contract that was built, and its files."""

    built: BuiltContract
    files: tuple[bytes, ...]

    @property
    def frames(self) -> tuple[pl.DataFrame, ...]:
        """The rows of each file."""
        return tuple(pl.read_parquet(BytesIO(content)) for content in self.files)

    @property
    def frame(self) -> pl.DataFrame:
        """The rows of all files."""
        return pl.concat(self.frames)


def build(
    wanted: ContractBuild, store: ObjectStore, *, driver: Driver | None = None, warn: Tell = refuse_warning
) -> dict[str, Dataset]:
    """Build into a new folder, check that it holds nothing else, and return contracts by dataset."""
    out = Folder(store, f"s3://{OWN_BUCKET}/contracts/{uuid.uuid4()}")
    built = build_contracts(wanted, store=store, out=out, driver=driver or driver_in(store), warn=warn)
    written = {item.uri: store.read(item.uri) for item in store.list_objects(f"{out.uri}/")}
    assert sorted(written) == sorted(file.uri for contract in built for file in contract.files)
    return {c.table.dataset: Dataset(built=c, files=tuple(written[f.uri] for f in c.files)) for c in built}


def facts_of(
    source: LogSource,
    store: ObjectStore,
    *,
    policy: CachePolicy = CachePolicy.STRICT,
    warn: Tell = refuse_warning,
    driver: Driver | None = None,
    bucket_datoms: int = 4_000_000,
) -> pl.DataFrame:
    """All facts of an instance with texts, bucket by bucket."""

    def every(facts: InstanceFacts) -> pl.DataFrame:
        schema = facts.read_schema()
        return pl.concat(facts.every(schema, bucket) for bucket in facts.all_buckets())

    ladder = LogLadder([source], store, policy=policy, warn=warn, bucket_datoms=bucket_datoms)
    runner, meter = driver or driver_in(store), Meter(ignore)
    return ladder.attempt(lambda opened: every(load_facts(opened, store, runner, meter)[source.instance]))
