"""Repeated reads during whose pauses an outage ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from logcache_assets.adapters.repeated_reads import RepeatedReads

if TYPE_CHECKING:
    from tenacity import Retrying


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedReads(RepeatedReads):
    """Reads that call `repair` instead of pausing."""

    repair: Callable[[], object]

    @override
    def retrying(self) -> "Retrying":
        return RepeatedReads.retrying(self).copy(sleep=lambda _seconds: self.repair())
