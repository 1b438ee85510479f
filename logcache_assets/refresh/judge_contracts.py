"""Step 6: judge every contract of the test run against yesterday's, and list them all in one inventory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.documents import Binding, ContractInventory, ContractOutcome, InstanceSpan, LeftOut
from logcache_assets.domain.instances import is_instance_of
from logcache_assets.domain.names import is_contract_of
from logcache_assets.domain.outcomes import unusable_outcome
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules import RULE_NAMES, required_rules
from logcache_assets.domain.rules.results import applied_allowances
from logcache_assets.domain.verdict_reasons import find_idle_settings
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import OnProgress
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.ports import ObjectStore, Tell
from logcache_assets.refresh.contract_evidence import Evidence
from logcache_assets.refresh.document_store import Documents
from logcache_assets.refresh.judge_database import Case, Counted, count_database, judge_counted


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDatabase:
    """The contracts of one database with the results of every rule."""

    definition: DatabaseDefinition
    """The definition at the candidate's commit."""
    outcomes: Mapping[str, ContractOutcome]
    """Dataset → outcome."""
    spans: tuple[InstanceSpan, ...]
    """The part of each instance's log between both days."""

    @property
    def refused(self) -> int:
        """Number of contracts that a rule blocks."""
        return sum(not outcome.passed for outcome in self.outcomes.values())


Count = Callable[[Case], Counted]
"""Compares both days of a database: here, or in a run of the notebook (comparison_run.py)."""


def counted_by(driver: Driver, *, store: ObjectStore, warn: Tell, progress: OnProgress) -> Count:
    """Compare on a driver of this process."""
    return partial(count_database, at=Runtime(store=store, driver=driver, warn=warn, progress=progress))


def judge_contracts(evidence: Evidence, database: str, *, count: Count) -> JudgedDatabase:
    """Judge every contract of a database.

    Args:
        evidence: of the refresh.
        database: its name.
        count: compares tables and recomputes contracts.

    Raises:
        LogCacheError: the definition or the rules at the candidate's commit cannot be read. A contract that cannot be
            judged raises nothing: its outcome gives the reason.
    """
    definition = evidence.definition_of(database)
    case = evidence.case_of(definition)
    outcomes = judge_counted(case, count(case))
    return JudgedDatabase(
        definition=definition,
        outcomes={outcome.dataset: outcome for outcome in outcomes},
        spans=tuple(evidence.spans_of(case)),
    )


def find_judged(evidence: Evidence, database: str) -> JudgedDatabase | None:
    """The stored judgement of a database whose contracts were computed for an earlier candidate, if it still holds.

    It holds if the same tables were judged by the same rules, and passed: the candidate's evidence is carried only if
    entries and definitions are the same.
    """
    if evidence.candidate.carried is None:
        return None
    name = {"transaction": evidence.night.transaction, "selection": evidence.candidate.selection}
    stored = Documents(evidence.store).find(evidence.settings.locations.inventory(**name), ContractInventory)
    if stored is None or stored.binding is None or stored.rules_sha256 != evidence.rules.sha256:
        return None
    judged = stored.binding.test_transaction, stored.binding.yesterday_transaction
    outcomes = {o.dataset: o for o in stored.outcomes if is_contract_of(o.dataset, database)}
    if judged != (evidence.run.transaction, evidence.night.transaction) or not outcomes:
        return None
    definition = evidence.definition_of(database)
    if not all(_passed_all(outcomes.get(t.dataset), t, definition, evidence) for t in contract_tables(definition)):
        return None
    spans = tuple(span for span in stored.spans if is_instance_of(span.instance, database))
    return JudgedDatabase(definition=definition, outcomes=outcomes, spans=spans)


def _passed_all(
    outcome: ContractOutcome | None, table: ContractTable, definition: DatabaseDefinition, evidence: Evidence
) -> bool:
    """True if every rule that the settings of today require ran and passed."""
    ran = {result.rule for result in outcome.results} if outcome and outcome.passed else set()
    return ran >= set(required_rules(table, definition, evidence.settings.same_t))


def undeclared_outcome(table: ContractTable, evidence: Evidence) -> ContractOutcome:
    """The outcome of a contract that the catalog has and the candidate's commit does not declare."""
    reason = coded(f"the definitions at {evidence.candidate.version} do not declare it", "C24")
    return unusable_outcome(table.dataset, f"{reason}; run `logcache catalog pull`", rules=RULE_NAMES)


def left_out_outcome(table: ContractTable, left: LeftOut) -> ContractOutcome:
    """The outcome of a contract whose database the refresh leaves out."""
    return unusable_outcome(table.dataset, str(left), rules=RULE_NAMES)


def make_inventory(
    evidence: Evidence, judged: Sequence[JudgedDatabase], *, others: Sequence[DatabaseDefinition]
) -> ContractInventory:
    """List every judged contract, bound to the candidate and to both runs.

    Args:
        evidence: of the refresh.
        judged: every database of the candidate.
        others: definitions of the databases that are not refreshed, which the file of rules may name too.
    """
    strictness = evidence.rules.strictness
    outcomes = tuple(outcome for database in judged for outcome in database.outcomes.values())
    definitions = [*(database.definition for database in judged), *others]
    return ContractInventory(
        binding=Binding(
            candidate_sha=evidence.run.candidate_sha,
            map_sha256=evidence.run.map_sha256,
            test_transaction=evidence.run.transaction,
            yesterday_transaction=evidence.night.transaction,
        ),
        spans=tuple(span for database in judged for span in database.spans),
        outcomes=outcomes,
        allowances=applied_allowances(strictness, {o.dataset: o.results for o in outcomes}),
        rules_sha256=evidence.rules.sha256,
        warnings=find_idle_settings(strictness, evidence.settings.same_t, definitions),
    )
