"""The kinds of contracts. A new kind is one module here and one in engine/contracts/, and a line in each registry."""

from logcache_assets.domain.kinds.entity import ENTITY
from logcache_assets.domain.kinds.history import HISTORY
from logcache_assets.domain.kinds.kind import ContractKind
from logcache_assets.domain.kinds.snapshot import SNAPSHOT

KINDS: tuple[ContractKind, ...] = (ENTITY, SNAPSHOT, HISTORY)
"""Every kind, in the order in which the datasets of an entity are made."""

KIND_NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)
