"""Figures of contracts: sums over prototypes and buckets, including equal rows that were not examined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.figures import (
    CellFigures,
    ContractFigures,
    PrototypeFigures,
    SchemaChange,
    complete_figures,
    sum_columns,
    sum_prototypes,
)
from logcache_tests.domain.contract_samples import contract_figures
from logcache_tests.domain.samples import changed

CELLS = CellFigures(equal=70, changed=8, to_null=12, from_null=10, unexplained=3, missed=2)
ONE = PrototypeFigures(
    rows=90,
    yesterday_rows=100,
    missing=15,
    added=5,
    changed=20,
    reasons={"new-transaction": 38, "unexplained": 2},
    faulty_rows={"unexplained": 1},
    columns={"status": CELLS, "amount": CellFigures(equal=85)},
)
OTHER = PrototypeFigures(
    rows=11,
    yesterday_rows=10,
    missing=1,
    added=2,
    changed=4,
    reasons={"unexplained": 3, "missed": 5, "excised": 1},
    faulty_rows={"unexplained": 2, "missed": 4},
    columns={"status": CellFigures(equal=5, changed=1, to_null=2, from_null=1, unexplained=7, missed=6)},
)
NOTHING = CellFigures()


def test_cells_are_equal_changed_or_null_on_one_day() -> None:
    """Faults are counted separately from these."""
    assert CELLS.compared == 100
    assert CELLS.share_equal == 0.7
    assert (NOTHING.compared, NOTHING.share_equal) == (0, 1.0)


def test_what_is_not_missing_was_found() -> None:
    """Found keys are yesterday's keys minus the missing ones; new keys do not count."""
    assert (ONE.found, OTHER.found) == (85, 9)


@pytest.mark.parametrize(
    ("was", "is_now", "expected", "explained"),
    [
        pytest.param("int64", "double", "double", True, id="the expected type"),
        pytest.param("int64", "double", "int64", False, id="another type than the due one"),
        pytest.param("int64", "double", None, False, id="another type, and none is expected"),
        pytest.param(None, "string", "string", True, id="an expected column"),
        pytest.param(None, "string", None, False, id="a column that nobody asked for"),
        pytest.param("int64", None, None, True, id="a column that is no longer expected"),
        pytest.param("int64", "int64", None, False, id="a column that is no longer expected and still there"),
        pytest.param("int64", None, "int64", False, id="a column that is gone"),
        pytest.param(None, None, "int64", False, id="a column that never came"),
        pytest.param(None, None, None, False, id="no column at all"),
    ],
)
def test_a_schema_change_is_explained_by_what_is_due(
    *, was: str | None, is_now: str | None, expected: str | None, explained: bool
) -> None:
    """Today's type is what the definition and the schema in the log give."""
    assert SchemaChange(column="fee", was=was, is_now=is_now, expected=expected).explained is explained


def test_a_contracts_figures_are_those_of_its_prototypes() -> None:
    """Every count is a sum."""
    found = changed(contract_figures(), prototypes={"s0": ONE, "s1": OTHER})

    assert (found.missing, found.added, found.changed, found.found) == (16, 7, 24, 94)
    assert found.differing == 47
    assert found.reasons == {"new-transaction": 38, "unexplained": 5, "missed": 5, "excised": 1}
    assert found.faulty_rows == {"unexplained": 3, "missed": 4}
    assert found.columns == {
        "status": CellFigures(equal=75, changed=9, to_null=14, from_null=11, unexplained=10, missed=8),
        "amount": CellFigures(equal=85),
    }


@pytest.mark.parametrize("prototypes", [pytest.param(None, id="not compared"), pytest.param({}, id="no prototype")])
def test_without_prototypes_nothing_was_counted(prototypes: dict[str, PrototypeFigures] | None) -> None:
    """All sums are 0; the rules judge that."""
    found: ContractFigures = changed(contract_figures(), prototypes=prototypes)

    assert (found.missing, found.added, found.changed, found.found, found.differing) == (0, 0, 0, 0, 0)
    assert (found.reasons, found.columns, found.faulty_rows) == ({}, {}, {"unexplained": 0, "missed": 0})


def test_buckets_of_a_prototype_are_added_up() -> None:
    """Every field; faults that none has are not named."""
    summed = sum_prototypes([{"s0": ONE}, {}, {"s1": OTHER}, {"s0": OTHER}])

    assert list(summed) == ["s0", "s1"]
    assert summed["s1"] == OTHER
    assert summed["s0"] == PrototypeFigures(
        rows=101,
        yesterday_rows=110,
        missing=16,
        added=7,
        changed=24,
        reasons={"new-transaction": 38, "unexplained": 5, "missed": 5, "excised": 1},
        faulty_rows={"unexplained": 3, "missed": 4},
        columns={
            "status": CellFigures(equal=75, changed=9, to_null=14, from_null=11, unexplained=10, missed=8),
            "amount": CellFigures(equal=85),
        },
    )
    assert sum_prototypes([{"s0": changed(ONE, faulty_rows={})}] * 2)["s0"].faulty_rows == {}


def test_columns_keep_the_tables_order() -> None:
    """Columns are ordered by their first appearance."""
    parts = [{"b": NOTHING, "a": CELLS}, {"c": CELLS, "a": CELLS}]

    summed = sum_columns(parts)

    assert list(summed) == ["b", "a", "c"]
    assert summed["a"].compared == 200
    assert sum_columns([]) == {}


def test_rows_that_were_not_looked_at_are_equal() -> None:
    """Of 1,000 rows 995 are on both days; the digests proved all but the looked-up ones equal."""
    looked_at = PrototypeFigures(
        rows=13,
        yesterday_rows=15,
        missing=5,
        added=3,
        changed=10,
        reasons={"new-transaction": 18},
        faulty_rows={"unexplained": 1},
        columns={
            "status": CellFigures(equal=2, changed=4, to_null=3, from_null=1, unexplained=2, missed=1),
            "dropped": CELLS,
        },
    )

    complete = complete_figures(looked_at, yesterday_rows=1000, rows=998, columns=["status", "amount"])

    assert complete == PrototypeFigures(
        rows=998,
        yesterday_rows=1000,
        missing=5,
        added=3,
        changed=10,
        reasons={"new-transaction": 18},
        faulty_rows={"unexplained": 1},
        columns={
            "status": CellFigures(equal=987, changed=4, to_null=3, from_null=1, unexplained=2, missed=1),
            "amount": CellFigures(equal=995),
        },
    )


def test_a_prototype_that_nobody_looked_at_is_equal() -> None:
    """All its rows are equal."""
    assert complete_figures(None, yesterday_rows=7, rows=7, columns=["status"]) == PrototypeFigures(
        rows=7, yesterday_rows=7, columns={"status": CellFigures(equal=7)}
    )


COUNTS = st.integers(min_value=0, max_value=50)


CELL_FIGURES = st.builds(CellFigures, equal=COUNTS, changed=COUNTS, to_null=COUNTS, from_null=COUNTS)


@given(missing=COUNTS, cells=CELL_FIGURES, others=COUNTS)
def test_every_common_key_is_compared_in_every_column(missing: int, cells: CellFigures, others: int) -> None:
    """For all figures: yesterday's rows are those that are missing and those that were compared."""
    looked_at = PrototypeFigures(rows=0, yesterday_rows=0, missing=missing, columns={"status": cells})
    yesterday_rows = missing + cells.compared + others

    complete = complete_figures(looked_at, yesterday_rows=yesterday_rows, rows=0, columns=["status", "amount"])

    assert {figures.compared for figures in complete.columns.values()} == {complete.found}
    assert complete.columns["status"].equal == cells.equal + others
