"""What somebody must be told: alerts, the accidents that they belong to, and what is told when.

Pure functions of the alerts that hold now and of the book of what was told. An accident may show itself several times
(an attempt that fails, is repeated and fails again): its alerts have one group, and it is told once, until it is over.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from datetime import datetime, timedelta

from msgspec.structs import replace

from logcache_assets.domain.alert_messages import Message, message_of_alert, message_of_end
from logcache_assets.domain.documents import Document
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.runbook import Runbook

REMEMBERED = timedelta(days=30)
"""How long the book keeps what is over and told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One event that somebody must be told."""

    key: str
    """The same for the same event, for ever."""
    group: str
    """The same for all alerts of one accident."""
    cause: str
    """One sentence."""
    since: datetime
    remedy: str
    """What to do."""
    link: str = ""
    """An address that a browser opens; empty if there is none."""
    is_over: bool = False
    """What happened is overtaken by something newer that went well."""
    is_echo: bool = False
    """Another alert tells it: it only keeps an accident open that was told before."""
    told_by: tuple[str, ...] = ()
    """Groups of accidents which tell it together, if all of them go on."""


class Accident(Document, frozen=True, kw_only=True):
    """Alerts of one group, from the first one until all are over."""

    group: str
    keys: tuple[str, ...]
    """Of its alerts."""
    cause: str
    since: datetime
    remedy: str
    link: str
    over_at: datetime | None = None
    """None while it goes on."""


class Waiting(Document, frozen=True, kw_only=True):
    """A refresh waits for something that is not well."""

    since: datetime
    """By the platform's clock."""
    sentence: str
    at_once: bool
    """Nothing more is tried without a person."""


class AlertBook(Document, frozen=True, kw_only=True):
    """What was noticed, and what was told to whom."""

    began_at: datetime
    """Nothing that ended before is told."""
    accidents: tuple[Accident, ...] = ()
    """Oldest first."""
    messages: tuple[Message, ...] = ()
    """Oldest first."""
    waiting: Waiting | None = None
    is_well: bool = False
    """At the last look nothing was left to refresh."""
    asked_at: datetime | None = None
    """When the next step was asked for, by the platform's clock."""
    last_run: str = ""
    """The newest run that had ended then."""

    @property
    def open(self) -> tuple[Accident, ...]:
        """The accidents that go on."""
        return tuple(accident for accident in self.accidents if accident.over_at is None)

    @property
    def known(self) -> frozenset[str]:
        """The keys of all alerts that were noticed."""
        return frozenset(key for accident in self.accidents for key in accident.keys)


def note(book: AlertBook, alerts: Sequence[Alert], *, now: datetime, channels: Collection[str]) -> AlertBook:
    """Write down the alerts that hold now, and the messages that are due because of them.

    Args:
        book: what was noticed before.
        alerts: all that hold now; one of an accident that goes on and is not among them is over.
        now: this computer's time.
        channels: whom a message is sent to.
    """
    before = {accident.group: accident for accident in book.open}
    noticed = _joined(before, [alert for alert in alerts if alert.key not in book.known])
    begun = [accident for group, accident in noticed.items() if group not in before]
    still = {alert.key for alert in alerts if not alert.is_over}
    ended = {
        group: replace(accident, over_at=now) for group, accident in noticed.items() if not still & {*accident.keys}
    }
    told = [message_of_alert(found, is_over=found.group in ended, now=now, channels=channels) for found in begun]
    if ended and len(ended) == len(noticed):
        told.append(message_of_end(_over(book, ended), now=now, channels=channels))
    kept = [accident for accident in book.accidents if accident.over_at]
    return _without_old(
        replace(book, accidents=(*kept, *{**noticed, **ended}.values()), messages=(*book.messages, *told)), now
    )


def _joined(before: dict[str, Accident], news: Sequence[Alert]) -> dict[str, Accident]:
    """The accidents that go on, by group, with the new alerts."""
    accidents = dict(before)
    for alert in news:
        tell_it = alert.told_by if alert.told_by and accidents.keys() >= {*alert.told_by} else (alert.group,)
        if known := [accidents[group] for group in tell_it if group in accidents] or _told_together(alert, accidents):
            accidents |= {found.group: replace(found, keys=(*found.keys, alert.key)) for found in known}
        elif not alert.is_echo:
            accidents[alert.group] = Accident(
                group=alert.group,
                keys=(alert.key,),
                cause=alert.cause,
                since=alert.since,
                remedy=alert.remedy,
                link=alert.link,
            )
    return accidents


def _told_together(alert: Alert, accidents: dict[str, Accident]) -> list[Accident]:
    """The accidents of several databases among which is the one that an alert says is left out."""
    names = databases_of_left_out(alert.group)
    return [found for group, found in accidents.items() if names and names <= databases_of_left_out(group)]


def _over(book: AlertBook, ended: dict[str, Accident]) -> tuple[str, ...]:
    """The causes of what is over since all was well the last time."""
    last = max((message.made_at for message in book.messages if message.is_end), default=book.began_at)
    earlier = [accident.cause for accident in book.accidents if accident.over_at and accident.over_at > last]
    return tuple(dict.fromkeys([*earlier, *(accident.cause for accident in ended.values())]))


def _without_old(book: AlertBook, now: datetime) -> AlertBook:
    """The book without what is over and told for long."""
    before = now - REMEMBERED
    return replace(
        book,
        accidents=tuple(found for found in book.accidents if found.over_at is None or found.over_at > before),
        messages=tuple(found for found in book.messages if found.made_at > before),
    )


def follow_wait(waiting: Waiting | None, found: Waiting | None, *, is_well: bool, was_told: bool) -> Waiting | None:
    """The wait that goes on after a look at the next step.

    Args:
        waiting: before.
        found: what the refresh waits for now; None if it waits for nothing.
        is_well: nothing is left to refresh.
        was_told: somebody was told of the wait; then it ends only when all is well.
    """
    if is_well:
        return None
    if found is None:
        return waiting if was_told else None
    return replace(found, since=waiting.since) if waiting else found


def alerts_of_wait(waiting: Waiting | None, *, now: datetime, limit: timedelta, link: str) -> Iterator[Alert]:
    """The alert of a wait that is longer than the limit, or that only a person can end.

    Args:
        waiting: what the refresh waits for; None if it waits for nothing.
        now: by the platform's clock.
        limit: how long a refresh may wait before somebody is told.
        link: where to look.
    """
    if waiting is None or (now - waiting.since <= limit and not waiting.at_once):
        return
    # A person is told again when nothing more is tried, also of a wait that was told.
    kind = "give-up" if waiting.at_once else "wait"
    cause, remedy = split_remedy(waiting.sentence)
    yield Alert(
        key=f"{kind}:{waiting.since.isoformat()}",
        group=kind,
        cause=shortened(cause),
        since=waiting.since,
        remedy=remedy,
        link=link,
    )


def group_of_left_out(databases: Collection[str]) -> str:
    """The group of alerts of databases that a refresh leaves out, from the first sign to the refresh that has them."""
    return f"{_LEFT_OUT}{', '.join(sorted(databases))}"


def is_left_out(alert: Alert) -> bool:
    """True for an alert of a run that left databases out."""
    return bool(alert.told_by)


_LEFT_OUT = "left-out:"
"""How the group of an alert of left-out databases begins."""
RUNBOOK = "see these words in docs/runbook.md"
"""The runbook's headings are error messages."""


def split_remedy(text: str) -> tuple[str, str]:
    """The cause of a message, and what it says is to be done: the clause behind the last semicolon of its first line.

    What is to be done is short, and ends with where to read more.

    message                                     cause                     remedy
    feed-s0: has a gap (C2); ask its owners     feed-s0: has a gap (C2)   ask its owners
    the run was killed                          the run was killed        (the runbook)
    """
    line = text.strip().partition("\n")[0]
    cause, found, remedy = line.rpartition("; ")
    return (cause, f"{shortened(remedy)}; {RUNBOOK}") if found else (line, RUNBOOK)


def advised(alert: Alert, runbook: Runbook) -> Alert:
    """The alert with the runbook's answer in the place of where to find it."""
    answer = runbook.answer_to(f"{alert.cause}; {alert.remedy}")
    if answer is None or not alert.remedy.endswith(RUNBOOK):
        return alert
    own = alert.remedy.removesuffix(RUNBOOK)
    return with_fields(alert, remedy=f"{own}the runbook says: {answer.text}")


def databases_of_left_out(group: str) -> frozenset[str]:
    """The databases that such a group names; none for another group."""
    return frozenset(group.removeprefix(_LEFT_OUT).split(", ")) if group.startswith(_LEFT_OUT) else frozenset()
