"""`logcache validate`: compares two days of contracts in folders, as a refresh does, outside Dagster.

This module reads and writes the command's files; refresh/judge_database.py judges the contracts.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.scratch import DriverName, open_driver
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.catalog import Catalog, load_catalog, select_databases
from logcache_assets.cli.contract_folders import open_folders, places_of
from logcache_assets.cli.input_files import open_index, open_root, read_map, read_text, read_until
from logcache_assets.cli.output import show_progress, table
from logcache_assets.cli.output_files import write_files
from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.domain.documents import (
    ContractInventory,
    ContractOutcome,
    InstanceSpan,
    Verdict,
    render_document,
)
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.log_cache_map import LogCacheMap, entry_of
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules.results import RuleName, applied_allowances
from logcache_assets.domain.rules.settings_file import parse_strictness
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Strictness
from logcache_assets.domain.same_t_selection import NO_SAME_T
from logcache_assets.domain.segments import find_reextractions
from logcache_assets.domain.verdict import decide_alone
from logcache_assets.domain.verdict_reasons import find_idle_settings
from logcache_assets.engine.compare.day_pair import Logs
from logcache_assets.engine.drivers.progress import Progress
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.log.ask_each import ask_each
from logcache_assets.engine.log.log_op import LogSource
from logcache_assets.errors import BadInput, WrongUsage
from logcache_assets.ports import ObjectStore, SegmentIndex, Tell
from logcache_assets.refresh.judge_database import Case, judge_database
from logcache_assets.report import render_report
from logcache_assets.report.summary import is_compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that the command reads, by argument and option."""

    yesterday: Path | str
    today: Path | str
    definitions: Path
    root: Path | str | None
    index: Path | SegmentTable | None
    after: Path | None
    until: Path | None
    log_map: Path | None
    rules: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFiles:
    """The segments, caches and cut-offs of both days, from the command's files."""

    store: ObjectStore
    index: SegmentIndex
    after: Mapping[str, int]
    until: Mapping[str, int]
    entries: LogCacheMap

    def span_of(self, instance: Instance) -> InstanceSpan:
        """The part of an instance's log between both days; raises BadInput if an option names an impossible t."""
        if instance.name not in self.after:
            raise BadInput(f"--after has no t of {instance.name}; add yesterday's t, or 0 if it had no log")
        after_t, ends_at = self.after[instance.name], self.index.newest_t(instance)
        until_t = self.until.get(instance.name, ends_at)
        for option, t in (("--after", after_t), ("--until", until_t)):
            if t > ends_at:
                raise BadInput(
                    f"{instance.name}: {option} is {t}, but --index ends at {ends_at}; give the index that the run read"
                )
        if until_t < after_t:
            raise BadInput(
                f"{instance.name}: today's t {until_t} is before yesterday's, {after_t}; correct --after or --until"
            )
        return InstanceSpan(instance=instance.name, yesterday_t=after_t, today_t=until_t)

    def source_of(self, instance: Instance, *, until_t: int) -> LogSource:
        """The log of an instance up to a t."""
        return LogSource(
            instance=instance,
            index=self.index,
            cache=entry_of(self.entries, instance),
            until_t=until_t,
        )

    def _is_reextracted(self, instance: Instance) -> bool:
        """True if some of the log up to yesterday's t was extracted again."""
        return bool(find_reextractions(self.index.segments(instance), until_t=self.after[instance.name]))

    def logs_of(self, definition: DatabaseDefinition, pii_key: bytes | None) -> Logs:
        """The logs that explain the differences of a database."""
        spans = ask_each(definition.instances, self.span_of)
        after = {instance: span.yesterday_t for instance, span in spans.items()}
        return Logs(
            sources=tuple(self.source_of(instance, until_t=span.today_t) for instance, span in spans.items()),
            after=after,
            reextracted=frozenset(i for i, again in ask_each(after, self._is_reextracted).items() if again),
            pii_key=pii_key,
        )


def run(  # noqa: PLR0913 - one parameter per option of the command
    inputs: Inputs,
    *,
    out: Path | None,
    databases: tuple[str, ...],
    driver: DriverName,
    pii_key: bytes | None,
    tell: Tell,
) -> Verdict:
    """Judge the contracts of these databases (of all if none is named), and write verdict and report to out.

    Raises:
        WrongUsage: a database has no definition, or only some of the options that describe the log are given.
        LogCacheError: input is malformed; nothing was written.
    """
    now = SystemClock().now()
    catalog = load_catalog(inputs.definitions)
    definitions = select_databases(catalog, databases)
    strictness, digest = _read_rules(inputs.rules)
    logs = _read_logs(inputs, catalog)
    outcomes: list[ContractOutcome] = []
    required: dict[str, tuple[RuleName, ...]] = {}
    tables = open_folders({"YESTERDAY": inputs.yesterday, "TODAY": inputs.today})
    for definition in definitions:
        case = Case(
            definition=definition,
            yesterday=places_of(definition, inputs.yesterday, tables),
            today=places_of(definition, inputs.today, tables),
            tables=tables,
            logs=logs.logs_of(definition, pii_key) if logs else None,
            token_key=pii_key or secrets.token_bytes(32),
            strictness=strictness,
        )
        required |= {t.dataset: case.required(t) for t in contract_tables(definition)}
        outcomes += _judge(case, logs, driver, tell)
    inventory = ContractInventory(
        binding=None,
        spans=tuple(logs.span_of(i) for d in definitions for i in d.instances) if logs else (),
        outcomes=tuple(outcomes),
        allowances=applied_allowances(strictness, {o.dataset: o.results for o in outcomes}),
        rules_sha256=digest,
        warnings=(
            *_unverified(log_given=logs is not None, key_given=pii_key is not None),
            *find_idle_settings(strictness, NO_SAME_T, catalog, rules_path=str(inputs.rules)),
        ),
    )
    verdict = decide_alone(tuple(d.database for d in definitions), inventory, required=required, now=now)
    if out is not None:
        _write(verdict, out)
        tell(f"Report: {(out / 'report.html').absolute().as_uri()}")
    return verdict


def _unverified(*, log_given: bool, key_given: bool) -> Iterator[Problem]:
    """Warnings about checks that were skipped because the log or the key was not given."""
    if not log_given:
        yield Problem(found=("no log was given: whether today's tables show all that changed was not checked",))
    if not key_given:
        text = "LOGCACHE_PII_KEY is not set: what a new value of personal data hashes to was not verified"
        yield Problem(found=(text, "tokens are of this run alone"))


def _judge(case: Case, logs: LogFiles | None, driver: DriverName, tell: Tell) -> tuple[ContractOutcome, ...]:
    name = case.definition.database
    with open_driver(driver) as running:
        at = Runtime(
            store=logs.store if logs else case.tables, driver=running, warn=tell, progress=partial(_show, name)
        )
        return judge_database(case, at)


def _show(database: str, progress: Progress) -> None:
    show_progress(f"{database}: {progress}")


def _read_rules(file: Path | None) -> tuple[Strictness, str]:
    """The rules and their digest."""
    if file is None:
        return DEFAULT_STRICTNESS, ""
    text = read_text(file)
    strictness = parse_strictness(text, where=str(file), today=SystemClock().now().date())
    return strictness, hashlib.sha256(text.encode()).hexdigest()


def _read_logs(inputs: Inputs, catalog: Catalog) -> LogFiles | None:
    """Open the logs, if they are given; raises WrongUsage if only some of their options are."""
    options = {"--root": inputs.root, "--index": inputs.index, "--after": inputs.after}
    if inputs.root is None or inputs.index is None or inputs.after is None:
        missing = [name for name, value in options.items() if value is None]
        if len(missing) < len(options) or inputs.until or inputs.log_map:
            raise WrongUsage(f"the log needs --root, --index and --after; {missing[0]} is missing")
        return None
    entries = read_map(inputs.log_map)
    declared = [instance for definition in catalog for instance in definition.instances]
    given = open_index(inputs.index, declared=declared, entries=entries)
    known = {*given.instances, *declared}
    return LogFiles(
        store=open_root(inputs.root),
        index=given.index,
        after=read_until(inputs.after, known),
        until=read_until(inputs.until, known),
        entries=entries,
    )


def _write(verdict: Verdict, out: Path) -> None:
    files = {
        "verdict.json": render_document(verdict),
        "report.html": render_report(verdict, template="report.html"),
        "report.md": render_report(verdict, template="report.md"),
    }
    write_files(files, out)


def document(verdict: Verdict) -> str:
    """The verdict's JSON document, the same as verdict.json in `--out`."""
    return render_document(verdict).removesuffix("\n")


def render(verdict: Verdict) -> Iterator[str]:
    """One line per contract, then the verdict with its reasons and warnings."""
    yield from table(
        ("contract", "rows", "yesterday", "differing", "unexplained", "missed", ""),
        [_row(contract) for contract in verdict.contracts],
    )
    yield ""
    yield f"Verdict: {'approved' if verdict.approved else 'refused'}"
    yield from (f"  {reason}" for reason in verdict.reasons)
    yield from (f"  warning: {warning}" for warning in verdict.warnings)


def _row(contract: ContractOutcome) -> tuple[object, ...]:
    numbers: dict[str, int | float] = {}
    for result in contract.results if is_compared(contract) else ():
        numbers |= result.figures
    counts = tuple(numbers.get(name) for name in ("differing_rows", "unexplained_rows", "missed_rows"))
    return contract.dataset, contract.rows, contract.yesterday_rows, *counts, "" if contract.passed else "refused"
