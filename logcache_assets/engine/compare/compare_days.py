"""Compares every contract of a database with yesterday's and explains the differences by the log.

Where a cache covers the log up to yesterday's t, only later datoms are read from segments. Whether the figures allow
publication is decided in domain/rules/.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import msgspec
import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable
from logcache_assets.domain.figures import FAULTS, ContractFigures, SchemaChange, TableFigures
from logcache_assets.domain.instances import Instance
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.contract_files import common_type
from logcache_assets.engine.compare.day_pair import DayPair
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import Meter
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.engine_error import EngineError
from logcache_assets.engine.explain.causes import row_columns
from logcache_assets.engine.explain.counting import FAULTY_ROWS
from logcache_assets.engine.explain.locating import locate_patterns
from logcache_assets.engine.explain.log_knowledge import LogKnowledge
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.engine.log.open_logs import LogLadder, OpenedLog, load_facts
from logcache_assets.engine.storage.schemas import column_types


def compare_days(days: DayPair, runtime: Runtime) -> dict[str, ContractFigures]:
    """Compare and explain every contract that both days have.

    Args:
        days: both days' tables, and the logs that explain them.
        runtime: where the work is done.

    Returns:
        Dataset → its figures.

    Raises:
        BadInput: the definition contradicts the schemas in the logs.
        CacheError: a cache cannot be used, and the policy is strict.
        EngineError: a log is incomplete, or a file is unreadable.
    """
    if days.logs is None:
        return {table.dataset: _compare_contract(table, days, None, runtime.driver) for table in days.tables}
    logs, meter = days.logs, Meter(runtime.progress)

    def attempt(opened: Mapping[Instance, OpenedLog]) -> dict[str, ContractFigures]:
        known = LogKnowledge(days, logs, load_facts(opened, runtime.store, runtime.driver, meter), runtime.warn)
        with _without_values(f"what the log says of {days.definition.database}"):
            known.record(runtime.driver, meter)
        return {table.dataset: _compare_contract(table, days, known, runtime.driver) for table in days.tables}

    sources = [_until_yesterday(source, logs.after_t(source.instance)) for source in logs.sources]
    return LogLadder(sources, runtime.store, policy=logs.policy, warn=runtime.warn).attempt(attempt)


@contextmanager
def _without_values(what: str) -> Iterator[None]:
    """Replace an error of polars, whose text may quote values, by one that names only its kind."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise EngineError(
            f"{what} cannot be compared: polars ended with {type(error).__name__}, whose text is not shown, as it may "
            "hold personal data. Compare the columns' types with the definition's"
        ) from None


def _until_yesterday(source: LogSource, after_t: int) -> LogSource:
    """The source with the first of its caches that ends at or before yesterday's t."""
    while source.after_t > after_t:
        source = source.without_cache()
    return source


def _compare_contract(
    table: ContractTable, days: DayPair, known: LogKnowledge | None, driver: Driver
) -> ContractFigures:
    yesterday, today = days.yesterday[table.dataset], days.today[table.dataset]
    pii = frozenset(a.column for a in table.attributes if a.pii)
    expected = known.expected(table) if known else _columns_of_yesterday(table, yesterday.schema)
    comparison = Comparison(
        yesterday=yesterday,
        today=today,
        key=table.key,
        row_columns=row_columns(table),
        token_key=days.token_key,
        recorded=known.recorded.get(table.dataset, ()) if known else (),
        scopes=known.scopes(table) if known else {},
        record_shared=(lambda keys: known.record_shared(table, keys, driver)) if known else None,
        tolerances=days.tolerances.get(table.dataset, {}),
        bucket_rows=days.bucket_rows,
        unchecked=pii if known and known.logs.pii_key is None else frozenset(),
        expected=expected,
    )
    with _without_values(table.dataset):
        compared = compare_tables(comparison, driver, driver.scratch.at(f"comparison/{table.dataset}"))
    figures = compared.figures
    unfit = {n for n, dtype in expected.items() if n in today.schema and common_type(today.schema[n], dtype) is None}
    schema = tuple(find_schema_changes(figures.yesterday, figures.today, column_types(expected), unfit=unfit))
    with _without_values(f"the origin of faulty rows of {table.dataset}"):
        located = known.locate(table, compared.faulty, driver) if known and compared.faulty is not None else {}
    complete = sum(figures.reasons.get(fault, 0) for fault in FAULTS) <= FAULTY_ROWS
    sources = days.logs.sources if days.logs else ()
    patterns = locate_patterns(figures.patterns, located, sources, complete=complete)
    return msgspec.structs.replace(figures, schema=schema, patterns=patterns, hashed=tuple(sorted(pii)))


def _columns_of_yesterday(table: ContractTable, yesterday: pl.Schema) -> pl.Schema:
    return pl.Schema({name: dtype for name, dtype in yesterday.items() if name in table.columns})


def find_schema_changes(
    yesterday: TableFigures, today: TableFigures, expected: Mapping[str, str], *, unfit: Collection[str] = ()
) -> Iterator[SchemaChange]:
    """Find the columns that changed or are not as expected.

    Args:
        yesterday: yesterday's table.
        today: today's table.
        expected: column → the type that definition and log give today.
        unfit: columns of today whose type has no value in common with the expected one.

    Returns:
        Columns that the days do not share with one type, columns that only one of today's table and the definition has,
        and the unfit ones.
    """
    for name in dict.fromkeys((*yesterday.columns, *today.columns, *expected)):
        was, is_now = yesterday.columns.get(name), today.columns.get(name)
        if was != is_now or (is_now is None) == (name in expected) or name in unfit:
            yield SchemaChange(column=name, was=was, is_now=is_now, expected=expected.get(name))
