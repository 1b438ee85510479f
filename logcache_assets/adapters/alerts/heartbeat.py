"""The heartbeat: a file of the home, and an address that is called, which show that the daemon lives.

Whoever watches the address (healthchecks.io and others) tells people when the calls stop; nobody can tell of his own
death.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from logcache_assets.adapters.alerts.calls import call
from logcache_assets.adapters.secret import Secret
from logcache_assets.domain.canonical_json import utc_text

FILE = "heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Of one deployment."""

    home: Path
    url: Secret | None = None
    seconds: float = 5
    """How long the address may take."""

    def beat(self, now: datetime) -> None:
        """Write the file and call the address; raises NotifierError if that does not answer."""
        file = self.home / FILE
        beside = file.with_name(f".{FILE}.new")
        beside.write_text(utc_text(now) + "\n", encoding="utf-8")
        beside.replace(file)
        if self.url:
            call(self.url, body=None, seconds=self.seconds)


def last_beat(home: Path) -> datetime | None:
    """When the daemon last showed that it lives, by this computer's clock; None if it never did."""
    with suppress(OSError, ValueError):
        return datetime.fromisoformat((home / FILE).read_text(encoding="utf-8").strip()).astimezone(UTC)
    return None
