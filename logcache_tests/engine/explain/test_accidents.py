"""Damaged tables: one error in today's rows is found, and nothing else is at fault.

Yesterday and today are the demo's real log at two cuts; undamaged, they compare without faults (test_explained.py).
test_wrong_logs.py damages the log and the cache behind the tables.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.figures import Change, ContractFigures, Fault, Reason
from logcache_assets.domain.instances import parse_instance
from logcache_tests.engine.days import (
    Accused,
    Cell,
    Explaining,
    Scalar,
    accused,
    cached_day,
    cell_of,
    compare,
    delta_of,
    edited,
    failed_rules,
    figures_between,
    one_bit_other,
    scale_of,
    without,
)
from logcache_tests.engine.world import (
    FEED_S0,
    cut_off,
    segments_of,
)

Kind = Literal["untouched", "touched", "new"]
"""Rows equal on both days; rows of both days that a newer tx changed; rows that yesterday lacks."""

TRANSACTIONS, SNAPSHOT = "contract-feed/transactions", "contract-feed/transactions-snapshot"
CUSTOMERS = "contract-customers/customers"
TAGS, MERCHANTS = "contract-feed/transaction-tags-history", "contract-feed/merchants"
ACCOUNTS, ENTRIES = "contract-double-entry/accounts", "contract-double-entry/entries"
EXPLAINED, MISSED = "differences_explained", "nothing_missed"
ROWS_AND_CELLS = ["values_found_yesterday", EXPLAINED, MISSED]


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract on both days, to compare with other rows of today."""

    dataset: str
    store: FolderObjectStore

    @property
    def database(self) -> str:
        """`feed` of `contract-feed/transactions`."""
        return self.dataset.partition("/")[0].removeprefix("contract-")

    def rows(self, cut: str = "today") -> pl.DataFrame:
        """The correct rows of a day."""
        return cached_day(self.database, cut, self.store).frame(self.dataset)

    @property
    def key(self) -> list[str]:
        """The columns of its key."""
        return list(cached_day(self.database, "today", self.store).table(self.dataset).key)

    @property
    def sound(self) -> ContractFigures:
        """The comparison of the correct rows."""
        return figures_between(self.database, "yesterday", "today", self.store)[self.dataset]

    def find(self, kind: Kind, column: str, *, used: tuple[int, ...] = ()) -> int:
        """The number of a row whose column is not null, on both days if both have the row."""
        rows, yesterday = self.rows().with_row_index("row"), self.rows("yesterday").filter(pl.col(column).is_not_null())
        held = set(rows["row"] if kind == "new" else rows.join(yesterday, on=self.key, how="semi")["row"])
        filled = rows.filter(pl.col(column).is_not_null(), pl.col("row").is_in(rows_of_kind(self, kind)))
        return next(int(row) for row in filled["row"] if row in held and row not in used)

    def compared(self, today: pl.DataFrame, *, pii: bool = True) -> ContractFigures:
        """Compare with other rows of today."""
        yesterday, sound = (cached_day(self.database, c, self.store).only(self.dataset) for c in ("yesterday", "today"))
        explaining = Explaining() if pii else Explaining(pii_key=None)
        return compare(yesterday, sound.showing({self.dataset: today}, self.store), self.store, explaining)[
            self.dataset
        ]

    def moved(self, found: ContractFigures) -> dict[str, int]:
        """Reason → difference in rows from the correct comparison."""
        now, before = Counter[str](found.reasons), Counter[str](self.sound.reasons)
        return {reason: now[reason] - before[reason] for reason in {**now, **before} if now[reason] != before[reason]}


@cache
def rows_of_kind(contract: Contract, kind: Kind) -> tuple[int, ...]:
    """Numbers of today's rows of this kind."""
    today, yesterday = contract.rows().with_row_index("row"), contract.rows("yesterday")
    if kind == "new":
        return tuple(today.join(yesterday, on=contract.key, how="anti", maintain_order="left")["row"])
    same = set(today.join(yesterday, on=yesterday.columns, how="semi", nulls_equal=True)["row"])
    both = today.join(yesterday, on=contract.key, how="semi", maintain_order="left")
    if "db__t" in contract.key:
        return tuple(row for row in both["row"] if row in same and kind == "untouched")
    keys = zip(both["row"], both[contract.key[0]], both["prototype"], strict=True)
    touched = {row for row, key, prototype in keys if is_touched(contract, key, prototype)}
    wanted = touched - same if kind == "touched" else same - touched
    return tuple(row for row in both["row"] if row in wanted)


def is_touched(contract: Contract, key: str, prototype: str) -> bool:
    """Whether an entity has a datom between both days, in plain Python."""
    delta = delta_of(parse_instance(f"{contract.database}-{prototype}"), "yesterday", "today", contract.store)
    entity = cached_day(contract.database, "today", contract.store).table(contract.dataset).entity
    return bool(delta.holders.get((entity.primary_key, key), set()) & delta.touched)


@pytest.fixture
def contract(request: pytest.FixtureRequest, shared_store: FolderObjectStore) -> Contract:
    """The contract that the test's mark names."""
    return Contract(request.param, shared_store)


def of(*datasets: str) -> pytest.MarkDecorator:
    """Mark a test with the contracts it runs on."""
    names = [name.partition("/")[2] for name in datasets]
    return pytest.mark.parametrize("contract", datasets, indirect=True, ids=names)


CONTRACTS = (
    ACCOUNTS,
    MERCHANTS,
    "contract-double-entry/accounts-snapshot",
    TAGS,
    "contract-double-entry/account-version-history",
    "contract-double-entry/book-closed-history",
)
"""Contracts that cover every kind of table and every type of column."""


def spoil_every_column(contract: Contract, kind: Kind) -> tuple[pl.DataFrame, list[Accused]]:
    """Change one bit in one cell of each column, in different rows; also return the expected faults."""
    today, used, expected = contract.rows(), list[int](), list[Accused]()
    change: Change = "row added" if kind == "new" else "value changed"
    for column in [name for name in today.columns if name not in contract.key]:
        row = contract.find(kind, column, used=tuple(used))
        value = one_bit_other(cell_of(today, row, column), scale_of(today.schema[column]))
        today = edited(today, row, column, value)
        expected.append(Accused("unexplained", change, today[row, "prototype"], (column,), 1))
        used.append(row)
    return today, sorted(expected)


@of(*CONTRACTS)
def test_one_bit_of_an_untouched_cell_is_accused(contract: Contract) -> None:
    """In every column of every kind of table, any difference without a cause is unexplained."""
    today, expected = spoil_every_column(contract, "untouched")

    found = contract.compared(today)

    assert accused(found) == expected
    assert contract.moved(found) == {"unexplained": len(expected)}
    assert failed_rules(contract.dataset, found) == [EXPLAINED]
    assert all(cells.unexplained == 1 for cells in found.columns.values())


@of(*CONTRACTS)
def test_one_bit_of_a_cell_that_may_differ_is_accused(contract: Contract) -> None:
    """A tx that changed or made a row explains only the values that it gave."""
    today, expected = spoil_every_column(contract, "new" if "db__t" in contract.key else "touched")

    found = contract.compared(today)

    assert accused(found) == expected
    assert contract.moved(found) == {"unexplained": len(expected), "new-transaction": -len(expected)}
    assert failed_rules(contract.dataset, found) == [EXPLAINED]


@of("contract-double-entry/accounts-snapshot")
def test_the_sign_of_a_zero_is_accused(contract: Contract) -> None:
    """-0.0 for 0.0 is a fault, although the two compare as equal."""
    today = contract.rows()
    zeros = pl.col("account__score").eq(0.0) & pl.int_range(pl.len()).is_in(rows_of_kind(contract, "untouched"))
    row = today.with_row_index("row").filter(zeros)["row"][0]

    found = contract.compared(edited(today, row, "account__score", 0.0))

    assert accused(found) == [Accused("unexplained", "value changed", today[row, "prototype"], ("account__score",), 1)]


@pytest.mark.parametrize("kind", ["untouched", "touched"])
@of(TRANSACTIONS)
def test_a_text_cut_short_is_accused(contract: Contract, kind: Kind) -> None:
    """A text without its last character is a fault."""
    today, row = contract.rows(), contract.find(kind, "transaction__description")
    short = today[row, "transaction__description"][:-1]

    found = contract.compared(edited(today, row, "transaction__description", short))

    where = today[row, "prototype"]
    assert accused(found) == [Accused("unexplained", "value changed", where, ("transaction__description",), 1)]
    assert contract.moved(found) == {"unexplained": 1, **({"new-transaction": -1} if kind == "touched" else {})}


@of(TRANSACTIONS)
def test_a_wrong_name_of_an_ident_is_accused(contract: Contract) -> None:
    """The name of another ident, in an untouched row, is a fault."""
    today, row = contract.rows(), contract.find("untouched", "transaction__status")
    others = set(today["transaction__status"]) - {today[row, "transaction__status"]}

    found = contract.compared(edited(today, row, "transaction__status", min(others)))

    where = today[row, "prototype"]
    assert accused(found) == [Accused("unexplained", "value changed", where, ("transaction__status",), 1)]


@pytest.mark.parametrize("dataset", [TRANSACTIONS, SNAPSHOT, "contract-feed/transaction-status-history"])
def test_a_name_that_an_ident_had_is_missed(dataset: str, shared_store: FolderObjectStore) -> None:
    """A row that still shows `pending`, which was renamed to `authorized`, is missed."""
    contract = Contract(dataset, shared_store)
    yesterday, today = contract.rows("yesterday"), contract.rows()
    pending = yesterday.filter(prototype="s0", transaction__status="transaction_status__pending")
    renamed = today.with_row_index("row").filter(transaction__status="transaction_status__authorized")
    row = renamed.join(pending, on=contract.key, how="semi", maintain_order="left")["row"][0]

    found = contract.compared(edited(today, row, "transaction__status", "transaction_status__pending"))

    assert [(a.reason, a.prototype, a.columns, a.rows) for a in accused(found)] == [
        ("missed", "s0", ("transaction__status",), 1)
    ]
    assert failed_rules(dataset, found) == [MISSED]


@of(TAGS)
def test_a_history_row_at_another_t_is_accused_twice(contract: Contract) -> None:
    """A row at another t is two faults: one row is missing, and one has no cause in the log."""
    today, row = contract.rows(), contract.find("untouched", "transaction__tags")

    found = contract.compared(edited(today, row, "db__t", today[row, "db__t"] - 1))

    where = today[row, "prototype"]
    assert accused(found) == [
        Accused("unexplained", "row added", where, (), 1),
        Accused("unexplained", "row missing", where, (), 1),
    ]
    assert failed_rules(contract.dataset, found) == [EXPLAINED]


@pytest.mark.parametrize(
    ("kind", "fault", "moved"),
    [
        pytest.param("untouched", "unexplained", {"unexplained": 1}, id="that nothing touched"),
        pytest.param("touched", "unexplained", {"unexplained": 1, "new-transaction": -1}, id="that a tx touched"),
        pytest.param("new", "missed", {"missed": 1, "new-transaction": -1}, id="that is new"),
    ],
)
@of(TRANSACTIONS)
def test_a_lost_entity_is_accused(contract: Contract, kind: Kind, fault: Fault, moved: dict[str, int]) -> None:
    """One lost entity of 3,000 is found; it is missed if yesterday lacked it, otherwise unexplained."""
    today, row = contract.rows(), contract.find(kind, "transaction__status")

    found = contract.compared(without(today, row))

    assert accused(found) == [Accused(fault, "row missing", today[row, "prototype"], (), 1)]
    assert contract.moved(found) == moved
    assert failed_rules(contract.dataset, found) == [MISSED if fault == "missed" else EXPLAINED]


@pytest.mark.parametrize(("kind", "fault"), [("untouched", "unexplained"), ("new", "missed")])
@of(SNAPSHOT)
def test_a_lost_row_of_a_history_is_accused(contract: Contract, kind: Kind, fault: Fault) -> None:
    """A lost history row is found, whether yesterday had it or a newer tx made it."""
    today, row = contract.rows(), contract.find(kind, "transaction__tags")

    found = contract.compared(without(today, row))

    assert accused(found) == [Accused(fault, "row missing", today[row, "prototype"], (), 1)]


@of(ENTRIES)
def test_values_exchanged_between_two_rows_are_accused(contract: Contract) -> None:
    """Both rows are found, although the column's values and their sum are unchanged."""
    today, one = contract.rows(), contract.find("untouched", "entry__amount")
    other = contract.find("untouched", "entry__amount", used=(one,))
    amounts = today[one, "entry__amount"], today[other, "entry__amount"]
    swapped = edited(edited(today, one, "entry__amount", amounts[1]), other, "entry__amount", amounts[0])

    found = contract.compared(swapped)

    assert amounts[0] != amounts[1]
    assert [(a.reason, a.columns) for a in accused(found)] == [("unexplained", ("entry__amount",))]
    assert contract.moved(found) == {"unexplained": 2}


@of(TRANSACTIONS)
def test_a_null_in_the_key_stops_the_comparison(contract: Contract) -> None:
    """A single null is enough, and every rule refuses."""
    found = contract.compared(edited(contract.rows(), 0, contract.key[0], None))

    assert found.today.null_keys == 1
    assert failed_rules(contract.dataset, found) == ["sound_table", *ROWS_AND_CELLS]


@of(TAGS)
def test_doubled_rows_stop_the_comparison(contract: Contract) -> None:
    """A single duplicate row, as from a segment read twice, is enough."""
    today = contract.rows()

    found = contract.compared(pl.concat([today, today.tail(1)]))

    assert found.today.duplicate_keys == 1
    assert failed_rules(contract.dataset, found) == ["sound_table", *ROWS_AND_CELLS]


@pytest.mark.parametrize("t", [pytest.param("yesterday", id="of an old t"), pytest.param("today", id="of a new t")])
@of(TRANSACTIONS, TAGS)
def test_a_row_out_of_nowhere_is_accused(contract: Contract, t: str) -> None:
    """A row whose key is in no log is a fault, even at the t of a real tx."""
    today, instance = contract.rows(), parse_instance("feed-s0")
    given = {"transaction__id": "nobody", "prototype": "s0", "db__t": cut_off(instance, t)}
    extra = pl.DataFrame([{name: given.get(name) for name in today.columns}], today.schema)

    found = contract.compared(pl.concat([today, extra]))

    assert accused(found) == [Accused("unexplained", "row added", "s0", (), 1)]
    assert contract.moved(found) == {"unexplained": 1}
    assert failed_rules(contract.dataset, found) == [EXPLAINED]


@of(MERCHANTS)
def test_the_label_of_another_prototype_is_accused_twice(contract: Contract) -> None:
    """One row is missing from its prototype, and one is added to another."""
    today = contract.rows()
    elsewhere = today.filter(prototype="s1")["merchant__code"].implode()
    lonely = today.with_row_index("row").filter(~pl.col("merchant__code").is_in(elsewhere))
    row = next(row for row in lonely["row"] if row in rows_of_kind(contract, "untouched"))

    found = contract.compared(edited(today, row, "prototype", "s1"))

    assert accused(found) == [
        Accused("unexplained", "row added", "s1", (), 1),
        Accused("unexplained", "row missing", "s0", (), 1),
    ]


@of(TRANSACTIONS)
def test_swapped_prototypes_are_accused_row_by_row(contract: Contract) -> None:
    """Each row is missing from its prototype, and without a cause on the other."""
    today, new = contract.rows(), len(rows_of_kind(contract, "new"))
    other = pl.col("prototype").replace_strict({"s0": "s1", "s1": "s0"})

    found = contract.compared(today.with_columns(other))

    assert found.reasons == {"unexplained": len(today) - new + len(today), "missed": new}
    assert failed_rules(contract.dataset, found) == ROWS_AND_CELLS


@of(SNAPSHOT)
def test_the_segments_of_wrong_rows_are_those_that_hold_them(contract: Contract) -> None:
    """Two wrong rows name the two segments that hold them, and none between."""
    today = contract.rows().with_row_index("row")
    own = today.filter(pl.col("prototype") == "s0", pl.col("row").is_in(rows_of_kind(contract, "untouched")))
    ends = own.sort("db__t").gather([0, -1])
    is_end = pl.col("row").is_in(ends["row"].implode())
    other = pl.when(is_end).then(pl.lit("spoilt")).otherwise("transaction__channel")

    found = contract.compared(today.with_columns(transaction__channel=other).drop("row"))

    (fault,) = (pattern for pattern in found.patterns if pattern.reason == "unexplained")
    holding = [s for s in segments_of(FEED_S0) for t in ends["db__t"] if s.last_batch_t < t <= s.last_t]
    assert (fault.first_t, fault.last_t) == tuple(ends["db__t"])
    assert fault.segment_count == 2
    assert fault.segments == tuple(s.path.rpartition("/")[2] for s in sorted(holding, key=lambda s: s.last_t))


def hashed_rows(contract: Contract, column: str, *, changed: bool) -> list[int]:
    """Numbers of today's rows of touched entities whose hash changed, or did not."""
    before = contract.rows("yesterday").select(*contract.key, was=column)
    both = contract.rows().with_row_index("row").join(before, on=contract.key).filter(pl.col("was").is_not_null())
    differs = pl.col(column).ne_missing(pl.col("was"))
    found = both.filter(differs if changed else ~differs, pl.col(column).is_not_null())["row"]
    touched = rows_of_kind(contract, "touched")
    return [row for row in found if row in touched]


def yesterdays(contract: Contract, row: int, column: str) -> Cell:
    """Yesterday's cell of the same key."""
    held = contract.rows("yesterday").join(contract.rows().slice(row, 1).select(contract.key), on=contract.key)
    return cell_of(held, 0, column)


NAME, PHONES = "customer__name", "customer__phones"
OTHER_HASH = "0" * 64
HASHED_ACCIDENTS: dict[str, tuple[str, bool, Callable[[Cell], Cell], Reason]] = {
    "another hash where nothing changed": (NAME, False, lambda _: OTHER_HASH, "unexplained"),
    "a hash is gone where nothing changed": (NAME, False, lambda _: None, "unexplained"),
    "a hash is gone where it changed": (NAME, True, lambda _: None, "unexplained"),
    "an element too many": (PHONES, True, lambda hashes: [*as_list(hashes), OTHER_HASH], "unexplained"),
    "another element where nothing changed": (
        PHONES,
        False,
        lambda hashes: [OTHER_HASH, *as_list(hashes)[1:]],
        "unexplained",
    ),
}
"""Accident → column, whether the log changed it, the new cell, the expected reason."""


def as_list(cell: Cell) -> list[Scalar]:
    """The elements of a list cell."""
    assert isinstance(cell, list)
    return cell


@of(CUSTOMERS)
@pytest.mark.parametrize("accident", HASHED_ACCIDENTS)
def test_without_the_key_shape_and_change_of_personal_data_are_verified(contract: Contract, accident: str) -> None:
    """Without the key, presence, number and change of hashes are still verified."""
    column, changed, spoil, reason = HASHED_ACCIDENTS[accident]
    today, row = contract.rows(), hashed_rows(contract, column, changed=changed)[0]

    found = contract.compared(edited(today, row, column, spoil(cell_of(today, row, column))), pii=False)

    assert [(fault.reason, fault.columns, fault.rows) for fault in accused(found)] == [(reason, (column,), 1)]


@of(CUSTOMERS)
def test_without_the_key_personal_data_of_yesterday_is_missed(contract: Contract) -> None:
    """A hash that the log changed but the table did not is missed."""
    today = contract.rows()
    row = hashed_rows(contract, NAME, changed=True)[0]

    found = contract.compared(edited(today, row, NAME, yesterdays(contract, row, NAME)), pii=False)

    assert [(fault.reason, fault.columns, fault.rows) for fault in accused(found)] == [("missed", (NAME,), 1)]


@of(CUSTOMERS)
def test_without_the_key_a_new_hash_is_not_verified(contract: Contract) -> None:
    """A limit: the hash of a changed or new value cannot be verified without the key."""
    today = contract.rows()
    changed, new = hashed_rows(contract, NAME, changed=True)[0], contract.find("new", NAME)
    spoilt = edited(edited(today, changed, NAME, OTHER_HASH), new, NAME, OTHER_HASH)

    found, blind = contract.compared(spoilt), contract.compared(spoilt, pii=False)

    assert sum(fault.rows for fault in accused(found)) == 2
    assert accused(blind) == []
