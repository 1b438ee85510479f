"""The assets above a refresh, which others make: they are only shown, and a sensor writes down what it finds.

The cache that a night read is an asset of its own, `active_cache/<db>`, tied to the published `log_cache/<db>` by
metadata alone: one asset in both places would be a circle, which runs and cannot be drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import spec_of_country
from logcache_assets.defs.column_lineage import attribute_schema, datomic_key
from logcache_assets.defs.stage import WHOLE, Metadata, tags_of
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.contract_definitions import CONTRACTS_FOLDER, DatabaseDefinition
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import MAP_PATH, AnyEntry, MapEntry
from logcache_assets.domain.outside_world import SegmentsSeen, count_states
from logcache_assets.domain.rules.settings_file import RULES_PATH
from logcache_assets.domain.soundness import LOG_COLUMNS
from logcache_assets.domain.transactions import Dataset, DatasetState, Transaction
from logcache_assets.ports import FileVersion
from logcache_assets.settings import Settings

NIGHTLY_RUN = dg.AssetKey("nightly_run")
MAP = dg.AssetKey(["itaipu", "log_cache_map"])
DEFINITIONS = dg.AssetKey(["itaipu", "contract_definitions"])
RULES = dg.AssetKey(["itaipu", "validation_rules"])
FILES = {MAP_PATH: MAP, CONTRACTS_FOLDER: DEFINITIONS, RULES_PATH: RULES}
"""Path in the itaipu repository → its asset."""
SHOWN = 100
"""How many datasets a table lists, those that are not committed first."""


MEANINGS = {
    "e": "entity id",
    "a": "attribute id",
    "v": "value, as text",
    "t": "Datomic's time of the fact",
    "tx": "entity id of the Datomic transaction",
    "added": "true: asserted; false: retracted",
    "tx_instant": "instant of the Datomic transaction",
}
LOG_SCHEMA = dg.TableSchema([dg.TableColumn(c, kind, description=MEANINGS[c]) for c, kind in LOG_COLUMNS.items()])
"""The column schema of a log, with what each column means; one object, which many assets show."""


def segments_key(database: str) -> dg.AssetKey:
    """`segments/feed`."""
    return dg.AssetKey(["segments", database])


def active_key(database: str) -> dg.AssetKey:
    """`active_cache/feed`."""
    return dg.AssetKey(["active_cache", database])


def raw_key(database: str) -> dg.AssetKey:
    """`raw_datasets/feed`."""
    return dg.AssetKey(["raw_datasets", database])


def night_contracts_key(database: str) -> dg.AssetKey:
    """`night_contracts/feed`."""
    return dg.AssetKey(["night_contracts", database])


def outside_specs(catalog: Catalog, settings: Settings) -> list[dg.AssetSpec]:
    """What stands above a refresh of this catalog."""
    specs = [*_of_all(), *(spec for definition in catalog for spec in _of_database(definition))]
    return [spec_of_country(spec, settings.country) for spec in specs]


def _of_all() -> Iterator[dg.AssetSpec]:
    yield dg.AssetSpec(
        NIGHTLY_RUN,
        group_name="nightly_run",
        tags=WHOLE,
        kinds={"spark", "graphql"},
        description="The newest nightly run of Itaipu, as metapod shows it: its transaction and what became of it.",
    )
    told = {
        MAP: "The map on the base branch: which cached log every run reads up to which t. Merging to it publishes.",
        DEFINITIONS: "The contract definitions on the base branch, a file per database; analysts edit them.",
        RULES: "The thresholds and allowances of the validation on the base branch; defaults hold without the file.",
    }
    for key, description in told.items():
        yield dg.AssetSpec(key, group_name="itaipu_repository", tags=WHOLE, kinds={"git"}, description=description)


def _of_database(definition: DatabaseDefinition) -> Iterator[dg.AssetSpec]:
    database, tags = definition.database, tags_of(definition.database)
    yield dg.AssetSpec(
        datomic_key(database),
        group_name="segments",
        tags=tags,
        description=(
            f"The Datomic database {database}, with the attributes that its contracts show. Services write it, "
            "and only the extractor reads it."
        ),
        kinds={"datomic"},
        metadata={"dagster/column_schema": attribute_schema(definition)},
    )
    yield dg.AssetSpec(
        segments_key(database),
        deps=[datomic_key(database)],
        group_name="segments",
        tags=tags,
        kinds={"s3", "avro", "dynamodb"},
        description=(
            f"The logs of {database} as the extractor delivers them, one per prototype "
            f"({', '.join(definition.prototypes)}): Avro segments, listed in the index."
        ),
        metadata={"dagster/column_schema": LOG_SCHEMA},
    )
    yield dg.AssetSpec(
        active_key(database),
        deps=[MAP],
        group_name="nightly_run",
        tags=tags,
        kinds={"s3", "parquet"},
        description=(
            f"The log cache of {database} that the newest nightly run read: what the map said when the run began. What "
            "is published now is log_cache/" + database + "."
        ),
    )
    yield dg.AssetSpec(
        raw_key(database),
        deps=[NIGHTLY_RUN, active_key(database), segments_key(database)],
        group_name="nightly_run",
        tags=tags,
        kinds={"spark", "parquet"},
        description=(
            f"The raw logs and materialized entities of {database} as the newest nightly run wrote them, from its "
            "cache and the newer segments. They expire; a refresh copies those of a good night."
        ),
        metadata={"dagster/column_schema": LOG_SCHEMA},
    )
    yield dg.AssetSpec(
        night_contracts_key(database),
        deps=[raw_key(database), DEFINITIONS],
        group_name="nightly_run",
        tags=tags,
        kinds={"spark", "parquet"},
        description=(
            f"The contracts of {database} of the newest nightly run: yesterday's tables, with which those of the "
            "candidate are compared."
        ),
    )


def segments_metadata(seen: Mapping[Instance, SegmentsSeen]) -> Metadata:
    """What the index says of the segments of a database's instances."""
    records = [
        dg.TableRecord(
            {
                "instance": instance.name,
                "newest_t": of_instance.newest_t,
                "newest_timestamp": utc_text(of_instance.newest_at),
                "segments": of_instance.count,
            }
        )
        for instance, of_instance in seen.items()
    ]
    return {
        "segments": sum(of_instance.count for of_instance in seen.values()),
        "newest_timestamp": dg.MetadataValue.timestamp(max(of_instance.newest_at for of_instance in seen.values())),
        "instances": dg.MetadataValue.table(records=records),
        **{f"newest_t/{instance.name}": of_instance.newest_t for instance, of_instance in seen.items()},
    }


def night_metadata(night: Transaction) -> Metadata:
    """What became of a nightly run."""
    return {
        "transaction": night.id,
        "type": night.type,
        "started_at": dg.MetadataValue.timestamp(night.started_at),
        "target_date": str(night.target_date or "not said"),
        **datasets_metadata(night, tuple(night.datasets.values())),
    }


def datasets_metadata(night: Transaction, datasets: Sequence[Dataset]) -> Metadata:
    """The states of datasets of a night, those that are not committed first."""
    ordered = sorted(datasets, key=lambda d: (d.state is DatasetState.COMMITTED, d.name))
    records = [
        dg.TableRecord(
            {
                "dataset": dataset.name,
                "state": dataset.state.value,
                "committed_at": utc_text(dataset.committed_at) if dataset.committed_at else None,
                "path": dataset.path,
            }
        )
        for dataset in ordered[:SHOWN]
    ]
    schema = dg.TableSchema([dg.TableColumn(name) for name in ("dataset", "state", "committed_at", "path")])
    counts = {f"datasets_{state}": number for state, number in count_states(datasets).items()}
    return {
        "transaction": night.id,
        **counts,
        "datasets": dg.MetadataValue.table(records=records, schema=schema),
    }


def active_metadata(
    entries: dict[Instance, AnyEntry], night: Transaction, *, version: FileVersion, published: dg.AssetKey
) -> Metadata:
    """The cache that a night read.

    Args:
        entries: of the database, in the map that was on the base branch when the night began.
        night: that read them.
        version: the commit of that map.
        published: the asset of what is published now.
    """
    read_at = [entry.source_read_at for entry in entries.values() if isinstance(entry, MapEntry)]
    shown: Metadata = {
        "read_by": night.id,
        "read_from": dg.MetadataValue.timestamp(night.started_at),
        "commit": version.sha[:8],
        "committed_at": dg.MetadataValue.timestamp(version.committed_at),
        "published_now": dg.MetadataValue.asset(published),
        **{f"last_t/{instance.name}": entry.last_t for instance, entry in entries.items()},
    }
    if read_at:
        shown["source_read_at"] = dg.MetadataValue.timestamp(min(read_at))
        shown["age_days"] = age_days(min(read_at), night.started_at)
    return shown


def age_days(read_at: datetime, now: datetime) -> float:
    """Days with two digits."""
    return round((now - read_at).total_seconds() / 86_400, 2)


def file_metadata(path: str, version: FileVersion) -> Metadata:
    """The newest commit of a file."""
    return {"path": path, "commit": version.sha[:8], "committed_at": dg.MetadataValue.timestamp(version.committed_at)}
