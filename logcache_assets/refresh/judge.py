"""Judges every contract of a database against yesterday's, for the Dagster step and the command line alike.

Reads tables and logs through the engine, and hands the figures to domain/validation.py. What cannot be read or
explained fails the contract with its cause: a check that did not run is a refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace as with_fields

from logcache_assets.domain.definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.figures import ContractFigures, SameT
from logcache_assets.domain.judges import judge_contract
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules import Rules
from logcache_assets.domain.validation import NO_SAME_T, RuleName, SameTSelection, judge_unusable, required_rules
from logcache_assets.engine.compare.compare_days import compare_days
from logcache_assets.engine.compare.contract_files import Table, empty_table, open_table
from logcache_assets.engine.compare.day_pair import DayPair, Logs
from logcache_assets.engine.compare.same_t import compare_same_t
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.errors import LogCacheError, Refused
from logcache_assets.ports import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A dataset that has no table to look at."""

    reason: str
    state: str = "absent"


Place = str | Absent
"""The folder of a dataset's files, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that is judged of one database."""

    definition: DatabaseDefinition
    yesterday: Mapping[str, Place]
    today: Mapping[str, Place]
    tables: ObjectStore
    """Where these places are."""
    logs: Logs | None
    token_key: bytes
    same_t: SameTSelection = NO_SAME_T
    caches: tuple[LogSource, ...] = ()
    """Until yesterday's t, from the candidate's caches: what is recomputed."""
    rules: Rules = field(default_factory=Rules)

    def required(self, table: ContractTable) -> tuple[RuleName, ...]:
        """The rules that a contract must pass."""
        return required_rules(table, self.definition, self.same_t, log_given=self.logs is not None)

    def is_new(self, table: ContractTable) -> bool:
        """Whether yesterday's definition, where it is known, declared no such dataset, or one with another key."""
        former = self.logs.former if self.logs else None
        keys = {former_table.dataset: former_table.key for former_table in contract_tables(former)} if former else {}
        return former is not None and keys.get(table.dataset) != table.key


def judge_database(case: Case, at: Runtime) -> tuple[ContractOutcome, ...]:
    """What every rule says of every contract of a database, in the order of the definition."""
    tables, opened = contract_tables(case.definition), _Opened(case)
    figures, failure = _figures(case, opened, at)
    outcomes = []
    for table in tables:
        reason = opened.problems.get(table.dataset) or (None if table.dataset in figures else failure)
        found = figures.get(table.dataset)
        rules = case.required(table)
        if found is None:
            results = judge_unusable(reason or coded("it was not compared", "C29"), rules=rules)
        else:
            results = judge_contract(table.dataset, found, case.rules, required=rules)
        place = case.today.get(table.dataset)
        outcomes.append(
            ContractOutcome(
                dataset=table.dataset,
                state="committed" if isinstance(place, str) else place.state if place else "absent",
                uri=place if isinstance(place, str) else None,
                rows=found.today.rows if found else None,
                yesterday_rows=found.yesterday.rows if found else None,
                results=results,
                figures=found,
            )
        )
    return tuple(outcomes)


class _Opened:
    """The tables of both days that could be opened, and why others could not."""

    def __init__(self, case: Case) -> None:
        self.today: dict[str, Table] = {}
        self.yesterday: dict[str, Table] = {}
        self.new: set[str] = set()
        self.problems: dict[str, str] = {}
        for table in contract_tables(case.definition):
            try:
                self._open(table, case)
            except LogCacheError as error:
                self.problems[table.dataset] = str(error)

    def _open(self, table: ContractTable, case: Case) -> None:
        name, store = table.dataset, case.tables
        today = open_table(_folder(case.today, name, "today"), store, key=table.key)
        if case.is_new(table):
            self.new.add(name)
            yesterday = empty_table(today)
        else:
            yesterday = open_table(_folder(case.yesterday, name, "yesterday"), store, key=table.key)
        self.today[name], self.yesterday[name] = today, yesterday


def _folder(places: Mapping[str, Place], name: str, day: str) -> str:
    place = places.get(name, Absent(reason=f"it is not there {day}"))
    if isinstance(place, Absent):
        raise Refused(place.reason)
    return place


def _figures(case: Case, opened: _Opened, at: Runtime) -> tuple[dict[str, ContractFigures], str]:
    """Figures of what could be compared, and why the rest could not."""
    days = DayPair(
        definition=case.definition,
        yesterday=opened.yesterday,
        today=opened.today,
        logs=case.logs,
        token_key=case.token_key,
        tolerances={t.dataset: _tolerances(t, case.rules) for t in contract_tables(case.definition)},
        new_datasets=frozenset(opened.new),
    )
    try:
        figures = compare_days(days, at)
    except LogCacheError as error:
        return {}, f"it could not be explained: {error}"
    try:
        again, problem = _same_t(case, opened, at), ""
    except LogCacheError as error:
        again, problem = {}, str(error)
        at.warn(f"WARNING: {case.definition.database} could not be recomputed at yesterday's t: {error}")
    # Yesterday had no rows of a new contract, so nothing can differ from them.
    again |= dict.fromkeys(opened.new, SameT(prototypes=(), rows=0, differing=0))
    added = {name: with_fields(f, same_t=again.get(name), same_t_failure=problem) for name, f in figures.items()}
    return added, ""


def _tolerances(table: ContractTable, rules: Rules) -> dict[str, float]:
    found = {name: rules.settings_of(table.dataset, name).tolerance for name in table.columns}
    return {name: tolerance for name, tolerance in found.items() if tolerance}


def _same_t(case: Case, opened: _Opened, at: Runtime) -> dict[str, SameT]:
    """Yesterday recomputed with yesterday's definition; raises LogCacheError."""
    definition = case.logs.former if case.logs and case.logs.former else case.definition
    cached = {source.instance.prototype for source in case.caches}
    prototypes = tuple(prototype for prototype in case.same_t.of(definition) if prototype in cached)
    wanted = {
        table.dataset: opened.yesterday[table.dataset]
        for table in contract_tables(definition)
        if table.dataset in opened.yesterday.keys() - opened.new and fnmatchcase(table.dataset, case.same_t.contracts)
    }
    if not wanted or not prototypes:
        return {}
    build = ContractBuild(
        definition=msgspec.structs.replace(definition, prototypes=prototypes),
        sources=tuple(source for source in case.caches if source.instance.prototype in prototypes),
        pii_key=case.logs.pii_key or b"" if case.logs else b"",
        policy=CachePolicy.STRICT,
    )
    return compare_same_t(build, wanted, token_key=case.token_key, runtime=at)
