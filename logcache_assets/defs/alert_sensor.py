"""The sensor that tells people what failed, what waits for too long, and when all is well again."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from msgspec.structs import replace

from logcache_assets.adapters.alerts.alert_book_file import AlertBookFile
from logcache_assets.adapters.home_lock import is_held
from logcache_assets.catalog import Catalog
from logcache_assets.connect import Channels
from logcache_assets.defs.check_alerts import StandingChecks
from logcache_assets.defs.run_alerts import LOOKED_BACK, EndedRuns
from logcache_assets.domain.alerts import AlertBook, advised, alerts_of_wait, follow_wait, note
from logcache_assets.domain.wording import count_of, sentence_of
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Clock, ItaipuRepository, Metapod, ObjectStore, SegmentIndex
from logcache_assets.refresh.look_ahead import Planner
from logcache_assets.refresh.standing import find_standing
from logcache_assets.refresh.tell_alerts import BUDGET_SECONDS, Teller
from logcache_assets.runbook_file import load_runbook
from logcache_assets.settings import Settings

ASKED_EVERY = timedelta(minutes=10)
"""How often the next step is asked for, by the platform's clock."""
FIRST_LOOK = timedelta(days=1)
"""How far the first evaluation looks back."""

DESCRIPTION = (
    "Tells people, by webhook, mail and the file alerts.jsonl, when a run fails, a verdict is a refusal, a standing "
    "check is red or a refresh waits for more than a day, once each, and when all is well again. Its heartbeat shows "
    "that the daemon lives."
)


def build_alerts(catalog: Catalog) -> dg.SensorDefinition:
    """The sensor for the databases of this catalog."""

    @dg.sensor(minimum_interval_seconds=60, description=DESCRIPTION, default_status=dg.DefaultSensorStatus.RUNNING)
    def alerts(
        context: dg.SensorEvaluationContext,
        metapod: dg.ResourceParam[Metapod],
        store: dg.ResourceParam[ObjectStore],
        segment_index: dg.ResourceParam[SegmentIndex],
        repository: dg.ResourceParam[ItaipuRepository],
        clock: dg.ResourceParam[Clock],
        settings: dg.ResourceParam[Settings],
        channels: dg.ResourceParam[Channels],
    ) -> dg.SkipReason:
        """Tells people what is wrong, once, and when all is well again."""
        planner = Planner(
            metapod=metapod,
            store=store,
            segment_index=segment_index,
            repository=repository,
            clock=clock,
            settings=settings,
        )
        file = AlertBookFile(settings.home_folder)
        try:
            with file.held():
                watch = Watch(
                    context=context, planner=planner, settings=settings, channels=channels, catalog=catalog, file=file
                )
                return dg.SkipReason(watch.look())
        except LogCacheError as error:
            return dg.SkipReason(str(error))

    return alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One evaluation of the sensor."""

    context: dg.SensorEvaluationContext
    planner: Planner
    settings: Settings
    channels: Channels
    catalog: Catalog
    file: AlertBookFile

    def look(self) -> str:
        """Notice what is wrong and tell it; returns what was done in one sentence."""
        beat = self._beat()
        teller = Teller(
            notifiers=self.channels.notifiers,
            keep=self.file.write,
            now=_now,
            ends_at=time.monotonic() + BUDGET_SECONDS,
        )
        book = self.file.read() or AlertBook(began_at=_now() - FIRST_LOOK)
        # What Dagster knows is told first: the next step is asked of systems that may not answer.
        book, told = teller.tell(self._noted(book))
        asked = self._asked(book)
        if asked is not book:
            book, more = teller.tell(self._noted(asked))
            told = (*told, *more)
        self.file.write(book)
        return sentence_of("; ".join([*told, *beat, _state_of(book)]))

    def _beat(self) -> list[str]:
        try:
            self.channels.heartbeat.beat(_now())
        except (LogCacheError, OSError) as error:
            return [f"the heartbeat was not heard: {error}"]
        return []

    def _noted(self, book: AlertBook) -> AlertBook:
        """The book with all that is wrong now."""
        origin = self.context.code_location_origin
        runs = EndedRuns(
            instance=self.context.instance,
            settings=self.settings,
            location=origin.location_name if origin else None,
        )
        still = {key for accident in book.open for key in accident.keys}
        since = max(book.began_at, _now() - LOOKED_BACK)
        # What was well before the newest run ended says nothing about that run.
        is_well = book.is_well and book.last_run == runs.newest()
        found = [
            *runs.alerts(since=since, known=book.known, still=still, is_well=is_well),
            *StandingChecks(instance=self.context.instance, settings=self.settings, keys=self._checks()).alerts(),
            *alerts_of_wait(
                book.waiting,
                now=self.planner.clock.now(),
                limit=self.settings.alert_wait,
                link=self.settings.dagit_link("automation"),
            ),
        ]
        advice = [advised(alert, load_runbook()) for alert in found]
        return note(book, advice, now=_now(), channels=[notifier.channel for notifier in self.channels.notifiers])

    def _checks(self) -> Collection[dg.AssetCheckKey]:
        repository = self.context.repository_def
        return repository.asset_graph.asset_check_keys if repository else ()

    def _asked(self, book: AlertBook) -> AlertBook:
        """The book with the answer of what is next; the same book if it is too early to ask again."""
        now = self.planner.clock.now()
        newest = EndedRuns(instance=self.context.instance, settings=self.settings, location=None).newest()
        is_early = book.asked_at is not None and timedelta() <= now - book.asked_at < ASKED_EVERY
        if is_early and newest == book.last_run:
            return book
        # Written down before the question, so that one without an end does not fill every evaluation.
        self.file.write(replace(book, asked_at=now, last_run=newest))
        standing = find_standing(
            self.planner,
            self.catalog,
            limit=self.settings.alert_wait,
            is_going_on=is_held(self.settings.home_folder),
        )
        was_told = any(accident.group in {"wait", "give-up"} for accident in book.open)
        waiting = follow_wait(book.waiting, standing.waiting, is_well=standing.is_well, was_told=was_told)
        return replace(book, waiting=waiting, is_well=standing.is_well, asked_at=now, last_run=newest)


def _now() -> datetime:
    """This computer's time, by which Dagster's runs end; the local world's clock stands still."""
    return datetime.now(UTC)


def _state_of(book: AlertBook) -> str:
    """What goes on, in a few words."""
    if book.open:
        return f"{count_of(len(book.open), 'accident')} not over yet, the newest: {book.open[-1].cause}"
    if book.waiting:
        since = f"{book.waiting.since:%Y-%m-%d %H:%M} UTC"
        return f"nothing to tell yet; a refresh waits since {since}: {book.waiting.sentence}"
    return "nothing is wrong: no run failed, no check is red, and no refresh waits for too long"
