"""What a segment's datoms must agree with: its index item, and Datomic's own rules for txes.

A file that was cut between two blocks, or mixed up with another, is a whole Avro file, too; only its datoms show it.
What they cannot show is a cut inside the last tx, behind the datom of its instant, and whole txes that are missing in
the middle: t is not dense.
"""

import polars as pl

from logcache_assets.domain.segments import Segment
from logcache_assets.engine.facts.datomic_schema import TX_INSTANT
from logcache_assets.engine.facts.values import parse_values
from logcache_assets.engine.storage.schemas import TX_BASE

CLOCK_SKEW_MS = 60_000
"""How far the extractor's clock may be behind Datomic's: instants of txes are the transactor's."""

EXTRACT_AGAIN = "have the range extracted again"
RESTORE = f"restore the file, or {EXTRACT_AGAIN}"
CORRECT_ITEM = f"correct its index item, or {EXTRACT_AGAIN}"

_INSTANT_TEXT = "%Y-%m-%dT%H:%M:%S%.3fZ"
_USUAL_MS = (0, 253_402_300_799_999)
"""1970 to 9999: instants whose canonical text polars writes; beyond the years that it knows, it panics."""


def find_contradiction(segment: Segment, datoms: pl.DataFrame) -> str | None:
    """The first thing in which the datoms of a file contradict its index item, with what to do; None without any.

    Args:
        segment: the index item.
        datoms: all datoms of the file, ascending by t; columns of LOG_SCHEMA.
    """
    if datoms.is_empty():
        return f"holds no datom, the end of the file is missing; {RESTORE}"
    return (
        _find_outside(segment, datoms["t"])
        or _find_missing_end(segment, datoms["t"])
        or _find_early_extraction(segment, datoms["tx_instant"])
    )


def find_broken_tx(datoms: pl.DataFrame) -> str | None:
    """The first tx that Datomic would not write so, with what to do; None without any.

    Args:
        datoms: whole txes, those of one t together; columns of LOG_SCHEMA.
    """
    return _find_foreign_tx(datoms) or _find_wrong_instant(datoms)


def _find_outside(segment: Segment, t: pl.Series) -> str | None:
    if segment.last_batch_t < t[0] and t[-1] <= segment.last_t:
        return None
    outside = t.filter((t <= segment.last_batch_t) | (t > segment.last_t))
    return f"holds {len(outside)} datoms outside that range, at t {outside[0]} to {outside[-1]}; {CORRECT_ITEM}"


def _find_missing_end(segment: Segment, t: pl.Series) -> str | None:
    """A file that was cut between two Avro blocks reads without an error; only its first and last t show it."""
    if t[-1] != segment.last_t:
        return f"ends at t {t[-1]}, the end of the file is missing; {RESTORE}"
    if t[0] != segment.initial_t:
        return f"begins at t {t[0]}, but its index item says {segment.initial_t}; {RESTORE}"
    return None


def _find_foreign_tx(datoms: pl.DataFrame) -> str | None:
    other = datoms.select(pl.col("t").filter(pl.col("tx") != pl.col("t") + TX_BASE)).to_series()
    return f"has a tx that is not that of its t, first at t {other[0]}; {EXTRACT_AGAIN}" if len(other) else None


def _find_wrong_instant(datoms: pl.DataFrame) -> str | None:
    """Every tx asserts its own instant, and its datoms repeat it in `tx_instant`."""
    begins = datoms["t"] != datoms["t"].shift(1, fill_value=-1)
    mixed = datoms["t"].filter(~begins & (datoms["tx_instant"] != datoms["tx_instant"].shift(1)))
    if len(mixed):
        return f"has several instants for one tx, first at t {mixed[0]}; {EXTRACT_AGAIN}"
    is_own = (pl.col("a") == TX_INSTANT) & (pl.col("e") == pl.col("tx")) & pl.col("added")
    own, ts = datoms.filter(is_own).select("t", "v", "tx_instant"), datoms["t"].filter(begins)
    if not own["t"].equals(ts):
        unequal = sorted(set(ts).symmetric_difference(own["t"])) or own["t"].filter(own["t"].is_duplicated())
        return f"does not assert :db/txInstant once for each tx, first at t {unequal[0]}; {RESTORE}"
    other = _differing_instants(own)
    return (
        f"has a tx_instant that is not the :db/txInstant of its tx, first at t {other[0]}; {EXTRACT_AGAIN}"
        if len(other)
        else None
    )


def _differing_instants(own: pl.DataFrame) -> pl.Series:
    """The t whose text `v` is another instant than tx_instant; comparing texts is faster than parsing them."""
    if own["tx_instant"].to_physical().is_between(*_USUAL_MS).all():
        own = own.filter(pl.col("v") != pl.col("tx_instant").dt.strftime(_INSTANT_TEXT))
    return own["t"].filter(parse_values(own["v"], "instant").ne_missing(own["tx_instant"]))


def _find_early_extraction(segment: Segment, instants: pl.Series) -> str | None:
    last_ms: int = instants.to_physical().max()  # type: ignore[assignment] # not empty
    early_ms = last_ms - segment.timestamp_ms
    if early_ms <= CLOCK_SKEW_MS:
        return None
    return (
        f"was extracted {early_ms} ms before its last tx, if the timestamp {segment.timestamp_ms} of its index item is "
        f"in milliseconds since 1970; {CORRECT_ITEM}"
    )
