"""The sensor that writes down what is published, whoever merged it, and what was done to open pull requests."""

from collections.abc import Sequence

import dagster as dg
import msgspec

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import PUBLISHED, key_of_country
from logcache_assets.defs.assets.outside_world import active_key
from logcache_assets.defs.assets.published_caches import published_metadata
from logcache_assets.domain.known_kinds import prepared
from logcache_assets.domain.published_caches import digests_of
from logcache_assets.domain.repository_watch import Watched
from logcache_assets.domain.wording import count_of, sentence_of
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.published_caches import CacheDescriber
from logcache_assets.refresh.watch_repository import Look, RepositoryWatch
from logcache_assets.settings import Settings

DESCRIPTION = (
    "Looks at the base branch and at the open pull requests: a merge, a close or an edit by anybody is told, and each "
    "log_cache/<database> whose entries changed gets a materialization that says what is published now. Pull requests "
    "that a merge made pointless are closed with a sentence."
)


def build_published_caches(catalog: Catalog) -> dg.SensorDefinition:
    """The sensor for the databases of this catalog."""
    names = {definition.database for definition in catalog}

    @dg.sensor(name="published_caches", minimum_interval_seconds=120, description=DESCRIPTION)
    def published_caches(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> dg.SensorResult | dg.SkipReason:
        """Notices what was merged, closed or edited, and shows what is published."""
        try:
            look = RepositoryWatch(repository).look(_former(context.cursor))
            describer = CacheDescriber(
                store=store, segment_index=segment_index, repository=repository, settings=settings
            )
            changed = [name for name in look.changed if name in names]
            caches = describer.describe(look.base, changed)
            now = clock.now()
        except LogCacheError as error:
            return dg.SkipReason(str(error))
        digests = digests_of(look.base.entries)
        events = [
            dg.AssetMaterialization(
                key_of_country(settings.country, PUBLISHED, cache.database),
                metadata=published_metadata(
                    cache,
                    now=now,
                    active=key_of_country(settings.country, *active_key(cache.database).path),
                    settings=settings,
                ),
                tags={"dagster/data_version": digests.get(cache.database, "none")},
            )
            for cache in caches
        ]
        return dg.SensorResult(
            asset_events=events,
            cursor=msgspec.json.encode(look.watched).decode(),
            skip_reason=dg.SkipReason(_told(look, changed)),
        )

    return published_caches


def _former(cursor: str | None) -> Watched | None:
    """The last look; a cursor of an older release is none."""
    try:
        return msgspec.json.decode(cursor, type=prepared(Watched)) if cursor else None
    except msgspec.DecodeError:
        return None


def _told(look: Look, changed: Sequence[str]) -> str:
    """What happened, or that nothing did."""
    shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if changed[3:] else "")
    published = [f"another cache is published of {shown}"] if changed else []
    if sentences := [*look.sentences, *published]:
        return sentence_of("; ".join(sentences))
    number = len(look.watched.pull_requests)
    return (
        f"Nothing changed: the base branch is {look.base.sha[:8]}, "
        f"{count_of(number, 'open pull request')} would change the map."
    )
