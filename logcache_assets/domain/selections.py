"""Selections of databases: names of a refresh of all or some databases, in documents and branches."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

ALL = "all"
"""The selection of every database of the catalog; no database may be named so."""
OWN_BRANCHES = "log-cache/"
"""How the branches begin on which we propose a map; all others are of people."""
NAMED_AT_MOST = 3
"""Selections of more databases are named by a digest."""


def selection_name(databases: Sequence[str], *, catalog: Sequence[str]) -> str:
    """The short name of a choice of databases in documents and branches: `all`, `customers_feed`, `17_4f1d20aa`."""
    if set(databases) == set(catalog):
        return ALL
    if len(databases) <= NAMED_AT_MOST:
        return "_".join(sorted(databases))
    digest = hashlib.sha256(" ".join(sorted(databases)).encode()).hexdigest()
    return f"{len(databases)}_{digest[:8]}"


def branch_name(*, transaction: str, started_at: datetime, selection: str) -> str:
    """`log-cache/2018-05-24-1c7be4a9`, followed by the selection unless it is the whole catalog.

    A partial refresh has its own branch, so it never moves the branch of a whole refresh.
    """
    whole = f"{OWN_BRANCHES}{started_at:%Y-%m-%d}-{transaction[:8]}"
    return whole if selection == ALL else f"{whole}-{selection}"
