"""Plans the invented bank: its schema, its contracts, and at birth the whole life of each entity.

A life is a row of moments (numbers of "slots", the grid of time) and values. Each value is a function of the entity's
number, so that a later retraction knows what it retracts. history.py gives ids, t and balances.
"""

from dataclasses import dataclass, replace

import polars as pl
from draws import Draws, double_text, instant_text

DATABASE = "ledger"
GRID = 64
"""Slots from one new transaction to the next, where a history is not deepened."""
PER_ACCOUNT = 20
"""Transactions per account."""
START_MS = 1_514_764_800_000
"""2018-01-01T00:00Z."""
SPAN_MS = 2 * 365 * 86_400_000
"""Every history spans about two years."""

TYPES = {"ref": 20, "keyword": 21, "long": 22, "string": 23, "boolean": 24, "instant": 25, "uuid": 56}
TYPES |= {"double": 57, "bigdec": 61}
FIRST_ATTRIBUTE = 72
ATTRIBUTES = {
    "account/id": "uuid",
    "account/status": "ref",
    "account/balance": "bigdec",
    "account/opened-at": "instant",
    "account/owner-name": "string",
    "account/branch": "long",
    "account/labels": "keyword",
    "transaction/id": "uuid",
    "transaction/status": "ref",
    "transaction/amount": "bigdec",
    "transaction/post-date": "instant",
    "transaction/account": "ref",
    "transaction/tags": "string",
    "transaction/installments": "long",
    "transaction/description": "string",
    "transaction/settled": "boolean",
    "transaction/rate": "double",
}
"""Name → `:db/valueType`."""
MANY = ("account/labels", "transaction/tags")
KEYS = ("account/id", "transaction/id")
A = {name: FIRST_ATTRIBUTE + n for n, name in enumerate(ATTRIBUTES)}
"""Name → entity id."""
ENUMS = (
    *(f"account.status/{name}" for name in ("active", "blocked")),
    *(f"transaction.status/{name}" for name in ("pending", "authorized", "denied", "settled", "refunded")),
)

CONTRACTS = """\
database: ledger
prototypes: [{prototypes}]
entities:
  - name: accounts
    primary_key: account/id
    attributes:
      - {{attribute: account/status, ref: db/ident, history: true}}
      - {{attribute: account/balance, history: true}}
      - {{attribute: account/opened-at}}
      - {{attribute: account/owner-name}}
      - {{attribute: account/branch}}
      - {{attribute: account/labels}}
  - name: transactions
    primary_key: transaction/id
    snapshot: true
    attributes:
      - {{attribute: transaction/status, ref: db/ident, history: true}}
      - {{attribute: transaction/amount, history: true}}
      - {{attribute: transaction/post-date}}
      - {{attribute: transaction/account, ref: account/id}}
      - {{attribute: transaction/tags}}
      - {{attribute: transaction/installments}}
      - {{attribute: transaction/description}}
      - {{attribute: transaction/settled}}
      - {{attribute: transaction/rate}}
"""

FIRST_NAMES = ("Ana", "Bruno", "Caio", "Davi", "Elisa", "Fabio", "Gloria", "Heitor", "Iara", "João", "Lívia", "Zoë")
LAST_NAMES = ("Almeida", "Barros", "Costa", "Dias", "Esteves", "Farias", "Gomes", "Lima", "Moraes", "Souza", "Teixeira")
LABELS = tuple(f":label/{name}" for name in ("vip", "student", "joint", "payroll", "dormant", "abroad", "young"))
TAGS = ("food", "travel", "health", "home", "fuel", "fun", "kids", "pets", "books", "music", "rent", "gifts", "taxes")
MOST_TAGS = 3
"""Most tags of a new transaction."""
DEEDS = ("Purchase at", "Payment to", "Monthly fee of", "Refund from", "Instant transfer to", "Order at")
SHOPS = ("Padaria Estrela", "Mercado Central", "Farmácia São José", "Posto Ipiranga", "Livraria Nova", "Café do Ponto")

ACCOUNT_MOMENTS = ("closed", "blocked", "unblocked", "renamed", "labelled", "unlabelled")
TRANSACTION_MOMENTS = ("decided", "settled", "refunded", "retagged", "untagged", "undescribed", "retracted")
MOMENTS = ("born", *ACCOUNT_MOMENTS, *TRANSACTION_MOMENTS, "account_closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The kind of history that a bank has."""

    datoms_per_transaction: int
    """Expected datoms per transaction, later changes included; the distances of moments follow from it."""
    revisions: int
    """Most changes of an amount."""
    revised_share: float
    """Share of transactions whose amount changes."""
    hot_accounts: int
    """The first accounts, which are never closed and get many transactions."""
    hot_share: float
    """Share of transactions of hot accounts."""
    most_transactions: int | None = None
    """About how many transactions an instance has at most: a longer history changes these more often."""
    grid: int = GRID
    """Slots from one new transaction to the next."""

    def deepened(self, datoms: int) -> "Shape":
        """The shape of an instance's history of so many datoms."""
        if self.most_transactions is None or datoms <= self.datoms_per_transaction * self.most_transactions:
            return self
        each = datoms // self.most_transactions
        revisions = self.revisions * (each - UNREVISED) // (self.datoms_per_transaction - UNREVISED)
        grid = self.grid * revisions // self.revisions
        return replace(self, datoms_per_transaction=each, revisions=revisions, grid=grid)


UNREVISED = 18
"""About how many datoms a transaction has beside those of its revisions."""
_DEEP = Shape(
    datoms_per_transaction=98,
    revisions=24,
    revised_share=1.0,
    hot_accounts=16,
    hot_share=0.6,
    most_transactions=2_500,
)
SHAPES = {
    "ledger": Shape(datoms_per_transaction=19, revisions=1, revised_share=0.12, hot_accounts=64, hot_share=0.2),
    "deep": _DEEP,
}
"""`ledger` is like a bank; `deep` has few entities, each changed dozens of times, or more often in a longer history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Plans the lives of one instance's entities."""

    draws: Draws
    shape: Shape
    horizon: int
    """Slots of the whole history; delays are shares of it."""

    def accounts(self, first: int, end: int) -> pl.DataFrame:
        """The lives of the accounts [first, end)."""
        lives = _numbered(first, end).with_columns(born=self._account_born("n"), closed=self._account_closed("n"))
        # An account that will be closed has its changes well before.
        room = pl.coalesce(pl.col("closed") - pl.col("born"), pl.lit(self.horizon)) // 4
        lives = lives.with_columns(
            blocked=self._after("born", room, share=0.3),
            renamed=self._after("born", room, share=0.15),
            labelled=self._after("born", room, share=0.4),
        )
        lives = lives.with_columns(
            unblocked=self._after("blocked", room, share=0.7),
            unlabelled=self._after("labelled", room, share=0.5),
        )
        return lives.with_columns(
            self.draws.uuids(lives["n"], "account").alias("id"),
            opened=instant_text(START_MS + pl.col("born") * self.slot_ms),
            owner=self._owner("owner"),
            new_owner=pl.concat_str(self._owner("owner"), pl.lit(" "), self.draws.pick("n", "second", LAST_NAMES)),
            branch=self.draws.below("n", "branch", 400).cast(pl.String),
            label=self.draws.pick("n", "label", LABELS[:4]),
            second_label=self.draws.pick("n", "second label", LABELS[4:]),
        )

    def transactions(self, first: int, end: int) -> pl.DataFrame:
        """The lives of the transactions [first, end)."""
        lives = _numbered(first, end).with_columns(born=self._transaction_born())
        lives = self._with_account(lives)
        lives = self._with_moments(lives)
        return lives.with_columns(
            self.draws.uuids(lives["n"], "transaction").alias("id"),
            posted=instant_text((START_MS + pl.col("born") * self.slot_ms) // 86_400_000 * 86_400_000),
            installments=self._sometimes("installments", 0.7, (1 + self.draws.below("n", "parts", 12)).cast(pl.String)),
            description=self._sometimes("described", 0.9, self._description()),
            rate=self._sometimes("rated", 0.5, double_text(1 + self.draws.below("n", "rate", 19_999))),
            tags=self.draws.below("n", "tags", MOST_TAGS + 1),
            tag=self.draws.below("n", "tag", len(TAGS)),
            cents=100 + self.draws.below("n", "cents", 500_000),
            step=1 + self.draws.below("n", "step", 9_000),
            rescaled=self.draws.chance("n", "rescaled", 0.1),
        )

    @property
    def slot_ms(self) -> int:
        """Milliseconds from one slot to the next."""
        return max(1, SPAN_MS // self.horizon)

    @property
    def hot_accounts(self) -> int:
        """The shape's number of hot accounts, but at most an eighth of all."""
        return max(1, min(self.shape.hot_accounts, self.horizon // self.shape.grid // PER_ACCOUNT // 8))

    def _transaction_born(self) -> pl.Expr:
        return pl.col("n") * self.shape.grid + self.draws.below("n", "born", self.shape.grid)

    def _account_born(self, of: str) -> pl.Expr:
        grid = self.shape.grid
        return pl.col(of) * grid * PER_ACCOUNT + self.draws.below(of, "account born", grid)

    def _account_closed(self, of: str) -> pl.Expr:
        mortal = self.draws.chance(of, "mortal", 0.12) & (pl.col(of) >= self.hot_accounts)
        age = self.shape.grid + self.draws.below(of, "age", self.horizon // 2 + 1)
        return pl.when(mortal).then(self._account_born(of) + age)

    def _with_account(self, lives: pl.DataFrame) -> pl.DataFrame:
        """Choose an account that is older than the transaction and still open; the first transactions have none."""
        older = pl.col("n") // PER_ACCOUNT
        hot = pl.min_horizontal(older, self.hot_accounts)
        any_of = pl.when(self.draws.chance("n", "hot", self.shape.hot_share)).then(hot).otherwise(older)
        has = (older > 0) & self.draws.chance("n", "has account", 0.99)
        lives = lives.with_columns(account=self.draws.below("n", "account", pl.max_horizontal(any_of, 1)))
        lives = lives.with_columns(account_closed=self._account_closed("account"))
        too_late = pl.col("account_closed") <= pl.col("born")
        lives = lives.with_columns(
            account=pl.when(too_late).then(pl.col("account") % hot.clip(1)).otherwise("account"),
            account_closed=pl.when(~too_late).then("account_closed"),
        )
        return lives.with_columns(pl.when(has).then(name).alias(name) for name in ("account", "account_closed"))

    def _with_moments(self, lives: pl.DataFrame) -> pl.DataFrame:
        """Transactions are soon authorized, later settled, seldom refunded; a few are retracted at their end."""
        quick, usual, late = (self.horizon // part + 2 for part in (2000, 50, 4))
        lives = lives.with_columns(decided=self._after("born", quick, share=0.8))
        lives = lives.with_columns(approved=self.draws.chance("n", "approved", 0.9) & pl.col("decided").is_not_null())
        lives = lives.with_columns(
            settled=pl.when("approved").then(self._settled(usual=usual, late=late)),
            retagged=self._after("born", usual, share=0.15),
            untagged=self._after("born", usual, share=0.1),
            undescribed=self._after("born", late, share=0.04),
        )
        lives = lives.with_columns(refunded=self._after("settled", late, share=0.04))
        lives = lives.with_columns(revised_1=self._after("born", usual, share=self.shape.revised_share))
        between = self.horizon // self.shape.revisions
        for n in range(2, self.shape.revisions + 1):
            lives = lives.with_columns(self._after(f"revised_{n - 1}", between, share=1.0).alias(f"revised_{n}"))
        last = pl.max_horizontal(moments(lives, but=("account_closed",)))
        retracted = pl.when(self.draws.chance("n", "retracted", 0.1)).then(last + self._delay("retracted after", late))
        return lives.with_columns(retracted=retracted)

    def _settled(self, *, usual: int, late: int) -> pl.Expr:
        limit = pl.when(self.draws.chance("n", "late", 0.1)).then(late).otherwise(usual)
        settled = pl.col("decided") + self._delay("settled", limit)
        return pl.when(self.draws.chance("n", "settles", 0.85)).then(settled)

    def _after(self, moment: str, limit: int | pl.Expr, *, share: float) -> pl.Expr:
        """A later moment in this share of lives. Calls for one plan must differ in moment, limit or share."""
        name = f"after {moment} {share} {limit if isinstance(limit, int) else ''}"
        happens = self.draws.chance("n", name, share)
        return pl.when(happens).then(pl.col(moment) + self._delay(f"{name} delay", limit))

    def _delay(self, name: str, limit: int | pl.Expr) -> pl.Expr:
        return 1 + self.draws.below("n", name, limit)

    def _owner(self, name: str) -> pl.Expr:
        first, last = self.draws.pick("n", name, FIRST_NAMES), self.draws.pick("n", f"{name} last", LAST_NAMES)
        return pl.concat_str(first, pl.lit(" "), last)

    def _sometimes(self, name: str, share: float, value: pl.Expr) -> pl.Expr:
        return pl.when(self.draws.chance("n", name, share)).then(value)

    def _description(self) -> pl.Expr:
        words = [self.draws.pick("n", f"word {n}", choice) for n, choice in enumerate((DEEDS, SHOPS))]
        return pl.concat_str(*words, self.draws.below("n", "order", 10_000), separator=" ").str.slice(0, 40)


def _numbered(first: int, end: int) -> pl.DataFrame:
    return pl.int_range(first, end, eager=True).alias("n").to_frame()


def moments(lives: pl.DataFrame, *, but: tuple[str, ...] = ()) -> list[str]:
    """Names of the columns that are slots."""
    return [name for name in lives.columns if name not in but and (name in MOMENTS or name.startswith("revised_"))]
