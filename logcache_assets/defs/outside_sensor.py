"""The sensor that shows the world above a refresh: metadata alone, and only what changed since its last tick."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import dagster as dg
import msgspec

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import PUBLISHED, country_prefix
from logcache_assets.defs.assets.outside_world import (
    FILES,
    NIGHTLY_RUN,
    active_key,
    active_metadata,
    datasets_metadata,
    file_metadata,
    night_contracts_key,
    night_metadata,
    raw_key,
    segments_key,
    segments_metadata,
)
from logcache_assets.defs.stage import Metadata
from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.known_kinds import prepared
from logcache_assets.domain.outside_world import DIGITS, Seen, SegmentsSeen, contracts_of, digest_of, raw_of
from logcache_assets.domain.published_caches import by_database
from logcache_assets.domain.transactions import Transaction
from logcache_assets.domain.wording import count_of, sentence_of
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, SegmentIndex
from logcache_assets.refresh.outside_world import OutsideWorld
from logcache_assets.settings import Settings

BUDGET_SECONDS = 30
"""For counting segments; an evaluation may take 60 seconds."""

DESCRIPTION = (
    "Shows what a refresh stands on: the segments of each instance, the newest nightly run with its raw datasets and "
    "contracts, the cache that it read, and the itaipu repository's map, definitions and rules. It starts nothing."
)


@dataclass(slots=True, kw_only=True)
class News:
    """What a tick shows, and what the next one needs not show again."""

    prefix: list[str]
    segments: dict[str, SegmentsSeen]
    nights: dict[str, str]
    files: dict[str, str]
    events: list[dg.AssetMaterialization] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def show(self, key: dg.AssetKey, metadata: Metadata, version: str) -> None:
        """Show an asset with a version of its data."""
        own = key.with_prefix(self.prefix) if self.prefix else key
        tags = {"dagster/data_version": version}
        self.events.append(dg.AssetMaterialization(own, metadata=metadata, tags=tags))

    @property
    def cursor(self) -> str:
        """For the next tick."""
        seen = Seen(segments=self.segments, nights=self.nights, files=self.files)
        return msgspec.json.encode(seen).decode()


def build_outside_world(catalog: Catalog) -> dg.SensorDefinition:
    """The sensor for the databases of this catalog."""

    @dg.sensor(name="outside_world", minimum_interval_seconds=300, description=DESCRIPTION)
    def outside_world(
        context: dg.SensorEvaluationContext,
        metapod: dg.ResourceParam[Metapod],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> dg.SensorResult:
        """Shows what is new above a refresh; of what cannot be read it says so, and shows the rest."""
        seen = _former(context.cursor)
        news = News(
            prefix=country_prefix(settings.country),
            segments=dict(seen.segments),
            nights=dict(seen.nights),
            files=dict(seen.files),
        )
        world = OutsideWorld(metapod=metapod, segment_index=segment_index, repository=repository, clock=clock)
        lookback = timedelta(days=settings.lookback_days)
        looks: tuple[Callable[[], Iterator[str]], ...] = (
            partial(_look_at_files, world, news),
            partial(_look_at_night, world, news, catalog, lookback),
            partial(_look_at_segments, world, news, catalog),
        )
        for look in looks:
            try:
                news.told.extend(look())
            except LogCacheError as error:
                news.told.append(str(error))
        said = sentence_of("; ".join(news.told) or "nothing is new above a refresh")
        return dg.SensorResult(asset_events=news.events, cursor=news.cursor, skip_reason=dg.SkipReason(said))

    return outside_world


def _former(cursor: str | None) -> Seen:
    """What the last tick showed; nothing, if it was of an older release."""
    try:
        return msgspec.json.decode(cursor, type=prepared(Seen)) if cursor else Seen()
    except msgspec.DecodeError:
        return Seen()


def _look_at_files(world: OutsideWorld, news: News) -> Iterator[str]:
    for path, version in world.file_versions():
        if news.files.get(path) != version.sha:
            news.files[path] = version.sha
            news.show(FILES[path], file_metadata(path, version), version.sha)
            yield f"{path} is of commit {version.sha[:8]}"


def _look_at_night(world: OutsideWorld, news: News, catalog: Catalog, lookback: timedelta) -> Iterator[str]:
    night = world.newest_night(lookback=lookback)
    if night is None:
        return
    whole = digest_of(night, night.datasets.values())
    if news.nights.get("nightly_run") == whole:
        return
    news.show(NIGHTLY_RUN, night_metadata(night), whole)
    _show_datasets(night, news, catalog)
    if news.nights.get("night") != night.id:
        _show_active(world, night, news, catalog)
    news.nights |= {"nightly_run": whole, "night": night.id}
    yield f"the newest nightly run is {night.id[:8]}, started {night.started_at:%Y-%m-%d %H:%M} UTC"


def _show_datasets(night: Transaction, news: News, catalog: Catalog) -> None:
    """Show the datasets of each database whose states changed."""
    for definition in catalog:
        of_database = {
            raw_key(definition.database): raw_of(night, definition.instances),
            night_contracts_key(definition.database): contracts_of(night, definition.database),
        }
        for key, datasets in of_database.items():
            name, digest = key.to_user_string(), digest_of(night, datasets)
            if datasets and news.nights.get(name) != digest:
                news.nights[name] = digest
                news.show(key, datasets_metadata(night, datasets), digest)


def _show_active(world: OutsideWorld, night: Transaction, news: News, catalog: Catalog) -> None:
    """Show the caches that a new night reads."""
    before = world.map_before(night.started_at)
    read = by_database(before.entries) if before else {}
    for definition in catalog:
        entries = read.get(definition.database, {})
        if before and entries:
            published = dg.AssetKey([*news.prefix, PUBLISHED, definition.database])
            metadata = active_metadata(entries, night, version=before.version, published=published)
            news.show(active_key(definition.database), metadata, f"{before.version.sha[:8]}-{night.id[:8]}")


def _look_at_segments(world: OutsideWorld, news: News, catalog: Catalog) -> Iterator[str]:
    instances = [instance for definition in catalog for instance in definition.instances]
    grown = dict(world.find_grown(instances, news.segments, budget_seconds=BUDGET_SECONDS))
    news.segments |= {instance.name: seen for instance, seen in grown.items()}
    for definition in catalog:
        if grown.keys() & set(definition.instances):
            seen = {i: news.segments[i.name] for i in definition.instances if i.name in news.segments}
            version = sha256_of(canonical_json({i.name: known.newest_t for i, known in seen.items()}))[:DIGITS]
            news.show(segments_key(definition.database), segments_metadata(seen), version)
    if grown:
        yield f"the logs of {count_of(len(grown), 'instance')} grew"
