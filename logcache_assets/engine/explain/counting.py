"""Counts of rows whose reasons are known: figures and patterns, in which no value is left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.domain.figures import FAULTS, CellFigures, Pattern, PrototypeFigures
from logcache_assets.engine.compare.contract_files import key_text
from logcache_assets.engine.compare.digests import key_hash
from logcache_assets.engine.compare.tokens import row_token
from logcache_assets.engine.explain.comparison_terms import A, B, ComparisonTerms, any_cell
from logcache_assets.engine.storage.buckets import WHOLE, Bucket

EXAMPLES = 3
"""So many rows of a pattern are named."""
FAULTY_ROWS = 1_000
"""So many faulty rows of a bucket are looked up in the log afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What some rows amount to; `equal` of columns counts only rows that were looked at."""

    prototypes: Mapping[str, PrototypeFigures]
    patterns: tuple[Pattern, ...]
    faulty: pl.DataFrame
    """Prototype, reason, change and `columns` of the first faulty rows, with their `t`, or with their primary key where
    rows carry no t."""
    bucket: Bucket = WHOLE


def count_rows(rows: pl.DataFrame, terms: ComparisonTerms) -> Explained:
    """Figures of rows with their `reason`, their `change` and the flags of their cells."""
    differing = rows.filter(pl.col("reason").is_not_null())
    return Explained(
        prototypes=dict(_prototypes(rows, terms)),
        patterns=tuple(_patterns(differing, terms)),
        faulty=_faulty(differing, terms),
    )


def _prototypes(rows: pl.DataFrame, terms: ComparisonTerms) -> Iterator[tuple[str, PrototypeFigures]]:
    for key, part in rows.partition_by("prototype", as_dict=True).items():
        reasons = part["reason"].drop_nulls().value_counts()
        yield (
            str(key[0]),
            PrototypeFigures(
                rows=_count(part, pl.col("in:today:")),
                yesterday_rows=_count(part, pl.col("in:yesterday:")),
                missing=_count(part, pl.col("in:yesterday:") & ~pl.col("in:today:")),
                added=_count(part, pl.col("in:today:") & ~pl.col("in:yesterday:")),
                changed=_count(part, pl.col("both") & any_cell("differs:", terms)),
                reasons=dict(reasons.iter_rows()),
                faulty_rows=dict(part.filter(_wrong_row())["reason"].value_counts().iter_rows()),
                columns={name: _cells(part, name) for name in terms.layout.cells},
            ),
        )


def _count(part: pl.DataFrame, which: pl.Expr) -> int:
    return int(part.select(which.sum()).item())


def _wrong_row() -> pl.Expr:
    """Rows that are there against the log, or by nothing in it."""
    placed = pl.col("due") != pl.col("in:today:")
    return pl.col("reason").is_in(list(FAULTS)) & (placed | pl.col("differs"))


def _cells(part: pl.DataFrame, name: str) -> CellFigures:
    differs = pl.col(f"differs:{name}")
    counts = part.select(
        equal=(pl.col("both") & ~differs).sum(),
        changed=(differs & pl.col(A + name).is_not_null() & pl.col(B + name).is_not_null()).sum(),
        to_null=(differs & pl.col(B + name).is_null()).sum(),
        from_null=(differs & pl.col(A + name).is_null()).sum(),
        unexplained=_unexplained_cells(name).sum(),
        missed=pl.col(f"stale:{name}").sum(),
    )
    return CellFigures(**counts.row(0, named=True))


def _unexplained_cells(name: str) -> pl.Expr:
    """Cells of unexplained rows that are wrong, or differ though no cause reaches them."""
    wrong = pl.col(f"wrong:{name}") & ~pl.col(f"stale:{name}")
    unexplained = (pl.col("reason") == "unexplained").fill_null(value=False)
    return pl.col("both") & unexplained & (wrong | pl.col(f"causeless:{name}"))


def _patterns(differing: pl.DataFrame, terms: ComparisonTerms) -> Iterator[Pattern]:
    """Differing rows grouped by what they have in common, with the tokens of a few."""
    if differing.is_empty():
        return
    t = pl.col("db__t") if terms.has_t else pl.when("in:log:").then(pl.col("why_t"))
    by, pk = ["reason", "change", "prototype", "columns"], terms.layout.key[0]
    named = differing.select(
        *by[:3],
        columns=_named_columns(terms),
        t=t,
        key=key_text(pl.col(pk), terms.layout.types[pk]),
        # By hash, as buckets are cut, so that the examples are the same whatever the buckets.
        order=key_hash(differing, terms.layout),
    )
    grouped = named.group_by(by).agg(
        rows=pl.len(),
        first_t=pl.col("t").min(),
        last_t=pl.col("t").max(),
        keys=pl.col("key").sort_by("order").head(EXAMPLES),
    )
    for row in grouped.iter_rows(named=True):
        keys, where = row.pop("keys"), row["prototype"]
        columns = tuple(name for name in row.pop("columns").split(",") if name)
        tokens = tuple(dict.fromkeys(row_token(terms.token_key, pk, key, where) for key in keys))
        yield Pattern(**row, columns=columns, examples=tokens)


def _named_columns(terms: ComparisonTerms) -> pl.Expr:
    """The columns that a row's pattern names: in a fault those that are wrong or have no cause, if any are."""
    is_fault = pl.col("reason").is_in(list(FAULTS)) & (any_cell("wrong:", terms) | any_cell("causeless:", terms))
    names = [pl.lit(None, pl.String)]
    for name in terms.layout.cells:
        at_fault = pl.col(f"wrong:{name}") | pl.col(f"causeless:{name}")
        flag = pl.when(is_fault).then(at_fault).otherwise(pl.col(f"differs:{name}"))
        names.append(pl.when(flag).then(pl.lit(name)))
    return pl.concat_str(names, separator=",", ignore_nulls=True)


def _faulty(differing: pl.DataFrame, terms: ComparisonTerms) -> pl.DataFrame:
    """Faulty rows, for their place in the log."""
    fault = pl.col("reason").is_in(list(FAULTS))
    wanted = differing.filter(fault).head(FAULTY_ROWS).with_columns(columns=_named_columns(terms))
    placed = wanted.rename({"db__t": "t"}) if terms.has_t else wanted
    own = ["t"] if terms.has_t else [terms.layout.key[0]]
    return placed.select(*own, "prototype", "reason", "change", "columns")
