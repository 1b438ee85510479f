"""Generates the history of one instance in stretches of time: its txes, their t, and their datoms.

Planned datoms that lie beyond a stretch wait for a later one, so memory holds only one stretch and what waits.
ledger.py and lives.py plan the datoms, generate.py writes them to segments.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
from avro import TX_BASE
from draws import decimal_text, instant_text
from ledger import ATTRIBUTES, ENUMS, KEYS, MANY, PER_ACCOUNT, START_MS, TYPES, A, Plan, moments
from lives import DATOMS, account_changes, find_datoms, transaction_changes

USER = 4 * 2**42
"""Base id of the partition of all entities except attributes and txes."""
FIRST_T = 1000
IDENT, INSTALLED, VALUE_TYPE, CARDINALITY, UNIQUE, INSTANT = 10, 13, 40, 41, 42, 50
ONE, MANY_VALUES, IDENTITY = 35, 36, 38
"""Ids of bootstrap entities."""
STRETCH_DATOMS = 800_000

TOUCHES = pl.Schema(
    {"slot": pl.Int64, "account": pl.Int64, "cents": pl.Int64, "opens": pl.Boolean, "closes": pl.Boolean}
)
"""Changes of balances."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of consecutive txes."""

    txs: pl.DataFrame
    """Columns t, instant_ms, datoms (their number)."""
    datoms: pl.DataFrame
    """Columns e, a, v, added, tx_row (the row in `txs`)."""


@dataclass(slots=True)
class History:
    """The state from which the next stretch starts."""

    plan: Plan
    next_t: int = FIRST_T
    accounts: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))
    """Entity id of each account, by its number."""
    balances: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))
    """Balance of each account in cents, by its number."""
    waiting: pl.DataFrame = field(default_factory=DATOMS.to_frame)
    waiting_touches: pl.DataFrame = field(default_factory=TOUCHES.to_frame)
    enums: dict[str, int] = field(default_factory=dict)

    def stretches(self) -> Iterator[Stretch]:
        """Yield the schema, then history without end."""
        yield self._schema()
        transactions = STRETCH_DATOMS // self.plan.shape.datoms_per_transaction
        size = (min(transactions, self.plan.horizon // self.plan.shape.grid) // PER_ACCOUNT + 1) * PER_ACCOUNT
        first = 0
        while True:
            yield self._stretch(first, first + size)
            first += size

    def _schema(self) -> Stretch:
        """One tx per attribute and per ident of an enum."""
        rows = [(t, datoms) for t, datoms in enumerate(_attribute_datoms(), start=FIRST_T)]
        self.next_t = FIRST_T + len(rows)
        for name in ENUMS:
            e = self.enums[name] = USER + self.next_t + 1
            rows.append((self.next_t, [(e, IDENT, f":{name}")]))
            self.next_t += 2
        datoms = [(t, e, a, v, True) for t, own in rows for e, a, v in own]
        txs = pl.DataFrame({"slot": [t for t, _ in rows], "t": [t for t, _ in rows]})
        # In the seconds before the bank opens.
        txs = txs.with_columns(instant_ms=START_MS - 1000 * (self.next_t - pl.col("t")))
        return _stretch_of(txs, pl.DataFrame(datoms, schema=DATOMS, orient="row"))

    def _stretch(self, first: int, end: int) -> Stretch:
        """The history from the birth of transaction `first` to that of `end`."""
        accounts = self.plan.accounts(first // PER_ACCOUNT, end // PER_ACCOUNT)
        transactions = self.plan.transactions(first, end)
        end_slot = end * self.plan.shape.grid
        txs, births = self._numbered_txs((accounts, transactions), end_slot)
        accounts, transactions = (
            lives.with_columns(births.filter(pl.col("kind") == kind)["e"])
            for kind, lives in enumerate((accounts, transactions))
        )
        self.accounts = pl.concat([self.accounts, accounts["e"]])
        self.balances = pl.concat([self.balances, pl.zeros(accounts.height, dtype=pl.Int64, eager=True)])
        transactions = transactions.with_columns(self.accounts.gather(transactions["account"]).alias("account_e"))
        datoms = self._due_datoms(accounts, transactions, end_slot)
        balances = self._balance_datoms(accounts, transactions, end_slot)
        return _stretch_of(txs, pl.concat([datoms, balances]))

    def _numbered_txs(self, lives: tuple[pl.DataFrame, ...], end_slot: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Make a tx of each slot before `end_slot` that has datoms; t and entity ids come from one counter."""
        slots = [frame[name] for frame in lives for name in moments(frame, but=("account_closed",))]
        slot = pl.concat([self.waiting["slot"], *(s.rename("slot") for s in slots)])
        txs = slot.filter(slot < end_slot).unique().sort().to_frame()
        born = [frame.select(slot="born", kind=pl.lit(kind)) for kind, frame in enumerate(lives)]
        births = pl.concat(born).sort("slot", "kind", maintain_order=True)
        births = births.with_columns(nth=pl.int_range(1, pl.len() + 1).over("slot"))
        most = births.group_by("slot").agg(born=pl.len().cast(pl.Int64))
        txs = txs.join(most, on="slot", how="left", maintain_order="left").with_columns(pl.col("born").fill_null(0))
        txs = txs.with_columns(t=self.next_t + (1 + pl.col("born")).cum_sum() - 1 - pl.col("born"))
        self.next_t += txs.height + births.height
        births = births.join(txs, on="slot", how="left", maintain_order="left")
        births = births.with_columns(e=USER + pl.col("t") + pl.col("nth"))
        # Four slots share an instant, as txes in quick succession do.
        instant = START_MS + pl.col("slot") // 4 * 4 * self.plan.slot_ms
        return txs.select("slot", "t", instant_ms=instant), births.sort("kind", "slot", maintain_order=True)

    def _due_datoms(self, accounts: pl.DataFrame, transactions: pl.DataFrame, end_slot: int) -> pl.DataFrame:
        own = find_datoms(accounts, account_changes(self.enums))
        of_transactions = find_datoms(transactions, transaction_changes(self.enums, self.plan.shape))
        datoms = pl.concat([self.waiting, own, of_transactions])
        due = pl.col("slot") < end_slot
        self.waiting = datoms.filter(~due).rechunk()
        return datoms.filter(due)

    def _balance_datoms(self, accounts: pl.DataFrame, transactions: pl.DataFrame, end_slot: int) -> pl.DataFrame:
        touches = pl.concat([self.waiting_touches, _openings(accounts), _movements(transactions)])
        due = pl.col("slot") < end_slot
        self.waiting_touches = touches.filter(~due)
        return self._settled(touches.filter(due))

    def _settled(self, touches: pl.DataFrame) -> pl.DataFrame:
        """The datoms of balances: each account's balance before and after each change."""
        amounts = pl.col("cents").sum(), pl.col("opens", "closes").any()
        sums = touches.group_by("account", "slot").agg(*amounts).sort("account", "slot")
        before = self.balances.gather(sums["account"])
        sums = sums.with_columns(after=pl.col("cents").cum_sum().over("account") + before)
        sums = sums.with_columns(e=self.accounts.gather(sums["account"]))
        last = sums.group_by("account", maintain_order=True).agg(pl.col("after").last())
        self.balances = self.balances.scatter(last["account"], last["after"])
        moved = pl.col("cents") != 0
        rows = [
            (~pl.col("closes") & (pl.col("opens") | moved), pl.col("after"), True),
            (~pl.col("opens") & (pl.col("closes") | moved), pl.col("after") - pl.col("cents"), False),
        ]
        return pl.concat(
            sums.filter(which).select(**_balance(value), added=pl.lit(added)) for which, value, added in rows
        )


def _balance(cents: pl.Expr) -> dict[str, pl.Expr]:
    """Amounts as texts: tens of cents that are no whole units with one decimal, others with two."""
    short = (cents % 100 != 0) & (cents % 10 == 0)
    text = decimal_text(cents)
    value = pl.when(short).then(text.str.head(-1)).otherwise(text)
    return {"slot": pl.col("slot"), "e": pl.col("e"), "a": pl.lit(A["account/balance"], dtype=pl.Int64), "v": value}


def _openings(accounts: pl.DataFrame) -> pl.DataFrame:
    zero, yes, no = pl.lit(0, dtype=pl.Int64), pl.lit(True), pl.lit(False)
    born = accounts.select(slot="born", account="n", cents=zero, opens=yes, closes=no)
    closed = accounts.select(slot="closed", account="n", cents=zero, opens=no, closes=yes).drop_nulls("slot")
    return pl.concat([born, closed])


def _movements(transactions: pl.DataFrame) -> pl.DataFrame:
    """Changes of balances: settling takes the amount off an open account, refunding returns it."""
    cents = pl.col("cents") - 250_000
    moves = [("settled", -cents), ("refunded", cents)]
    moves += [(name, pl.col("step") - 4_500) for name in transactions.columns if name.startswith("revised_")]
    of_bank = {"account": pl.col("account"), "opens": pl.lit(False), "closes": pl.lit(False)}
    open_then = pl.col("account_closed").is_null() | (pl.col("account_closed") > pl.col("slot"))
    frames = [transactions.select(slot=name, cents=amount, until="account_closed", **of_bank) for name, amount in moves]
    touches = pl.concat(frames).rename({"until": "account_closed"}).drop_nulls(["slot", "account"])
    return touches.filter(open_then).select(TOUCHES.names())


def _attribute_datoms() -> Iterator[list[tuple[int, int, str]]]:
    for name, kind in ATTRIBUTES.items():
        e = A[name]
        cardinality = MANY_VALUES if name in MANY else ONE
        datoms = [(e, IDENT, f":{name}"), (e, VALUE_TYPE, str(TYPES[kind])), (e, CARDINALITY, str(cardinality))]
        unique = [(e, UNIQUE, str(IDENTITY))] if name in KEYS else []
        yield [*datoms, *unique, (0, INSTALLED, str(e))]


def _stretch_of(txs: pl.DataFrame, datoms: pl.DataFrame) -> Stretch:
    """Sort datoms by tx, each tx's instant first."""
    asserted = {"a": pl.lit(INSTANT, dtype=pl.Int64), "v": instant_text(pl.col("instant_ms")), "added": pl.lit(True)}
    instants = txs.select("slot", e=pl.col("t") + TX_BASE, **asserted)
    datoms = pl.concat([instants, datoms]).sort("slot", maintain_order=True)
    datoms = datoms.with_columns(tx_row=pl.col("slot").rle_id())
    counts = datoms.group_by("tx_row", maintain_order=True).agg(datoms=pl.len())["datoms"]
    return Stretch(txs.select("t", "instant_ms").with_columns(counts), datoms.drop("slot"))
