"""Alerts of asset checks that are red at their newest evaluation, except those of contracts, which a verdict has.

Checks have no public interface for reading, so Dagster's event storage is asked, as Dagit does it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from logcache_assets.defs.asset_keys import own_path
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.domain.alerts import Alert, group_of_left_out, split_remedy
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.standing import StandingCheck
from logcache_assets.settings import Settings

OF_VERDICTS = frozenset({Stage.CONTRACTS.value, Stage.VERDICT.value})
"""Assets whose checks a verdict tells of."""
_LOOKED_BACK = 100
"""Evaluations of a check among which the first red one is looked for."""
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChecks:
    """The checks of a code location that no verdict tells of."""

    instance: dg.DagsterInstance
    settings: Settings
    keys: Collection[dg.AssetCheckKey]
    """All checks of the code location."""

    def alerts(self) -> Iterator[Alert]:
        """The alert of each check that is red; those of a run that failed are told as that run."""
        keys = [key for key in self.keys if own_path(key.asset_key)[0] not in OF_VERDICTS]
        if not keys:
            return
        for key, record in self.instance.event_log_storage.get_asset_check_summary_records(keys).items():
            newest = _evaluation(record.last_completed_check_execution_record)
            if newest and newest.is_red:
                yield self._alert(key, newest, is_echo=self._is_echo(key, self.instance.get_run_by_id(newest.run_id)))

    def _is_echo(self, key: dg.AssetCheckKey, run: dg.DagsterRun | None) -> bool:
        """True if the check only keeps an accident open that was told before.

        A run that goes on may fail yet, and one that failed is told itself. A refresh replaces the caches whose
        standing checks it makes; the checks of the day tell of those.
        """
        if run is None:
            return False
        return not run.is_success or (run.job_name == REFRESH_JOB and key.name in set(StandingCheck))

    def _alert(self, key: dg.AssetCheckKey, newest: "Evaluation", *, is_echo: bool) -> Alert:
        since = self._red_since(key, newest)
        name, asset = f"{key.asset_key.to_user_string()}: {key.name}", own_path(key.asset_key)
        cause, remedy = split_remedy(newest.said or "the check is red; see its page")
        path = "/".join(key.asset_key.path)
        return Alert(
            key=f"check:{name}:{since.isoformat()}",
            # A gap in a log leaves its database out of the next refresh, whose run then fails: that is one accident.
            group=group_of_left_out(asset[1:]) if key.name == StandingCheck.SEGMENTS else f"check:{name}",
            cause=shortened(f"the check {key.name} of {'/'.join(key.asset_key.path)} is red: {cause}", _SHOWN),
            since=since,
            remedy=remedy,
            link=self.settings.dagit_link(f"assets/{path}?view=checks&checkDetail={key.name}"),
            is_echo=is_echo,
        )

    def _red_since(self, key: dg.AssetCheckKey, newest: "Evaluation") -> datetime:
        """When the first of the newest evaluations in a row was red."""
        since = newest.at
        for record in self.instance.event_log_storage.get_asset_check_execution_history(key, limit=_LOOKED_BACK):
            if evaluation := _evaluation(record):
                if not evaluation.is_red:
                    break
                since = evaluation.at
        return datetime.fromtimestamp(since, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One evaluation of a check."""

    is_red: bool
    """It failed, and not only as a warning."""
    said: str
    """The description that the check gave."""
    at: float
    run_id: str


def _evaluation(record: Any) -> Evaluation | None:  # noqa: ANN401 - the type of Dagster's record is private
    """What Dagster's record of an evaluation says; None if it has no result yet."""
    event = record.event.dagster_event if record and record.event else None
    if event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    result = event.asset_check_evaluation_data
    return Evaluation(
        is_red=not result.passed and result.severity is dg.AssetCheckSeverity.ERROR,
        said=result.description or "",
        at=record.create_timestamp,
        run_id=record.run_id,
    )
