"""An object at the destination of a copy, beside what the ledger knows of it."""

from dataclasses import dataclass

from logcache_assets.domain.copying import Difference, Fate
from logcache_assets.ports import StoredObject
from logcache_assets.refresh.copying.ledger import Entry


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object at the destination, and what the ledger knows of it."""

    name: str
    item: StoredObject
    entry: Entry | None

    @property
    def is_the_copy(self) -> bool:
        """Whether it is exactly the object that the copy's answer described."""
        if self.entry is None:
            return False
        described = self.entry.size_bytes, self.entry.copy_etag, self.entry.copy_class
        return described == (self.item.size_bytes, self.item.etag, self.item.storage_class)

    def difference(self, fate: Fate) -> Difference:
        """How it differs from its source."""
        return Difference(self.name, fate, self.entry.size_bytes if self.entry else None, self.item.size_bytes)
