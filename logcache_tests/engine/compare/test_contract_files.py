"""Tables whose column types are not those of definition and log, by another writer or by a fault."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import polars as pl
import pytest
from typing_extensions import override

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import ContractFigures
from logcache_assets.engine.compare.contract_files import TableError, open_table
from logcache_assets.engine.compare.tokens import row_tokens
from logcache_assets.engine.drivers.driver import LocalDriver, Task
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.explain.expectation import RecordTask
from logcache_tests.engine.app import ATTRIBUTES, A, B, define, log_of, sources_of
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.days import (
    TOKEN_KEY,
    Day,
    Explaining,
    accused,
    compare,
    compute_day,
    edited,
    failed_rules,
    faults_of,
)
from logcache_tests.engine.world import driver_in

R = TypeVar("R")
USERS = "contract-app/users"
DEFINITION = define(
    {"attribute": "user/name"},
    {"attribute": "user/tags"},
    {"attribute": "user/age"},
    {"attribute": "user/limit"},
    {"attribute": "user/score"},
)
LOG = log_of(
    *((entity, "user/id", key, 1001, True) for entity, key in ((A, "a"), (B, "b"))),
    *((A, name, v, 1001, True) for name, v in (("user/name", "Ana"), ("user/age", "7"), ("user/score", "0.5"))),
    (A, "user/limit", "1.5", 1001, True),
    (A, "user/name", "Eva", 1002, True),
    (A, "user/name", "Ana", 1002, False),
    (A, "user/age", "3000000000", 1002, True),
    (A, "user/age", "7", 1002, False),
    (A, "user/limit", "2.505", 1002, True),
    (A, "user/limit", "1.5", 1002, False),
    (A, "user/score", "0.1", 1002, True),
    (A, "user/score", "0.5", 1002, False),
    (A, "user/tags", "x", 1002, True),
)
"""All values of a change at t 1002; b has none."""
LATE = {name: entity for name, entity in ATTRIBUTES.items() if name != "user/age"}
LATE_LOG = log_of(
    (A, "user/id", "a", 1001, True),
    (B, "user/id", "b", 1001, True),
    attributes=LATE,
    schema_changes=[(80, 10, ":user/age", 1002, True), (80, 40, "22", 1002, True), (80, 41, "35", 1002, True)],
)
"""The age is installed at t 1002."""


def days_of(log: list[Datom], store: FolderObjectStore, *, key: str = "user/id") -> tuple[Day, Day]:
    """The users at t 1001 and at the end of the log."""
    definition = DEFINITION if key == "user/id" else define({"attribute": "user/name"}, key=key)
    (source,) = sources_of(definition, store, [log])
    one, other = (compute_day(definition, [replace(source, until_t=t)], store) for t in (1001, log[-1][3]))
    return one.only(USERS), other.only(USERS)


def compared(
    days: tuple[Day, Day], store: FolderObjectStore, *columns: pl.Expr, only_today: bool = False
) -> ContractFigures:
    """Compare with these types of the users' columns, on both days or only today."""
    yesterday, today = days
    frames = [day.frame(USERS).with_columns(columns) for day in days]
    one = yesterday if only_today else yesterday.showing({USERS: frames[0]}, store)
    return compare(one, today.showing({USERS: frames[1]}, store), store)[USERS]


NAME, TAGS = pl.col("user__name"), pl.col("user__tags")
SAME_VALUES = [
    pytest.param(NAME.cast(pl.Categorical), id="texts in a dictionary"),
    pytest.param(NAME.cast(pl.Enum(["Ana", "Eva"])), id="texts of a fixed dictionary"),
    pytest.param(TAGS.cast(pl.List(pl.Categorical)), id="lists of texts in a dictionary"),
    pytest.param(pl.col("prototype").cast(pl.Categorical), id="prototypes in a dictionary"),
    pytest.param(pl.col("user__id").cast(pl.Categorical), id="keys in a dictionary"),
    pytest.param(pl.col("user__limit").cast(pl.Decimal(20, 6)), id="decimals with fewer digits"),
    pytest.param(pl.lit(1).alias("present"), id="a column beside, named as one of the engine's own"),
    pytest.param(pl.lit("x").alias("k"), id="another one"),
]


@pytest.mark.parametrize("column", SAME_VALUES)
def test_other_types_of_the_same_values_give_no_alarm(
    column: pl.Expr,
    store: FolderObjectStore,
) -> None:
    """Types that hold the same values give no faults, and an extra column is only a schema change."""
    found = compared(days_of(LOG, store), store, column)

    assert accused(found) == []
    assert found.reasons == {"new-transaction": 1}


NARROW = [
    pytest.param(pl.col("user__limit").cast(pl.Decimal(10, 2)), "user__limit", id="a decimal's third digit"),
    pytest.param(pl.col("user__score").cast(pl.Float32), "user__score", id="a double in 32 bits"),
    pytest.param(pl.col("user__age").cast(pl.Int32, strict=False), "user__age", id="a long in 32 bits"),
]


@pytest.mark.parametrize(("column", "name"), NARROW)
def test_a_type_that_cuts_values_is_accused_of_what_it_cut(
    column: pl.Expr, name: str, store: FolderObjectStore
) -> None:
    """A value cut by its type is not what the log says, although both tables have the same type."""
    found = compared(days_of(LOG, store), store, column)

    assert [(fault.reason, fault.columns, fault.rows) for fault in accused(found)] == [("unexplained", (name,), 1)]


def test_an_attribute_that_is_new_must_have_its_type(
    store: FolderObjectStore,
) -> None:
    """Before an attribute is installed its column is a string of nulls; afterwards that is a fault."""
    days = days_of(LATE_LOG, store)
    still = pl.lit(None, pl.String).alias("user__age")

    right, stale = compared(days, store), compared(days, store, still, only_today=True)

    assert failed_rules(USERS, right) == []
    assert failed_rules(USERS, stale) == ["sound_table"]


@pytest.mark.parametrize("tolerance", ["user__age", "user__limit", "user__name", "user__tags", "user__id"])
def test_a_tolerance_is_of_floating_point_numbers_only(
    tolerance: str,
    store: FolderObjectStore,
) -> None:
    """A rule may give a tolerance to all columns; for integers and texts it is ignored."""
    yesterday, today = days_of(LOG, store)
    frame = today.frame(USERS)
    row = frame["user__id"].to_list().index("a")
    spoilt = edited(edited(frame, row, "user__age", 3_000_000_001), row, "user__limit", Decimal("2.506"))

    found = compare(yesterday, today.showing({USERS: spoilt}, store), store, tolerances={USERS: {tolerance: 2.0}})

    assert [(fault.columns, fault.rows) for fault in accused(found[USERS])] == [(("user__age", "user__limit"), 1)]


KEYS = {
    "user/age": ("7", "8"),
    "user/score": ("0.5", "NaN"),
    "user/limit": ("1.50", "2.000"),
    "user/born": ("2018-01-01T00:00:00.123Z", "+10000-01-01T00:00:00.000Z"),
    "user/place": ('["x" 1]', '["y" 2]'),
}


def unit_of_microseconds(frame: pl.DataFrame) -> Iterator[pl.Expr]:
    """The frame's columns with instants in microseconds."""
    return (
        pl.col(n).cast(pl.Datetime("us", "UTC")) for n, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)
    )


@pytest.mark.parametrize("key", KEYS)
def test_a_row_has_one_token_whatever_its_keys_type(
    key: str,
    store: FolderObjectStore,
) -> None:
    """A key has the same token in the report and in a table that stores it as another type."""
    log = log_of(
        *((entity, key, value, 1001, True) for entity, value in zip((A, B), KEYS[key], strict=True)),
        (A, "user/name", "Eva", 1002, True),
    )
    yesterday, today = days_of(log, store, key=key)
    frame = today.frame(USERS)

    found = compare(yesterday, replace(today, tables=yesterday.tables), store)[USERS]

    (fault,) = (pattern for pattern in found.patterns if pattern.reason == "missed")
    named = frame.filter(pl.col("user__name") == "Eva")
    other = named.with_columns(unit_of_microseconds(named))
    assert fault.examples == tuple(row_tokens(TOKEN_KEY, named.select(frame.columns[:2])))
    assert fault.examples == tuple(row_tokens(TOKEN_KEY, other.select(frame.columns[:2])))


class FailingDriver(LocalDriver):
    """A driver whose tasks fail with an error of polars that quotes a value."""

    @override
    def run(self, tasks: Sequence[Task[R]]) -> Iterator[R]:
        if not any(isinstance(task, RecordTask) for task in tasks):
            return super().run(tasks)
        raise pl.exceptions.InvalidOperationError("conversion failed for 1 of 1 values: [Ana]")


def test_an_error_of_the_library_shows_no_value(
    store: FolderObjectStore,
) -> None:
    """An error of polars may quote personal data, so only its kind and the contract are named."""
    yesterday, today = days_of(LOG, store)
    failing = Explaining(driver=FailingDriver(driver_in(store).scratch))

    with pytest.raises(
        EngineError, match=r"of app cannot be compared: polars ended with InvalidOperationError"
    ) as told:
        compare(yesterday, today, store, failing)

    assert "Ana" not in str(told.value)
    assert told.value.__suppress_context__


UNFIT_KEYS = [
    pytest.param(pl.lit(1).alias("prototype"), "prototype as int32", id="a number as prototype"),
    pytest.param(pl.concat_list("prototype"), "prototype as list<string>", id="a list of prototypes"),
    pytest.param(pl.concat_list("user__id"), "user__id as list<string>", id="a list of keys"),
]


@pytest.mark.parametrize(("column", "told"), UNFIT_KEYS)
def test_a_key_that_finds_no_row_is_refused_when_it_is_opened(
    column: pl.Expr, told: str, store: FolderObjectStore
) -> None:
    """The table is refused when it is opened, before any comparison."""
    _, today = days_of(LOG, store)
    spoilt = today.showing({USERS: today.frame(USERS).with_columns(column)}, store).tables[USERS]

    with pytest.raises(TableError, match=rf"has {told}, by which no row can be found; compute the contract again"):
        open_table(spoilt.folder_uri, store, key=("user__id", "prototype"))


def test_a_key_that_is_no_text_finds_no_row(
    store: FolderObjectStore,
) -> None:
    """If the key is written as non-UTF-8 bytes, every row is missing and the schema change says why."""
    garbled = compared(days_of(LOG, store), store, pl.lit(b"\xff\xfe").alias("user__id"), only_today=True)

    assert "sound_table" in failed_rules(USERS, garbled)


def test_sound_days_have_no_fault(
    store: FolderObjectStore,
) -> None:
    """The tables that the other tests change have no faults as they are."""
    yesterday, today = days_of(LOG, store)

    assert list(faults_of(compare(yesterday, today, store))) == []
