"""Judges every contract of a database against yesterday's, for the Dagster step and the command line.

Reads tables and logs through the engine, and hands the figures to domain/rules/. A contract whose data cannot be read
or explained fails with the cause: a check that did not run is a refusal. An outage judges nothing and is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec
from msgspec.structs import replace as with_fields

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.documents import ContractOutcome
from logcache_assets.domain.figures import ContractFigures, SameT
from logcache_assets.domain.known_names import KnownNames
from logcache_assets.domain.outcomes import judged_outcome, unusable_outcome
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules import judge_contract, required_rules
from logcache_assets.domain.rules.differences import DifferenceSettings
from logcache_assets.domain.rules.results import RuleName
from logcache_assets.domain.rules.rule import History
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Strictness
from logcache_assets.domain.same_t_selection import NO_SAME_T, SameTSelection
from logcache_assets.engine.compare.compare_days import compare_days
from logcache_assets.engine.compare.contract_files import Table, empty_table, open_table
from logcache_assets.engine.compare.day_pair import DayPair, Logs
from logcache_assets.engine.compare.same_t import compare_same_t
from logcache_assets.engine.compare.tokens import name_token
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.errors import Refused, WrongData
from logcache_assets.ports import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A dataset without a table."""

    reason: str
    """Why there is no table, for a person."""
    state: str = "absent"
    """State of the dataset in its run: `aborted`, `uncommitted` or `absent`."""


Place = str | Absent
"""URI of the folder that holds a dataset's files, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One database to judge: both days' tables, the logs between them, settings and history."""

    definition: DatabaseDefinition
    yesterday: Mapping[str, Place]
    """By dataset."""
    today: Mapping[str, Place]
    """By dataset."""
    tables: ObjectStore
    """The store that holds the tables of both days."""
    logs: Logs | None
    """The logs that explain differences; None only outside a refresh."""
    token_key: bytes
    """Key of the tokens that name rows in reports."""
    same_t: SameTSelection = NO_SAME_T
    caches: tuple[LogSource, ...] = ()
    """The candidate's caches up to yesterday's t, from which yesterday is recomputed."""
    strictness: Strictness = DEFAULT_STRICTNESS
    history: Mapping[str, History] = field(default_factory=dict)
    """Dataset → figures in earlier refreshes; empty outside a refresh."""

    def required(self, table: ContractTable) -> tuple[RuleName, ...]:
        """The rules that a contract must pass."""
        return required_rules(table, self.definition, self.same_t, log_given=self.logs is not None)

    def is_new(self, table: ContractTable) -> bool:
        """True if yesterday's definition had no such dataset, or one with another key; False if that is not known."""
        former = self.logs.former if self.logs else None
        keys = {former_table.dataset: former_table.key for former_table in contract_tables(former)} if former else {}
        return former is not None and keys.get(table.dataset) != table.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted of a database: all that reads tables and logs, which may be done on another machine."""

    figures: Mapping[str, ContractFigures]
    """By dataset."""
    problems: Mapping[str, str]
    """Dataset → why its tables could not be opened."""
    failure: str = ""
    """Why nothing could be compared; empty if something was."""


def judge_database(case: Case, at: Runtime) -> tuple[ContractOutcome, ...]:
    """Judge every contract of a database by every required rule, in the order of the definition.

    Raises:
        Unavailable: an outside system could not answer, so nothing was judged.
    """
    return judge_counted(case, count_database(case, at))


def count_database(case: Case, at: Runtime) -> Counted:
    """Compare both days of every contract and explain what differs.

    Raises:
        Unavailable: an outside system could not answer, so nothing is known.
    """
    opened = _OpenedTables(case)
    figures, failure = _count(case, opened, at)
    return Counted(figures=figures, problems=opened.problems, failure=failure)


def judge_counted(case: Case, counted: Counted) -> tuple[ContractOutcome, ...]:
    """Judge every contract by every required rule, in the order of the definition; reads nothing."""
    return tuple(
        _outcome_of(
            table, case, counted.figures.get(table.dataset), counted.problems.get(table.dataset) or counted.failure
        )
        for table in contract_tables(case.definition)
    )


def _outcome_of(table: ContractTable, case: Case, figures: ContractFigures | None, failure: str) -> ContractOutcome:
    """The outcome of one contract; `failure` says why it has no figures."""
    name, required = table.dataset, case.required(table)
    place = case.today.get(name, Absent(reason="it is not there today"))
    if figures is not None and isinstance(place, str):
        history = case.history.get(name, ())
        results = judge_contract(name, figures, case.strictness, required=required, history=history)
        return judged_outcome(name, uri=place, figures=figures, results=results)
    reason = failure or coded("it was not compared", "C29")
    if isinstance(place, str):
        return unusable_outcome(name, reason, rules=required, state="committed", uri=place)
    return unusable_outcome(name, reason, rules=required, state=place.state)


class _OpenedTables:
    """The tables of both days that could be opened, and why the others could not."""

    def __init__(self, case: Case) -> None:
        self.today: dict[str, Table] = {}
        self.yesterday: dict[str, Table] = {}
        self.new: set[str] = set()
        """Datasets that yesterday did not have, so that every row is new."""
        self.problems: dict[str, str] = {}
        """Dataset → why it could not be opened."""
        for table in contract_tables(case.definition):
            try:
                self._open(table, case)
            except WrongData as error:
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


def _count(case: Case, opened: _OpenedTables, at: Runtime) -> tuple[dict[str, ContractFigures], str]:
    """Compare both days; returns figures by dataset, and why there are none if the whole comparison failed."""
    days = DayPair(
        definition=case.definition,
        yesterday=opened.yesterday,
        today=opened.today,
        logs=case.logs,
        token_key=case.token_key,
        tolerances={t.dataset: tolerances_of(t, case) for t in contract_tables(case.definition)},
        new_datasets=frozenset(opened.new),
    )
    try:
        figures = compare_days(days, at)
    except WrongData as error:
        return {}, f"it could not be explained: {error}"
    try:
        again, problem = _recompute_yesterday(case, opened, at), ""
    except WrongData as error:
        again, problem = {}, str(error)
        at.warn(f"WARNING: {case.definition.database} could not be recomputed at yesterday's t: {error}")
    # Yesterday had no rows of a new contract, so nothing can differ from them.
    again |= dict.fromkeys(opened.new, SameT(prototypes=(), rows=0, differing=0))
    added = {name: with_fields(f, same_t=again.get(name), same_t_failure=problem) for name, f in figures.items()}
    return {name: _known_names(name, case).shown(f) for name, f in added.items()}, ""


def _known_names(dataset: str, case: Case) -> KnownNames:
    """The names that either day's definition gives to a contract's columns."""
    definitions = [case.definition, *([case.logs.former] if case.logs and case.logs.former else [])]
    tables = [table for definition in definitions for table in contract_tables(definition)]
    columns = [column for table in tables if table.dataset == dataset for column in table.columns]
    return KnownNames(columns, partial(name_token, case.token_key))


def tolerances_of(table: ContractTable, case: Case) -> dict[str, float]:
    """Columns whose floating point values may differ a little, and by how much."""
    settings = {name: case.strictness.settings_of(DifferenceSettings, table.dataset, name) for name in table.columns}
    return {name: found.tolerance for name, found in settings.items() if found.tolerance}


def _recompute_yesterday(case: Case, opened: _OpenedTables, at: Runtime) -> dict[str, SameT]:
    """Compare yesterday's tables with tables recomputed from the candidate's caches for yesterday's definition and t.

    Raises:
        WrongData: a cache or table cannot be read.
    """
    definition = case.logs.former if case.logs and case.logs.former else case.definition
    cached = {source.instance.prototype for source in case.caches}
    prototypes = tuple(prototype for prototype in case.same_t.of(definition) if prototype in cached)
    wanted = {
        table.dataset: opened.yesterday[table.dataset]
        for table in contract_tables(definition)
        if table.dataset in opened.yesterday.keys() - opened.new and case.same_t.selects(table.dataset, definition)
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
