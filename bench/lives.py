"""Turns planned lives into datoms: what each life asserts and retracts, at which slot.

Retracting an entity retracts all its values, and closing an account retracts the references to it. All assertions
precede all retractions, so that a stable sort by slot puts updates into Datomic's order. Balances depend on many lives
and are computed in history.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
from draws import decimal_text, pick
from ledger import MOST_TAGS, TAGS, A, Shape

DATOMS = pl.Schema({"slot": pl.Int64, "e": pl.Int64, "a": pl.Int64, "v": pl.String, "added": pl.Boolean})
TAG_STEP = 4
"""Distance between the tags of a transaction, so that they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of an attribute's value at a slot; lives with a null slot or value have no such change."""

    slot: pl.Expr
    attribute: str
    value: pl.Expr
    added: bool


def find_datoms(lives: pl.DataFrame, changes: Iterator[Change]) -> pl.DataFrame:
    """The datoms of these lives, which have their `e`: assertions first."""
    ordered = sorted(changes, key=lambda change: not change.added)
    source = lives.lazy()
    return pl.concat([_datoms_of(source, change) for change in ordered]).collect()


def _datoms_of(lives: pl.LazyFrame, change: Change) -> pl.LazyFrame:
    columns = {"slot": change.slot, "e": pl.col("e"), "a": pl.lit(A[change.attribute], dtype=pl.Int64)}
    datoms = lives.select(**columns, v=change.value.cast(pl.String), added=pl.lit(change.added))
    return datoms.filter(pl.col("slot").is_not_null() & pl.col("v").is_not_null())


def account_changes(enums: Mapping[str, int]) -> Iterator[Change]:
    """The datoms of accounts, except balances."""
    active, blocked = (pl.lit(str(enums[f"account.status/{name}"])) for name in ("active", "blocked"))
    closed = pl.col("closed")
    for attribute, value in (("id", "id"), ("opened-at", "opened"), ("branch", "branch")):
        yield from _held(f"account/{attribute}", pl.col(value), closed)
    yield from _steps("account/status", (("born", active), ("blocked", blocked), ("unblocked", active)), closed)
    yield from _steps("account/owner-name", (("born", pl.col("owner")), ("renamed", pl.col("new_owner"))), closed)
    yield Change(slot=pl.col("born"), attribute="account/labels", value=pl.col("label"), added=True)
    yield Change(slot=pl.col("labelled"), attribute="account/labels", value=pl.col("second_label"), added=True)
    first_ends = pl.coalesce("unlabelled", "closed")
    yield Change(slot=first_ends, attribute="account/labels", value=pl.col("label"), added=False)
    second = pl.when(pl.col("labelled").is_not_null()).then("second_label")
    yield Change(slot=closed, attribute="account/labels", value=second, added=False)


def transaction_changes(enums: Mapping[str, int], shape: Shape) -> Iterator[Change]:
    """The datoms of transactions."""
    retracted = pl.col("retracted")
    for attribute, value in (("id", "id"), ("post-date", "posted"), ("installments", "installments"), ("rate", "rate")):
        yield from _held(f"transaction/{attribute}", pl.col(value), retracted)
    yield from _held("transaction/description", pl.col("description"), pl.coalesce("undescribed", "retracted"))
    yield from _held("transaction/account", pl.col("account_e"), pl.min_horizontal("account_closed", "retracted"))
    status = {name: pl.lit(str(enums[f"transaction.status/{name}"])) for name in _STATUS}
    decided = pl.when("approved").then(status["authorized"]).otherwise(status["denied"])
    moves = (("born", status["pending"]), ("decided", decided), ("settled", status["settled"]))
    yield from _steps("transaction/status", (*moves, ("refunded", status["refunded"])), retracted)
    yield from _steps("transaction/settled", (("born", pl.lit("false")), ("settled", pl.lit("true"))), retracted)
    revisions = [(f"revised_{n}" if n else "born", _amount(n)) for n in range(shape.revisions + 1)]
    yield from _steps("transaction/amount", revisions, retracted)
    yield from _tag_changes(retracted)


_STATUS = ("pending", "authorized", "denied", "settled", "refunded")


def _held(attribute: str, value: pl.Expr, until: pl.Expr) -> Iterator[Change]:
    """A value asserted at birth."""
    yield Change(slot=pl.col("born"), attribute=attribute, value=value, added=True)
    yield Change(slot=until, attribute=attribute, value=value, added=False)


def _steps(
    attribute: str, steps: tuple[tuple[str, pl.Expr], ...] | list[tuple[str, pl.Expr]], until: pl.Expr
) -> Iterator[Change]:
    """Successive values; a step happens only in lives in which the step before happened."""
    for n, (moment, value) in enumerate(steps):
        follows = [pl.col(later) for later, _ in steps[n + 1 : n + 2]]
        slot = pl.col(moment)
        yield Change(slot=slot, attribute=attribute, value=value, added=True)
        ends = pl.when(slot.is_not_null()).then(pl.coalesce(*follows, until))
        yield Change(slot=ends, attribute=attribute, value=value, added=False)


def _tag_changes(retracted: pl.Expr) -> Iterator[Change]:
    """Up to three tags at birth, the first of which may be retracted, and one more later."""
    own = [pick(TAGS, (pl.col("tag") + n * TAG_STEP) % len(TAGS)) for n in range(MOST_TAGS + 1)]
    for n in range(MOST_TAGS):
        end = retracted if n else pl.coalesce("untagged", "retracted")
        yield from _held("transaction/tags", pl.when(pl.col("tags") > n).then(own[n]), end)
    added_later = pl.when(pl.col("retagged").is_not_null()).then(own[MOST_TAGS])
    yield Change(slot=pl.col("retagged"), attribute="transaction/tags", value=added_later, added=True)
    yield Change(slot=retracted, attribute="transaction/tags", value=added_later, added=False)


def _amount(n: int) -> pl.Expr:
    """The amount after n revisions; some first revisions change only the text, from 12.5 to 12.50."""
    cents, step = pl.col("cents"), pl.col("step")
    plain = decimal_text(cents + n * step)
    tenths = cents // 10
    short = pl.concat_str(tenths // 10, pl.lit("."), tenths % 10)
    same = short if n == 0 else decimal_text(tenths * 10 + (n - 1) * step)
    return pl.when("rescaled").then(same).otherwise(plain)
