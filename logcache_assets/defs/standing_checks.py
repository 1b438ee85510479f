"""The standing checks of `log_cache/<db>`, the job that makes them, and the sensor that asks for it once a day."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import dagster as dg

from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import PUBLISHED, key_of_country, own_path
from logcache_assets.defs.jobs import COUNTRY_TAG, REFRESH_JOB
from logcache_assets.defs.stage import refusals_fail_the_asset
from logcache_assets.domain.log_cache_map import MAP_PATH, map_digest
from logcache_assets.domain.names import COUNTRY
from logcache_assets.domain.standing import SENTENCES, Finding, StandingCheck
from logcache_assets.errors import LogCacheError, Unavailable
from logcache_assets.ports import Clock, ItaipuRepository, ObjectStore, SegmentIndex
from logcache_assets.refresh.standing_checks import StandingInspector
from logcache_assets.settings import Settings

STANDING_JOB = "check_published_caches"
MOST_TRIES = 3
"""How many runs of one day may fail before the next day is waited for."""
HOUR_SECONDS = "3600"

DESCRIPTION = (
    "Asks once a day, by the platform's clock, and when another map is published, for the standing checks of every "
    "published cache: segments, personal data, files, map and age. They read metadata alone."
)


def build_standing_checks(catalog: Catalog, settings: Settings) -> dg.AssetChecksDefinition:
    """The five checks of each database of the catalog, all in one step."""
    keys = {d.database: key_of_country(settings.country, PUBLISHED, d.database) for d in catalog}

    @dg.multi_asset_check(
        name="standing_checks",
        can_subset=True,
        specs=[
            dg.AssetCheckSpec(check.value, asset=key, description=SENTENCES[check])
            for key in keys.values()
            for check in StandingCheck
        ],
    )
    def standing_checks(
        context: dg.AssetCheckExecutionContext,
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.AssetCheckResult]:
        asked = context.selected_asset_check_keys
        wanted = {own_path(key.asset_key)[1] for key in asked}
        inspector = StandingInspector(
            store=store, segment_index=segment_index, repository=repository, clock=clock, settings=settings
        )
        with refusals_fail_the_asset():
            try:
                findings = _findings(inspector, catalog, wanted)
            except Unavailable as error:
                if context.run.job_name != REFRESH_JOB:
                    raise
                context.log.warning(f"the published caches were not checked, and the refresh goes on: {error}")
                return
        for finding in findings:
            if dg.AssetCheckKey(keys[finding.database], finding.check.value) in asked:
                yield _result(finding, keys[finding.database])

    return standing_checks


def _findings(inspector: StandingInspector, catalog: Catalog, wanted: Collection[str]) -> Sequence[Finding]:
    """What is found of the wanted databases; of all, it is stored for the next refresh."""
    chosen = tuple(definition for definition in catalog if definition.database in wanted)
    return inspector.inspect_all(catalog) if len(chosen) == len(catalog) else inspector.inspect(chosen)


def _result(finding: Finding, key: dg.AssetKey) -> dg.AssetCheckResult:
    problems = [
        dg.TableRecord(
            {
                "instance": problem.subject,
                "found": "; ".join(problem.found),
                "why": problem.why,
                "what to do": problem.remedy,
                "code": problem.code,
            }
        )
        for problem in finding.problems
    ]
    due = {"refresh": "a refresh is due: a new cache ends this"} if finding.makes_refresh_due else {}
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=finding.check.value,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=finding.sentence,
        metadata={**finding.figures, **due, **({"problems": dg.MetadataValue.table(problems)} if problems else {})},
    )


def select_standing_checks(catalog: Catalog, settings: Settings) -> dg.AssetSelection:
    """The standing checks of every database of the catalog."""
    keys = [key_of_country(settings.country, PUBLISHED, definition.database) for definition in catalog]
    return dg.AssetSelection.checks_for_assets(*keys)


def build_standing_job(catalog: Catalog, settings: Settings) -> Any:  # noqa: ANN401 - Dagster's type of an unresolved job is not public
    """The job that makes all standing checks."""
    return dg.define_asset_job(
        STANDING_JOB,
        selection=select_standing_checks(catalog, settings),
        description="The standing checks of every published cache, from metadata alone; a report says what is due.",
        tags={"dagster/max_runtime": HOUR_SECONDS, COUNTRY_TAG: settings.country},
    )


@dg.sensor(job_name=STANDING_JOB, minimum_interval_seconds=300, description=DESCRIPTION)
def daily_standing_checks(
    context: dg.SensorEvaluationContext,
    clock: dg.ResourceParam[Clock],
    repository: dg.ResourceParam[ItaipuRepository],
    settings: dg.ResourceParam[Settings],
) -> dg.SkipReason | dg.RunRequest:
    """Asks for the checks of a day or a map that has none yet, again if their run failed."""
    now = clock.now()
    try:
        published = map_digest(repository.read(MAP_PATH, ref=repository.base_branch))[:8]
    except LogCacheError as error:
        return dg.SkipReason(str(error))
    own = "" if settings.country == COUNTRY else f"{settings.country}:"
    day = f"{own}{now:%Y-%m-%d}"
    tags = {"logcache/standing_checks_of": day}
    failed = context.instance.get_runs_count(
        dg.RunsFilter(tags=tags, statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
    )
    if failed >= MOST_TRIES:
        return dg.SkipReason(f"{failed} runs of {now:%Y-%m-%d} failed; the next day is waited for, see {STANDING_JOB}")
    key = f"{day}:{published}:{failed}"
    if context.cursor == key:
        return dg.SkipReason(
            f"the checks of {now:%Y-%m-%d} were asked for already; by the platform's clock it is {now:%H:%M}"
        )
    context.update_cursor(key)
    return dg.RunRequest(run_key=key, tags=tags)
