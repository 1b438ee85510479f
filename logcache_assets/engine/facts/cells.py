"""Numbers cells, each one attribute of one entity, so that many small attributes are treated as one.

Attributes with few facts share a frame in which `e` holds the number of the cell in place of the entity. Cells are
numbered attribute by attribute, and within one as entities ascend, so all that works by `e` works on them. An attribute
with many facts has a frame of its own, and keeps its entities.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import polars as pl

A = TypeVar("A", int, str)
"""What attributes are given by: ids or names."""

SMALL_ROWS = 4096
"""An attribute with more rows has a frame of its own: a query on them takes longer than it takes to begin one."""

SHARED_ROWS = 65_536
"""At most so many rows share a frame, so that it takes no memory to speak of."""


@dataclass(frozen=True, slots=True)
class Cells(Generic[A]):
    """The cells of some attributes."""

    attributes: tuple[A, ...]
    entities: pl.Series | None = None
    """The entities that the attributes have facts of, ascending; None if one attribute keeps its entities."""

    def named(self, names: Mapping[A, str]) -> "Cells[str]":
        """The same cells, with the names of the attributes."""
        return Cells(tuple(names[a] for a in self.attributes), self.entities)

    def merge(self, frames: Mapping[A, pl.DataFrame]) -> pl.DataFrame:
        """The frames of these attributes, some of which may be missing, as one in which `e` is the cell."""
        own = [(place, frames[a]) for place, a in enumerate(self.attributes) if a in frames]
        if self.entities is None:
            return own[0][1]
        merged = pl.concat([frame for _, frame in own], rechunk=True)
        lengths = pl.DataFrame({"place": [place for place, _ in own], "rows": [len(frame) for _, frame in own]})
        places = lengths.filter(pl.col("rows") > 0).select(pl.col("place").repeat_by("rows").explode()).to_series()
        return merged.with_columns(self._number(places, merged["e"]).alias("e"))

    def _number(self, places: pl.Series, entities: pl.Series) -> pl.Series:
        """The cell of an attribute, given by its place, and an entity that has facts."""
        return places * self._width + self._known.search_sorted(entities).cast(pl.Int64)

    @property
    def _known(self) -> pl.Series:
        assert self.entities is not None  # noqa: S101 - asked for numbered cells alone
        return self.entities

    @property
    def _width(self) -> int:
        return max(1, len(self._known))

    def numbers(self, places: Sequence[int], entities: pl.Series) -> pl.Series:
        """The cells of these attributes and entities, attribute by attribute; null where an entity has no facts."""
        if self.entities is None:
            return entities
        ranks = self._known.to_frame("e").with_row_index("rank")
        found = entities.to_frame("e").join(ranks, on="e", how="left", maintain_order="left")
        wanted = pl.DataFrame({"place": places}, {"place": pl.Int64}).join(
            found, how="cross", maintain_order="left_right"
        )
        return wanted.select(pl.col("place") * self._width + pl.col("rank").cast(pl.Int64)).to_series()

    def entities_of(self, cells: pl.Series) -> pl.Series:
        """The entity of each cell."""
        return cells if self.entities is None else self._known.gather(cells % self._width)

    def places_of(self, cells: pl.Series) -> pl.Series:
        """The place of each cell's attribute."""
        return pl.zeros(len(cells), pl.Int64, eager=True) if self.entities is None else cells // self._width

    def attributes_of(self, cells: pl.Series) -> pl.Series:
        """The attribute of each cell."""
        return pl.Series(self.attributes).gather(self.places_of(cells))

    def between(self, frame: pl.DataFrame, first: int, last: int) -> "tuple[Cells[A], pl.DataFrame]":
        """The cells of the attributes at some places, and their rows of a frame that ascends by cell."""
        if self.entities is None or (first, last) == (0, len(self.attributes) - 1):
            return self, frame
        bounds = pl.Series([first * self._width, (last + 1) * self._width])
        begin, end = frame["e"].search_sorted(bounds, "left").to_list()
        own = frame.slice(begin, end - begin)
        return replace(self, attributes=self.attributes[first : last + 1]), own.with_columns(
            pl.col("e") - first * self._width
        )

    def part(self, frame: pl.DataFrame, place: int) -> pl.DataFrame:
        """The rows of one attribute, with their entities, of a frame that ascends by cell."""
        cells, own = self.between(frame, place, place)
        return own if self.entities is None else own.with_columns(cells.entities_of(own["e"]).alias("e"))


def share_frames(attributes: Sequence[int], rows: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
    """Which of some attributes that are treated alike share a frame, given their rows."""
    shared, held = list[int](), 0
    for a in attributes:
        if rows[a] > SMALL_ROWS:
            yield (a,)
            continue
        if held + rows[a] > SHARED_ROWS:
            yield tuple(shared)
            shared, held = [], 0
        shared.append(a)
        held += rows[a]
    if shared:
        yield tuple(shared)


def number_cells(attributes: tuple[int, ...], frames: Sequence[Mapping[int, pl.DataFrame]]) -> Cells[int]:
    """Number the cells that some frames of these attributes hold facts or datoms of."""
    if len(attributes) == 1:
        return Cells(attributes)
    entities = pl.concat([f[a]["e"] for f in frames for a in attributes if a in f] or [pl.Series([], dtype=pl.Int64)])
    return Cells(attributes, entities.unique().sort())
