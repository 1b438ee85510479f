"""Alerts of runs: those that failed, whoever started them, and those whose verdict was a refusal.

A run that a person ended is no alert. Dagster writes CANCELED for it as for one that exceeded its maximum runtime, but
only the latter has an event that says so.
"""

import dataclasses
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from logcache_assets.defs.asset_keys import INVENTORY, REFRESHED, own_path
from logcache_assets.defs.failures import LEFT_OUT_DATABASES
from logcache_assets.defs.jobs import COUNTRY_TAG, NIGHT_TAG, REFRESH_JOB
from logcache_assets.domain.alerts import (
    Alert,
    databases_of_left_out,
    group_of_left_out,
    is_left_out,
    split_remedy,
)
from logcache_assets.domain.locations import Stage
from logcache_assets.domain.plain_text import shortened
from logcache_assets.errors import BadInput, Refused, WrongUsage
from logcache_assets.settings import Settings

LOOKED_BACK = timedelta(days=7)
"""A run that failed before, and was not told then, is not told any more."""
SHOWN = 300
_AT_ONCE = 500
_STAGES = frozenset({*(stage.value for stage in Stage), INVENTORY})
_TIME_LIMIT = "maximum runtime"
"""In the messages of Dagster's run monitoring about a run that took too long."""
_NO_WORDS = "marked as failed from outside"
"""In the message of Dagster about a run whose process died, or was never started."""
_DIED = (
    "the process of the run died or was not started, as when it is killed or the machine has no memory left; nothing "
    "if the next run goes on, and otherwise see the run's page and the machine"
)
_INTERRUPT = dg.DagsterExecutionInterruptedError.__name__
_REPOSITORY_TAG = ".dagster/repository"
_OWN_ERRORS = frozenset({kind.__name__ for kind in (BadInput, Refused, WrongUsage)})
"""Their words are ours; what a library says may quote values."""
_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_ENDED = (*_FAILED, dg.DagsterRunStatus.SUCCESS)
_VARIABLE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
"""What differs between two messages of the same cause."""
_EVENTS = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELING,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRuns:
    """The runs of this deployment that ended lately."""

    instance: dg.DagsterInstance
    settings: Settings
    location: str | None
    """The code location; None if it is not known, as in a test."""

    def newest(self) -> str:
        """The id of the run that ended last; empty if none did."""
        found = self.instance.get_run_records(
            dg.RunsFilter(statuses=list(_ENDED)), limit=1, order_by="update_timestamp"
        )
        return found[0].dagster_run.run_id if found else ""

    def alerts(
        self, *, since: datetime, known: Collection[str], still: Collection[str], is_well: bool
    ) -> Iterator[Alert]:
        """The alerts of all runs that failed or whose verdict was a refusal.

        Args:
            since: runs that ended before are not looked at, unless their accident goes on.
            known: keys of alerts that were noticed before.
            still: those of them whose accident goes on.
            is_well: nothing is left to refresh, so what failed is overtaken.
        """
        ended = sorted(self._ended(since, still), key=_ended_at)
        good = [record for record in ended if record.dagster_run.status is dg.DagsterRunStatus.SUCCESS]
        for record in ended:
            key = key_of(record.dagster_run.run_id)
            if key in known and key not in still:
                continue
            if alert := self._alert(record):
                # What waits for a database that was left out is only well again when a refresh has it.
                is_overtaken = is_well and _refreshes(record.dagster_run) and not is_left_out(alert)
                is_over = is_overtaken or any(_overtakes(r, record) for r in good)
                is_over = is_over or (is_left_out(alert) and self._has_again(ended, record, alert))
                yield dataclasses.replace(alert, is_over=is_over)

    def _has_again(self, ended: Sequence[dg.RunRecord], left: dg.RunRecord, alert: Alert) -> bool:
        """True if a later refresh has every database that was left out, even if it failed for others."""
        later = [r.dagster_run for r in ended if _ended_at(r) > _ended_at(left) and _refreshes(r.dagster_run)]
        wanted = databases_of_left_out(alert.group)
        return any(wanted <= self._refreshed_by(run) for run in reversed(later))

    def _refreshed_by(self, run: dg.DagsterRun) -> frozenset[str]:
        """The databases that a run took to its pull request."""
        logged = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        keys = [entry.dagster_event.asset_key for entry in logged if entry.dagster_event]
        paths = [own_path(key) for key in keys if key is not None]
        return frozenset(path[1] for path in paths if path[0] == REFRESHED)

    def _ended(self, since: datetime, still: Collection[str]) -> list[dg.RunRecord]:
        """The runs of this deployment, each once."""
        lately = dg.RunsFilter(statuses=list(_ENDED), updated_after=since)
        found = {r.dagster_run.run_id: r for r in self.instance.get_run_records(lately, limit=_AT_ONCE)}
        older = {key.removeprefix("run:") for key in still if key.startswith("run:")}
        if missing := older - found.keys():
            records = self.instance.get_run_records(dg.RunsFilter(run_ids=sorted(missing)))
            found |= {r.dagster_run.run_id: r for r in records}
        ours = {run_id: r for run_id, r in found.items() if self._is_ours(r.dagster_run)}
        return [r for run_id, r in ours.items() if run_id in older or _ended_at(r) >= since]

    def _is_ours(self, run: dg.DagsterRun) -> bool:
        """False for a run of another country or another code location of the same Dagster."""
        country = run.tags.get(COUNTRY_TAG)
        if country is not None:
            return country == self.settings.country
        _, found, location = run.tags.get(_REPOSITORY_TAG, "").partition("@")
        return not found or self.location is None or location == self.location

    def _alert(self, record: dg.RunRecord) -> Alert | None:
        """The alert of a run; None if there is nothing to tell."""
        run = record.dagster_run
        logged = self.instance.all_logs(run.run_id, of_type=_EVENTS)
        events = [entry.dagster_event for entry in logged if entry.dagster_event]
        text = _refusal_of(events) or (_failure_of(run, events) if run.status in _FAILED else None)
        if not text:
            return None
        cause, remedy = split_remedy(text)
        night, without = run.tags.get(NIGHT_TAG, ""), _left_out_by(events)
        return Alert(
            key=key_of(run.run_id),
            group=group_of_left_out(without) if without else f"run:{night}:{_VARIABLE.sub('#', cause)}",
            told_by=tuple(group_of_left_out([name]) for name in without),
            cause=shortened(cause, SHOWN),
            since=_ended_at(record),
            remedy=remedy,
            link=self.settings.dagit_link(f"runs/{run.run_id}"),
        )


def key_of(run_id: str) -> str:
    """The key of a run's alert."""
    return f"run:{run_id}"


def _refreshes(run: dg.DagsterRun) -> bool:
    """True for a run of a refresh, or of some of its stages."""
    parts = {own_path(key)[0] for key in run.asset_selection or ()}
    return run.job_name == REFRESH_JOB or (bool(parts) and parts <= _STAGES)


def _ended_at(record: dg.RunRecord) -> datetime:
    """When a run ended; what Dagster did not note ended when it was changed last."""
    if record.end_time:
        return datetime.fromtimestamp(record.end_time, UTC)
    return record.update_timestamp.replace(tzinfo=UTC)


def _overtakes(later: dg.RunRecord, failed: dg.RunRecord) -> bool:
    """True if a run that went well did, afterwards, all that the failed one was to do."""
    if later is failed or _ended_at(later) <= _ended_at(failed):
        return False
    did, wanted = later.dagster_run, failed.dagster_run
    if did.job_name == REFRESH_JOB and not did.asset_selection and _refreshes(wanted):
        return True
    if not did.asset_selection:
        return did.job_name == wanted.job_name
    return wanted.asset_selection is not None and wanted.asset_selection <= did.asset_selection


def _refusal_of(events: Sequence[dg.DagsterEvent]) -> str | None:
    """Why the run's verdict was a refusal, and what to do; None if it was none, or if there was no verdict."""
    made = [event.step_materialization_data.materialization for event in events if event.is_step_materialization]
    verdicts = [found for found in made if own_path(found.asset_key) == (Stage.VERDICT.value,)]
    if not verdicts or _shown(verdicts[-1], "approved") != "no":
        return None
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    said = [event.asset_check_evaluation_data for event in events if event.event_type is kind]
    reasons = [c.description for c in said if own_path(c.asset_key) == (Stage.VERDICT.value,) and not c.passed]
    first = next((text.partition("\n")[0].partition("; ")[0] for text in reasons if text), "")
    page = _shown(verdicts[-1], "page") or "the run's page"
    cause = f"the verdict is a refusal: {first}" if first else "the verdict is a refusal"
    return f"{cause}; read the report, {page}, and remove the cause"


def _shown(made: dg.AssetMaterialization, key: str) -> str:
    """A value of the metadata."""
    return str(getattr(made.metadata.get(key), "value", ""))


def _failure_of(run: dg.DagsterRun, events: Sequence[dg.DagsterEvent]) -> str | None:
    """Why a run failed; None if a person ended it."""
    if any(_TIME_LIMIT in (event.message or "") for event in events):
        return "the run took longer than it may and was ended; see what it waited for, then run `logcache refresh`"
    if run.status is dg.DagsterRunStatus.CANCELED:
        return None
    if failed := [event for event in events if event.is_step_failure]:
        return next(_reasons(failed), None)
    ends = [event for event in events if event.event_type is dg.DagsterEventType.RUN_FAILURE]
    told = [*filter(None, map(_own_sentence, ends)), *filter(None, (event.message for event in ends))]
    said = next(iter(told), "the run failed before its first step; see its page")
    return _DIED if _NO_WORDS in said else said


def _own_sentence(end: dg.DagsterEvent) -> str:
    """What we said ourselves when a run failed outside its steps, as of a setting; empty if we said nothing."""
    error = getattr(end.event_specific_data, "error", None)  # a run that was found dead has none
    while error and error.cls_name not in _OWN_ERRORS:
        error = error.cause
    return str(error.message).partition(": ")[2].strip() if error else ""


def _left_out_by(events: Sequence[dg.DagsterEvent]) -> tuple[str, ...]:
    """The databases that the run left out, if that is why it failed."""
    for event in events:
        said = event.step_failure_data.user_failure_data if event.is_step_failure else None
        if said and (shown := said.metadata.get(LEFT_OUT_DATABASES)):
            return tuple(str(shown.value).split(", "))
    return ()


def _reasons(failed: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    """Yield why steps failed, what a stage said itself first; nothing for an interrupt by a person."""
    for event in failed:
        said = event.step_failure_data.user_failure_data
        if said and said.description:
            yield said.description
    for event in failed:
        error = event.step_failure_data.error
        # What a library says may quote values, so its kind alone is told.
        if error and error.cls_name != _INTERRUPT:
            yield f"{error.cls_name} in {event.step_key}; see the run's page"
