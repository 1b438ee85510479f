"""Probes of alerts, for `logcache doctor`: whether each channel would take a message, and whether the daemon lives."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from logcache_assets.domain.alert_messages import message_of_test
from logcache_assets.domain.health import Finding, judge_heartbeat, warned
from logcache_assets.ports.notifier import Notifier
from logcache_assets.refresh.doctor import Probe

FILE = "file"
"""The channel that tells nobody by itself."""


def alert_probes(
    notifiers: Sequence[Notifier], beat: datetime | None, *, is_needed: bool, write: bool, now: datetime
) -> Iterator[Probe]:
    """The probes of a deployment.

    Args:
        notifiers: the channels that its settings name.
        beat: when the daemon last showed that it lives; None if it never did.
        is_needed: somebody should be told, and a daemon should live; not on a computer where somebody tries things.
        write: also send a message that says that it is a test.
        now: this computer's time.
    """
    told = [notifier for notifier in notifiers if notifier.channel != FILE]
    for notifier in told:
        yield Probe(system="alerts", check=notifier.channel, ask=partial(_taken, notifier, write=write, now=now))
    if is_needed and not told:
        yield Probe(system="alerts", check="people", ask=_nobody)
    if is_needed or beat:
        yield Probe(system="alerts", check="heartbeat", ask=lambda: judge_heartbeat(beat, now=now))


def _taken(notifier: Notifier, *, write: bool, now: datetime) -> Finding:
    found = notifier.probe()
    if not write:
        return Finding(found=found)
    notifier.send(message_of_test(now))
    return Finding(found="took a message that says that it is a test")


def _nobody() -> Finding:
    return warned(
        "nobody is told when something fails", "set LOGCACHE_ALERT_WEBHOOK or LOGCACHE_ALERT_MAIL_TO; see .env.example"
    )
