"""Cells: attributes that share a frame, and how they are told apart again."""

import polars as pl
import pytest

from logcache_assets.engine.facts.cells import SHARED_ROWS, SMALL_ROWS, Cells, number_cells, share_frames

COLOUR, SIZE, WEIGHT = 70, 71, 72


def frame(*rows: tuple[int, str]) -> pl.DataFrame:
    """Values of entities."""
    return pl.DataFrame(list(rows), {"e": pl.Int64, "v": pl.String}, orient="row")


FRAMES = {COLOUR: frame((5, "red"), (9, "blue")), WEIGHT: frame((2, "light"), (9, "heavy"))}
CELLS = number_cells((COLOUR, SIZE, WEIGHT), [FRAMES])


def test_rows_of_a_shared_frame_are_in_the_order_of_attributes_then_entities() -> None:
    """So a frame that is sorted by cell is sorted by attribute, then entity; an attribute may have no rows."""
    merged = CELLS.merge(FRAMES)

    assert merged["e"].is_sorted()
    assert CELLS.attributes_of(merged["e"]).to_list() == [COLOUR, COLOUR, WEIGHT, WEIGHT]
    assert CELLS.entities_of(merged["e"]).to_list() == [5, 9, 2, 9]
    assert merged["v"].to_list() == ["red", "blue", "light", "heavy"]


def test_an_attribute_is_taken_out_with_its_entities() -> None:
    """What was merged is found again, and nothing of an attribute without rows."""
    merged = CELLS.merge(FRAMES)

    assert CELLS.part(merged, 0).equals(FRAMES[COLOUR])
    assert CELLS.part(merged, 1).is_empty()
    assert CELLS.part(merged, 2).equals(FRAMES[WEIGHT])


def test_some_attributes_are_cells_of_their_own() -> None:
    """They are numbered from the first of them."""
    cells, own = CELLS.between(CELLS.merge(FRAMES), 1, 2)

    assert cells.attributes == (SIZE, WEIGHT)
    assert cells.places_of(own["e"]).to_list() == [1, 1]
    assert cells.part(own, 1).equals(FRAMES[WEIGHT])


def test_cells_are_asked_for_by_attribute_and_entity() -> None:
    """An entity that no attribute has facts of is in none."""
    asked = CELLS.numbers([0, 2], pl.Series([9, 7, 5]))

    assert asked.null_count() == len([7, 7])
    assert CELLS.entities_of(asked.drop_nulls()).to_list() == [9, 5, 9, 5]
    assert CELLS.attributes_of(asked.drop_nulls()).to_list() == [COLOUR, COLOUR, WEIGHT, WEIGHT]


def test_an_attribute_alone_keeps_its_entities() -> None:
    """Nothing is numbered, whatever the entities are."""
    alone = number_cells((COLOUR,), [FRAMES])

    assert alone.merge(FRAMES) is FRAMES[COLOUR]
    assert alone.part(FRAMES[COLOUR], 0) is FRAMES[COLOUR]
    assert alone.numbers([0], FRAMES[COLOUR]["e"]).to_list() == [5, 9]
    assert alone.named({COLOUR: "colour"}) == Cells(("colour",))


def test_attributes_without_any_row_share_an_empty_frame() -> None:
    """There is no cell of theirs."""
    cells = number_cells((COLOUR, SIZE), [])

    assert cells.numbers([0, 1], pl.Series([5])).to_list() == [None, None]


@pytest.mark.parametrize(
    ("rows", "shared"),
    [
        pytest.param([1, 2, 3], [(0, 1, 2)], id="small ones share"),
        pytest.param([1, SMALL_ROWS + 1, 3], [(1,), (0, 2)], id="a large one is alone"),
        pytest.param([SMALL_ROWS] * 17, [tuple(range(16)), (16,)], id="a frame has an end"),
        pytest.param([0], [(0,)], id="one without rows"),
        pytest.param([], [], id="none"),
    ],
)
def test_what_shares_a_frame(rows: list[int], shared: list[tuple[int, ...]]) -> None:
    """Small attributes do, up to so many rows."""
    assert SMALL_ROWS * 16 == SHARED_ROWS
    assert list(share_frames(range(len(rows)), dict(enumerate(rows)))) == shared
