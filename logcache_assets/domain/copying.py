"""Plans a copy into the permanent bucket, in which nothing is ever overwritten."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlan:
    """What to do with every object of a copy. Each is in exactly one group; names are relative to the folder."""

    missing: tuple[str, ...]
    """Only at the source: to be copied."""
    present: tuple[str, ...]
    """On both sides with the same digest."""
    conflicting: tuple[str, ...]
    """On both sides with different digests."""
    foreign: tuple[str, ...]
    """Only at the destination."""


def plan_copy(*, source: Mapping[str, str], destination: Mapping[str, str]) -> CopyPlan:
    """Sort every object by what the destination already holds; both map names to digests.

    A permanent log is immutable, so a differing object is a conflict, never an update.

        at source?   at destination?   same digest?   group
        yes          no                -              missing
        yes          yes               yes            present
        yes          yes               no             conflicting
        no           yes               -              foreign
    """
    both = source.keys() & destination.keys()
    return CopyPlan(
        missing=tuple(sorted(source.keys() - destination.keys())),
        present=tuple(sorted(name for name in both if source[name] == destination[name])),
        conflicting=tuple(sorted(name for name in both if source[name] != destination[name])),
        foreign=tuple(sorted(destination.keys() - source.keys())),
    )
