"""Two days of one generated contract, and what a comparison of them must find.

    DIR/size.json                                              the options; another size needs another folder
    DIR/<day>/contract-bench/transactions/part-00000.parquet   and further parts; for yesterday and today

A day consists of numbered slots, in the order of the key. Which slots a day lacks and which cells change is computed
from the slot's number, so that every figure is known without a comparison. draws.py gives the values.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl
from draws import WORD, Draws, decimal_text, pick

KEY = ("transaction__id", "prototype")
COLUMNS = (
    "status",
    "amount",
    "account",
    "attempts",
    "fee",
    "post_date",
    "flag",
    "holder",
    "description",
    "channel",
    "ref",
)
"""Columns outside the key."""
YESTERDAY, TODAY = "yesterday", "today"
SLOTS_PER_FILE: Mapping[str, int] = {YESTERDAY: 1_000_000, TODAY: 1_048_576}
"""Slots per file of each day; they differ, so that files do not begin at the same keys."""
ROW_GROUP_ROWS = 262_144

LONELY_EVERY, MISSING_AT, ADDED_AT = 2000, 7, 1007
"""One slot in this many is only in yesterday, and as many are only in today: 0.05 % each."""
CHANGED_EVERY, CHANGED_AT = 100, 13
"""One slot in this many changes; never one that is only in one day, whose number ends in 07."""
SECOND_COLUMN = 5
"""Distance from the first changed column to the second."""

STATUSES = ("status__pending", "status__settled", "status__refused", "status__reversed", "status__expired")
CHANNELS = ("channel__app", "channel__card", "channel__pix", "channel__boleto")
VERBS = ("Payment to", "Refund from", "Transfer to", "Purchase at", "Withdrawal at")
HEX = [f"{n:04x}" for n in range(2**16)]
FIRST_MS, SPAN_MS = 1_577_836_800_000, 4 * 365 * 86_400_000
"""2020, and four years from there."""
FIRST_REF = 2**44


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysSize:
    """The size of the days."""

    rows: int
    """Keys of both days together."""
    seed: int = 1

    def expected(self) -> dict[str, object]:
        """The figures that a comparison must give."""
        missing = len(range(MISSING_AT, self.rows, LONELY_EVERY))
        added = len(range(ADDED_AT, self.rows, LONELY_EVERY))
        changed = dict.fromkeys(COLUMNS, 0)
        for change in range(len(range(CHANGED_AT, self.rows, CHANGED_EVERY))):
            for position in changed_columns(change):
                changed[COLUMNS[position]] += 1
        return {"both": self.rows - missing - added, "missing": missing, "added": added, "changed": changed}


def changed_columns(change: int) -> tuple[int, ...]:
    """The changed columns of the nth changed row: one, or two in every other round through all columns."""
    rounds, first = divmod(change, len(COLUMNS))
    return (first, (first + SECOND_COLUMN) % len(COLUMNS)) if rounds % 2 else (first,)


class Days:
    """Two generated days.

    Args:
        folder: the folder that holds them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def dataset(self, day: str) -> Path:
        """The folder with a day's files."""
        return self.folder / day / "contract-bench" / "transactions"

    def prepare(self, size: DaysSize) -> None:
        """Create whatever is missing.

        Raises:
            SystemExit: the folder holds days of another size.
        """
        asked, recorded = json.dumps(asdict(size)), self.folder / "size.json"
        if recorded.exists() and recorded.read_text("utf-8") != asked:
            raise SystemExit(f"{self.folder} holds days of another size, {recorded.read_text('utf-8')}: name another")
        if not recorded.exists():
            for day, slots in SLOTS_PER_FILE.items():
                self._write(day, size, slots)
            recorded.write_text(asked, encoding="utf-8")

    def _write(self, day: str, size: DaysSize, slots: int) -> None:
        folder = self.dataset(day)
        folder.mkdir(parents=True, exist_ok=True)
        for number, begin in enumerate(range(0, size.rows, slots)):
            frame = rows_of(day, size, range(begin, min(begin + slots, size.rows)))
            frame.write_parquet(
                folder / f"part-{number:05}.parquet",
                compression="zstd",
                compression_level=1,
                row_group_size=ROW_GROUP_ROWS,
            )


def rows_of(day: str, size: DaysSize, slots: range) -> pl.DataFrame:
    """The rows that a day has in these slots."""
    absent = ADDED_AT if day == YESTERDAY else MISSING_AT
    frame = pl.select(n=pl.int_range(slots.start, slots.stop, dtype=pl.Int64))
    present = frame.filter(pl.col("n") % LONELY_EVERY != absent)
    draws = Draws(size.seed)
    versions = {
        name: _changed(position).cast(pl.Int64) if day == TODAY else pl.lit(0, pl.Int64)
        for position, name in enumerate(COLUMNS)
    }
    return present.select(*_key(draws, size.rows), *_values(draws, versions))


def _changed(position: int) -> pl.Expr:
    """Whether a slot's cell changed; the expression form of changed_columns."""
    change, width = pl.col("n") // CHANGED_EVERY, len(COLUMNS)
    second = ((change // width) % 2 == 1) & ((change + SECOND_COLUMN) % width == position)
    return (pl.col("n") % CHANGED_EVERY == CHANGED_AT) & ((change % width == position) | second)


def _key(draws: Draws, rows: int) -> Iterator[pl.Expr]:
    """An id that looks random but grows with the slot's number."""
    step = WORD // rows
    begin = pl.col("n").cast(pl.UInt64) * pl.lit(step, pl.UInt64)
    high = begin + draws.below("n", "id", step).cast(pl.UInt64)
    yield _hex(high, draws.bits("n", "id low")).alias(KEY[0])
    yield draws.pick("n", "prototype", ("s0", "s1")).alias(KEY[1])


def _values(draws: Draws, versions: Mapping[str, pl.Expr]) -> Iterator[pl.Expr]:
    """The columns outside the key; version 1 of a cell never equals its version 0."""

    def number(name: str, limit: int) -> pl.Expr:
        return draws.below("n", name, limit) + versions[name]

    def word(name: str, words: Sequence[str]) -> pl.Expr:
        return pick(words, number(name, len(words)) % len(words))

    late = number("post_date", SPAN_MS) + FIRST_MS
    fee = pl.when(number("fee", 50) % 50 == 0).then(float("nan")).otherwise(number("fee", 20_000) / 1000)
    holder = [draws.bits("n", f"holder {part}") for part in range(3)]
    tenth, version = draws.below("n", "no description", 10), versions["description"]
    no_text = pl.when(version == 0).then(tenth < 3).otherwise(tenth == 9)  # noqa: PLR2004 - 30 %, and some others later
    text = pl.format("{} {}", draws.pick("n", "verb", VERBS), number("description", 100_000))
    columns = {
        "status": word("status", STATUSES),
        "amount": decimal_text(number("amount", 10_000_000) - 500_000).cast(pl.Decimal(38, 9)),
        "account": pl.format("{}-{}", draws.pick("n", "branch", HEX), number("account", 90_000_000)),
        "attempts": number("attempts", 4),
        "fee": fee,
        "post_date": late.cast(pl.Datetime("ms", "UTC")),
        "flag": number("flag", 2) % 2 == 1,
        "holder": _hex(*holder, draws.bits("n", "holder 3") + versions["holder"].cast(pl.UInt64)),
        "description": pl.when(~no_text).then(text),
        "channel": word("channel", CHANNELS),
        "ref": number("ref", 1_000_000_000) + FIRST_REF,
    }
    yield from (columns[name].alias(name) for name in COLUMNS)


def _hex(*words: pl.Expr) -> pl.Expr:
    """64-bit words as text that sorts like the words."""
    shifts = (2**48, 2**32, 2**16, 1)
    quarters = [(word // pl.lit(shift, pl.UInt64) % 2**16).cast(pl.Int64) for word in words for shift in shifts]
    return pl.concat_str(pick(HEX, quarter) for quarter in quarters)
