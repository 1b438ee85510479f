"""The tags of a run of a refresh: Dagit shows them, finds runs by them, and links those that look like addresses."""

from collections.abc import Sequence

from logcache_assets.defs.jobs import COUNTRY_TAG, NIGHT_TAG
from logcache_assets.domain.plain_text import shortened

DATABASES_TAG = "logcache/databases"
"""Whose logs the run refreshes."""
REASON_TAG = "logcache/reason"
"""The sentence of the next step, for which the run was started."""
ASKED_TAG = "logcache/asked_by"
"""The sensor, or the person who called the command or came to Dagit."""
USER_TAG = "user"
"""A login; Dagit's column *Launched by* shows it."""
_SHOWN = 250


def tags_of_run(*, night: str, databases: Sequence[str], reason: str, asked_by: str, country: str) -> dict[str, str]:
    """The tags of a run.

    Args:
        night: the nightly transaction that it refreshes from.
        databases: whose logs it refreshes.
        reason: why it is started, as `logcache status` says it.
        asked_by: who wants it.
        country: whose deployment it belongs to.
    """
    return {
        NIGHT_TAG: night,
        DATABASES_TAG: names_text(databases),
        REASON_TAG: shortened(reason, _SHOWN),
        ASKED_TAG: asked_by,
        COUNTRY_TAG: country,
    }


def names_text(databases: Sequence[str]) -> str:
    """The databases as a tag shows them."""
    return shortened(", ".join(databases), _SHOWN)
