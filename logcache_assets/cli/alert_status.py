"""What `logcache status` says of alerts: what was told and is not over, what could not be told, and the heartbeat."""

from collections.abc import Iterator
from datetime import datetime

from logcache_assets.adapters.alerts.alert_book_file import AlertBookFile
from logcache_assets.adapters.alerts.heartbeat import last_beat
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.cli.output import Result
from logcache_assets.domain.alerts import AlertBook
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.health import Mark, judge_heartbeat
from logcache_assets.domain.wording import sentence_of
from logcache_assets.settings import Settings


class AlertStatus(Result, frozen=True, kw_only=True):
    """One accident that goes on."""

    cause: str
    since: str
    """ISO-8601 UTC."""
    remedy: str
    link: str
    """Empty if no page of Dagit is known."""


class AlertsStatus(Result, frozen=True, kw_only=True):
    """What the sensor `alerts` knows."""

    heartbeat: str | None
    """When it last looked, ISO-8601 UTC by this computer's clock; None if it never did."""
    is_alive: bool
    """The heartbeat is young."""
    accidents: list[AlertStatus]
    """Those that go on."""
    not_sent: list[str]
    """Why messages that are due could not be sent, by channel."""


def find_alerts(settings: Settings) -> AlertsStatus:
    """Read the files that the sensor writes in the home."""
    now = SystemClock().now()
    beat = last_beat(settings.home_folder)
    book = AlertBookFile(settings.home_folder).read()
    return AlertsStatus(
        heartbeat=utc_text(beat) if beat else None,
        is_alive=judge_heartbeat(beat, now=now).mark is Mark.OK,
        accidents=[
            AlertStatus(cause=found.cause, since=utc_text(found.since), remedy=found.remedy, link=found.link)
            for found in (book.open if book else ())
        ],
        not_sent=sorted(set(_failures(book))) if book else [],
    )


def _failures(book: AlertBook) -> Iterator[str]:
    for message in book.messages:
        for channel, delivery in message.deliveries.items():
            if delivery.failure and not delivery.sent_at:
                yield f"{channel}: {delivery.failure}"


def alert_lines(alerts: AlertsStatus) -> Iterator[str]:
    """A line per accident with what to do, and one if the daemon seems dead."""
    for found in alerts.accidents:
        since = f"{datetime.fromisoformat(found.since):%Y-%m-%d %H:%M} UTC"
        yield f"Not over since {since}: {sentence_of(found.cause)}"
        yield f"  what to do: {found.remedy}"
    yield from (f"An alert could not be sent by {failure}." for failure in alerts.not_sent)
    if alerts.heartbeat and not alerts.is_alive:
        yield f"The daemon has not shown that it lives since {alerts.heartbeat}; start it, or `make ui`."
