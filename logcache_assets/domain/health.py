"""What `logcache doctor` makes of what the outside systems report: a mark, what was found, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from logcache_assets.domain.clocks import SILENCE, SKEW
from logcache_assets.domain.lifecycle import ExpiryRule, Lifecycle
from logcache_assets.domain.locations import CACHE_KEYS
from logcache_assets.domain.transactions import Transaction
from logcache_assets.domain.wording import count_of

NOT_SAID = "the server does not say"
"""What versioning and encryption are on a server that has no such question."""
_SHOWN = 3
_SHOWN_OF_RUNS = ("type", "started_at", "datasets")
_HOURS_SHOWN = 48
HEARTBEAT_AGE = timedelta(minutes=15)
"""After so long without a heartbeat nobody watches any more."""


class Mark(StrEnum):
    """How a probe ended."""

    OK = "ok"
    WARNING = "warning"
    """It works; somebody should know."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe found."""

    mark: Mark = Mark.OK
    found: str
    remedy: str = ""
    """Empty if nothing is to be done."""


def failed(found: str, remedy: str) -> Finding:
    """A finding that must be remedied."""
    return Finding(mark=Mark.FAILED, found=found, remedy=remedy)


def warned(found: str, remedy: str) -> Finding:
    """A finding that somebody should know."""
    return Finding(mark=Mark.WARNING, found=found, remedy=remedy)


def judge_expiry_of_runs(rules: Lifecycle) -> Finding:
    """The ephemeral bucket must delete what runs leave there: the copy's deadline is read from its rule."""
    if rules.rules:
        return Finding(found=str(rules))
    return failed(
        "nothing expires in the bucket of runs",
        "add a lifecycle rule that deletes the datasets of runs, or correct LOGCACHE_EPHEMERAL_BUCKET",
    )


def judge_expiry_of_caches(rules: Lifecycle) -> Finding:
    """No rule of the permanent bucket may delete a cache."""
    deleting = [rule for rule in rules.rules if _overlaps(rule, CACHE_KEYS)]
    if deleting:
        return failed(
            f"a lifecycle rule deletes caches: {Lifecycle(tuple(deleting))}",
            f"remove that rule, or limit it to a prefix outside {CACHE_KEYS}",
        )
    return Finding(found=f"no rule deletes what is below {CACHE_KEYS}")


def _overlaps(rule: ExpiryRule, prefix: str) -> bool:
    """True if a rule applies to some key that begins with a prefix."""
    return rule.prefix.startswith(prefix) or prefix.startswith(rule.prefix)


def judge_versioning(state: str) -> Finding:
    """Versions bring back what somebody deletes or overwrites by mistake."""
    if state == "Enabled":
        return Finding(found="versions are kept")
    return warned(
        f"versions are not kept ({state})", "enable versioning: what somebody deletes by mistake could not be restored"
    )


def judge_encryption(shown: str, *, wanted_key: str | None) -> Finding:
    """What is written must be encrypted; a configured key is sent with each write, whatever the bucket's own is."""
    if shown == "none":
        return failed("the bucket encrypts nothing", "enable default encryption")
    if shown == NOT_SAID:
        return warned(NOT_SAID, "find out how the server encrypts what it keeps: logs hold personal data")
    return Finding(found=f"{shown}, and writes name {wanted_key}" if wanted_key else shown)


def judge_owner(account: str | None, variable: str) -> Finding:
    """Whose bucket it is: an answer to a request that names the owner proves it."""
    if account:
        return Finding(found=f"owned by account {account}")
    return warned("nobody says who must own it", f"set {variable}, so that a bucket of another account is refused")


def judge_clock(theirs: datetime | None, ours: datetime) -> Finding:
    """The clock here, against the instant that the store says in its answer."""
    if theirs is None:
        return Finding(found="nothing outside shows the time")
    apart = ours - theirs
    if abs(apart) <= SKEW:
        return Finding(found=f"{abs(apart).total_seconds():.0f} s apart from the object store's")
    how = "ahead of" if apart > timedelta() else "behind"
    return failed(
        f"it is {abs(apart).total_seconds():.0f} s {how} the object store's", "set it: times decide what expires"
    )


def judge_newest_items(newest: Mapping[str, datetime | None], *, now: datetime) -> Finding:
    """The newest items of the segment index.

    Args:
        newest: instance → when its newest segment was extracted; None if it has none.
        now: the platform's time.
    """
    unknown = sorted(name for name, at in newest.items() if at is None)
    if unknown or not newest:
        without = f"{count_of(len(unknown), 'instance')} without an item, first {', '.join(unknown[:_SHOWN])}"
        remedy = "check the index's table, region and keys, and the prototypes in the catalog"
        return failed(without if unknown else "no instance is declared", remedy)
    at, name = max((at, name) for name, at in newest.items() if at is not None)
    age = now - at
    found = f"the newest of {count_of(len(newest), 'instance')} is {_age(age)} old, of {name}"
    if age < -SKEW:
        return failed(f"the newest item, of {name}, is from the future, {at:%Y-%m-%d %H:%M} UTC", "set the clock here")
    if age > SILENCE:
        return failed(found, "ask whether the extractor works; until then there is nothing to refresh")
    return Finding(found=found)


def _age(age: timedelta) -> str:
    hours = max(age, timedelta()) / timedelta(hours=1)
    return f"{hours:.1f} hours" if hours < _HOURS_SHOWN else f"{hours / 24:.1f} days"


def judge_nights(count: int, *, days: int) -> Finding:
    """How many nightly runs metapod shows."""
    if count:
        return Finding(found=f"{count_of(count, 'nightly run')} in {days} days")
    return failed(f"no nightly run in {days} days", "check metapod's address, LOGCACHE_COUNTRY and the clock here")


def judge_listing(listed: Transaction, alone: Transaction) -> Finding:
    """One run as metapod's listing shows it, and as it is shown alone."""
    if differing := sorted(name for name in _SHOWN_OF_RUNS if getattr(listed, name) != getattr(alone, name)):
        return failed(
            f"the listing shows another {differing[0]} of run {alone.id} than the query for it alone",
            "correct the queries that LOGCACHE_METAPOD_QUERIES names, or tell metapod's owners",
        )
    committed = [found for found in alone.datasets.values() if found.committed_at]
    elsewhere = [found.name for found in committed if not (found.path or "").startswith(("s3://", "s3a://"))]
    if elsewhere:
        return failed(
            f"{count_of(len(elsewhere), 'committed dataset')} of run {alone.id} without an s3:// path, first "
            f"{elsewhere[0]}",
            "correct the queries that LOGCACHE_METAPOD_QUERIES names: `path` must be the folder of its files",
        )
    return Finding(found=f"{count_of(len(alone.datasets), 'dataset')}, as in the listing")


def judge_heartbeat(beat: datetime | None, *, now: datetime) -> Finding:
    """When the sensor `alerts` last showed that the daemon lives; it does so every minute.

    Args:
        beat: None if it never did.
        now: this computer's time.
    """
    remedy = "start the daemon, and switch the sensor `alerts` on in Dagit under Automation"
    if beat is None:
        return failed("the daemon never showed that it lives", remedy)
    age = now - beat
    if age > HEARTBEAT_AGE:
        return failed(f"the daemon last showed {_age(age)} ago that it lives", remedy)
    return Finding(found=f"{max(age, timedelta()).total_seconds():.0f} s ago")
