"""Reads the newest instant that each outside system shows, against which our own clock is compared.

domain/clocks.py says what follows from them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from logcache_assets.domain.clocks import Witness
from logcache_assets.domain.documents import Candidate
from logcache_assets.domain.instances import parse_instance
from logcache_assets.domain.locations import Locations
from logcache_assets.domain.transactions import Transaction, newest_commit
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.ports import ObjectStore, SegmentIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestInstants:
    """Finds what the outside systems show last around a candidate."""

    store: ObjectStore
    segment_index: SegmentIndex
    locations: Locations

    def find(self, candidate: Candidate, runs: Sequence[Transaction]) -> Iterator[Witness]:
        """One witness per system that shows anything.

        Args:
            candidate: whose documents and segments are looked at.
            runs: of Itaipu, as metapod tells them.
        """
        committed = newest_commit(runs)
        if committed is not None and committed.committed_at is not None:
            yield Witness(system="metapod", shows=f"a commit of {committed.name}", at=committed.committed_at)
        listed = self.store.list_objects(self.locations.refresh(transaction=candidate.transaction))
        written = max(listed, key=lambda item: item.modified_at, default=None)
        if written is not None:
            yield Witness(system="the object store", shows="a document of this refresh", at=written.modified_at)
        instances = [parse_instance(change.instance) for change in candidate.changes]
        found = ask_each(instances, self.segment_index.segments).values()
        extracted = max(chain.from_iterable(found), key=lambda segment: segment.timestamp_ms, default=None)
        if extracted is not None:
            shows = f"a segment of {extracted.instance.name}"
            yield Witness(system="the segment index", shows=shows, at=extracted.extracted_at)
