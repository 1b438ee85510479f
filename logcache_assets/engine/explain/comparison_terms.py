"""What the comparison of one contract depends on, and how the columns of its three tables are told apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from logcache_assets.engine.compare.digests import ComparedColumns
from logcache_assets.engine.explain.causes import Scope

A, B, X = "yesterday:", "today:", "log:"
"""Prefixes of the three tables' columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonTerms:
    """What the comparison of one contract depends on."""

    layout: ComparedColumns
    row_columns: frozenset[str]
    """What decides which rows there are."""
    has_t: bool
    """Whether rows carry `db__t`."""
    scopes: Mapping[str, Scope]
    """By prototype; without an entry nothing is known of the log, and every difference is unexplained."""
    tolerances: Mapping[str, float]
    """Of floating point columns, absolute."""
    unchecked: frozenset[str] = frozenset()
    """Columns of hashed personal data without the deployment's key: of a recorded cell only its shape is verified, and
    whether it changed."""
    token_key: bytes


def any_cell(prefix: str, terms: ComparisonTerms) -> pl.Expr:
    """Whether a flag of the cells holds in some column of a row."""
    return pl.any_horizontal(pl.lit(False), *(pl.col(prefix + name) for name in terms.layout.cells))
