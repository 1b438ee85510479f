"""The assets `log_cache/<db>`: the published caches. A merge makes them; a sensor writes down what it finds."""

from datetime import datetime
from typing import Any

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import PUBLISHED, spec_of_country
from logcache_assets.defs.assets.outside_world import age_days
from logcache_assets.defs.links import commit_value, pull_request_value
from logcache_assets.defs.stage import Metadata, tags_of
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.log_cache_map import MapEntry
from logcache_assets.domain.published_caches import PublishedCache, PublishedInstance
from logcache_assets.settings import Settings

COLUMNS = (
    "instance",
    "last_t",
    "read_at",
    "age_days",
    "segments_beyond",
    "bytes_beyond",
    "datoms_beyond",
    "cached_log",
)


def published_specs(catalog: Catalog, settings: Settings) -> list[dg.AssetSpec]:
    """One asset per database of the catalog."""
    policy = dg.FreshnessPolicy.time_window(fail_window=settings.fresh_time)
    specs = [_spec(definition.database).replace_attributes(freshness_policy=policy) for definition in catalog]
    return [spec_of_country(spec, settings.country) for spec in specs]


def _spec(database: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        dg.AssetKey([PUBLISHED, database]),
        deps=[Stage.PULL_REQUEST.value],
        group_name="published",
        tags=tags_of(database),
        kinds={"s3", "parquet"},
        description=(
            f"The log cache of {database} that is published: what the map on the base branch points to, and so what "
            "every run of Itaipu reads. Merging a pull request makes it, whoever merges; the sensor published_caches "
            "notices that within minutes. Its checks stand for as long as it is read, and are made once a day."
        ),
    )


def published_metadata(cache: PublishedCache, *, now: datetime, active: dg.AssetKey, settings: Settings) -> Metadata:
    """What Dagit shows of a published cache.

    Args:
        cache: of one database.
        now: the platform's time.
        active: the asset that shows which cache the last night read.
        settings: say where pages are.
    """
    entries = [found.entry for found in cache.instances]
    read_at = [entry.source_read_at for entry in entries if isinstance(entry, MapEntry)]
    beyond = [found.beyond for found in cache.instances]
    shown: Metadata = {
        "commit": commit_value(settings, cache.sha),
        "pull_request": _pull_request(cache, settings),
        "source_transaction": ", ".join(sorted({entry.transaction or "not said" for entry in entries})) or "none",
        "instances": dg.MetadataValue.table(
            records=[_record(found, now) for found in cache.instances],
            schema=dg.TableSchema([dg.TableColumn(name) for name in COLUMNS]),
        ),
        "segments_beyond": sum(found.segments for found in beyond),
        "bytes_beyond": sum(found.size_bytes for found in beyond),
        "datoms_beyond_estimated": sum(found.datoms or 0 for found in beyond),
        "read_by": f"every run of Itaipu at version {cache.sha[:8]} or a later one",
        "read_by_the_last_night": dg.MetadataValue.asset(active),
        "noticed_at": dg.MetadataValue.timestamp(now),
        **{f"last_t/{found.instance.name}": found.entry.last_t for found in cache.instances},
    }
    if cache.committed_at:
        shown["committed_at"] = dg.MetadataValue.timestamp(cache.committed_at)
    if read_at:
        shown["source_read_at"] = dg.MetadataValue.timestamp(min(read_at))
        shown["age_days"] = age_days(min(read_at), now)
    return shown


def _pull_request(cache: PublishedCache, settings: Settings) -> dg.MetadataValue[Any] | str:
    return pull_request_value(settings, cache.pull_request) if cache.pull_request else "none of a refresh's"


def _record(found: PublishedInstance, now: datetime) -> dg.TableRecord:
    entry, beyond = found.entry, found.beyond
    proven = entry if isinstance(entry, MapEntry) else None
    return dg.TableRecord(
        {
            "instance": found.instance.name,
            "last_t": entry.last_t,
            "read_at": f"{proven.source_read_at:%Y-%m-%d %H:%M}" if proven else "not proven",
            "age_days": age_days(proven.source_read_at, now) if proven else None,
            "segments_beyond": beyond.segments,
            "bytes_beyond": beyond.size_bytes,
            "datoms_beyond": beyond.datoms,
        }
    )
