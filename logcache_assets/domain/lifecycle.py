"""When a bucket's lifecycle rules delete an object; source: S3's lifecycle configuration.

Rules are judged on the safe side: one that is limited to tags counts as applying, because listings show no tags, and
S3's rounding up to the next midnight is left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryRule:
    """One enabled rule that deletes current versions: so many days after they were written, or on a date."""

    days: int | None = None
    date: datetime | None = None
    prefix: str = ""
    """Beginning of the keys to which it applies."""
    above_bytes: int = -1
    """It applies to larger objects only."""
    below_bytes: int | None = None
    """It applies to smaller objects only; None is no limit."""

    def expires_at(self, key: str, *, size_bytes: int, modified_at: datetime) -> datetime | None:
        """When it deletes an object; None if it does not apply to it."""
        fits = self.above_bytes < size_bytes and (self.below_bytes is None or size_bytes < self.below_bytes)
        if not fits or not key.startswith(self.prefix):
            return None
        return self.date if self.days is None else modified_at + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The rules of a bucket that delete objects; none if nothing expires there."""

    rules: tuple[ExpiryRule, ...] = ()

    def expires_at(self, uri: str, *, size_bytes: int, modified_at: datetime) -> datetime | None:
        """When an object is deleted: by the rule that does so first; None if it never is."""
        key = uri.split("/", 3)[3]
        dates = (rule.expires_at(key, size_bytes=size_bytes, modified_at=modified_at) for rule in self.rules)
        return min((date for date in dates if date is not None), default=None)

    def __str__(self) -> str:
        """`objects expire after 7 days`, or the rules with their prefixes."""
        return "; ".join(map(_sentence, self.rules)) or "nothing expires"


def _sentence(rule: ExpiryRule) -> str:
    when = f"after {rule.days} days" if rule.date is None else f"on {rule.date:%Y-%m-%d}"
    return f"objects below {rule.prefix} expire {when}" if rule.prefix else f"objects expire {when}"
