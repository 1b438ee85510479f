"""Asks what a refresh waits for, so that somebody can be told when it waits for too long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from logcache_assets.catalog import Catalog
from logcache_assets.domain.alerts import Waiting
from logcache_assets.domain.next_step import GOING_ON, GiveUp, WaitUntil
from logcache_assets.domain.selections import ALL
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import LogCacheError
from logcache_assets.refresh.look_ahead import Asked, Outlook, Planner


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether all is well with the refresh of the whole catalog, and else what it waits for."""

    is_well: bool = False
    waiting: Waiting | None = None
    """None if it waits for nothing: a refresh is due, or goes on."""


def find_standing(planner: Planner, catalog: Catalog, *, limit: timedelta, is_going_on: bool) -> Standing:
    """Ask what is next about a refresh of these databases.

    Args:
        planner: determines it.
        catalog: all databases.
        limit: for how long newer nights may be rejected before that is a wait, too.
        is_going_on: a refresh works right now.
    """
    now = planner.clock.now()
    try:
        outlook = planner.look_ahead(Asked(databases=catalog, selection=ALL, is_going_on=is_going_on))
    except LogCacheError as error:
        return Standing(waiting=Waiting(since=now, sentence=str(error), at_once=False))
    except Exception as error:  # noqa: BLE001 - a defect here must not silence the alerts of what failed
        sentence = f"what is next cannot be determined: {type(error).__name__}; run `logcache status`"
        return Standing(waiting=Waiting(since=now, sentence=sentence, at_once=False))
    return _standing_of(outlook, now=now, limit=limit)


def _standing_of(outlook: Outlook, *, now: datetime, limit: timedelta) -> Standing:
    step = outlook.step
    if isinstance(step, GiveUp):
        return Standing(waiting=Waiting(since=now, sentence=step.sentence, at_once=True))
    if not isinstance(step, WaitUntil) or step.sentence == GOING_ON:
        return Standing()
    if not step.is_well:
        return Standing(waiting=Waiting(since=now, sentence=step.sentence, at_once=False))
    if unused := _unused_nights(outlook, before=now - limit):
        return Standing(waiting=unused)
    return Standing(is_well=True)


def _unused_nights(outlook: Outlook, *, before: datetime) -> Waiting | None:
    """Nights newer than the one in use, of which the oldest began long ago: no night since was any better."""
    rejected = [found for found in outlook.choice.rejected if found.transaction.type == TransactionType.DAILY]
    if not rejected or rejected[-1].transaction.started_at > before:
        return None
    newest, since = rejected[0], rejected[-1].transaction.started_at
    return Waiting(
        since=since,
        sentence=f"no night since {since:%Y-%m-%d} could be used, the newest, {newest.transaction.id}, because "
        f"{newest.reasons[0]}; ask the owners of the nightly run, or name a night: logcache refresh --transaction",
        at_once=False,
    )
