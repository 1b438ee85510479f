"""Reads the verdicts of earlier refreshes: the report charts them, and rules judge by what they counted."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from logcache_assets.domain.documents import Binding, Verdict
from logcache_assets.domain.locations import Locations, Stage, stage_of
from logcache_assets.errors import BadInput
from logcache_assets.refresh.document_store import Documents

MOST_VERDICTS = 30
"""The report charts as many refreshes."""


def past_verdicts(
    documents: Documents, locations: Locations, *, databases: Collection[str], besides: Binding | None = None
) -> tuple[Verdict, ...]:
    """The last verdicts over some of these databases, the oldest first; those of a former version are left out.

    Args:
        documents: where they are.
        locations: where they lie there.
        databases: of the present refresh.
        besides: what the present refresh is about, so that its own verdict is not among them.
    """
    verdicts = (item for item in documents.store.list_objects(locations.documents) if _is_verdict(item.uri))
    newest_first = sorted(verdicts, key=lambda item: item.modified_at, reverse=True)
    readable = _read_verdicts(documents, (item.uri for item in newest_first))
    wanted = (v for v in readable if v.binding != besides and not set(v.databases).isdisjoint(databases))
    return tuple(sorted(islice(wanted, MOST_VERDICTS), key=lambda verdict: verdict.decided_at))


def _is_verdict(uri: str) -> bool:
    return uri.endswith(".json") and stage_of(uri) == Stage.VERDICT


def _read_verdicts(documents: Documents, uris: Iterable[str]) -> Iterator[Verdict]:
    """Every verdict that this version understands. A store that fails raises: it is not an empty history."""
    for uri in uris:
        try:
            yield documents.read(uri, Verdict)
        except BadInput:
            continue
