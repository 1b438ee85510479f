"""Reads the verdicts of earlier refreshes, which the report charts and whose figures are the rules' history."""

from collections.abc import Collection, Iterable, Iterator
from heapq import nlargest
from itertools import islice
from operator import itemgetter

from logcache_assets.domain.documents import Binding, Verdict
from logcache_assets.domain.locations import Locations, Stage, stage_of
from logcache_assets.errors import BadInput
from logcache_assets.refresh.document_store import Documents

MOST_VERDICTS = 30
"""How many refreshes the report charts at most."""
MOST_READ = 10 * MOST_VERDICTS
"""How many of the newest verdicts are read at most to find these: others may be on other databases."""


def past_verdicts(
    documents: Documents, locations: Locations, *, databases: Collection[str], besides: Binding | None = None
) -> tuple[Verdict, ...]:
    """The last verdicts on any of these databases, the oldest first; documents of older versions are left out.

    Args:
        documents: the store of documents.
        locations: the URIs of documents.
        databases: of the current refresh.
        besides: the binding of the current refresh, whose own verdict is left out.
    """
    listed = documents.store.list_objects(locations.documents)
    written = ((item.modified_at, item.uri) for item in listed if _is_verdict(item.uri))
    newest_first = nlargest(MOST_READ, written, key=itemgetter(0))
    readable = _read_verdicts(documents, (uri for _, uri in newest_first))
    wanted = (v for v in readable if v.binding != besides and not set(v.databases).isdisjoint(databases))
    return tuple(sorted(islice(wanted, MOST_VERDICTS), key=lambda verdict: verdict.decided_at))


def _is_verdict(uri: str) -> bool:
    return uri.endswith(".json") and stage_of(uri) == Stage.VERDICT


def _read_verdicts(documents: Documents, uris: Iterable[str]) -> Iterator[Verdict]:
    """Read every verdict that this version understands. A store that fails raises: it is not an empty history."""
    for uri in uris:
        try:
            yield documents.read(uri, Verdict)
        except BadInput:
            continue
