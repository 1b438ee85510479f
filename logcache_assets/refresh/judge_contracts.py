"""Step 6: judge every contract of the test run against yesterday's, and list them all in one inventory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.documents import Binding, ContractInventory, ContractOutcome, InstanceSpan
from logcache_assets.domain.outcomes import unusable_outcome
from logcache_assets.domain.problems import coded
from logcache_assets.domain.rules import RULE_NAMES
from logcache_assets.domain.rules.results import applied_allowances
from logcache_assets.domain.verdict_reasons import find_idle_settings
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.progress import OnProgress
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.ports import Tell
from logcache_assets.refresh.contract_evidence import Evidence
from logcache_assets.refresh.judge_database import judge_database


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


def judge_contracts(
    evidence: Evidence, database: str, *, driver: Driver, warn: Tell, progress: OnProgress
) -> JudgedDatabase:
    """Judge every contract of a database; the driver compares tables and recomputes contracts.

    Raises:
        LogCacheError: the definition or the rules at the candidate's commit cannot be read. A contract that cannot be
            judged raises nothing: its outcome gives the reason.
    """
    definition = evidence.definition_of(database)
    case = evidence.case_of(definition)
    runtime = Runtime(store=evidence.store, driver=driver, warn=warn, progress=progress)
    outcomes = judge_database(case, runtime)
    return JudgedDatabase(
        definition=definition,
        outcomes={outcome.dataset: outcome for outcome in outcomes},
        spans=tuple(evidence.spans_of(case)),
    )


def undeclared_outcome(table: ContractTable, evidence: Evidence) -> ContractOutcome:
    """The outcome of a contract that the catalog has and the candidate's commit does not declare."""
    reason = coded(f"the definitions at {evidence.candidate.version} do not declare it", "C24")
    return unusable_outcome(table.dataset, f"{reason}; run `logcache catalog pull`", rules=RULE_NAMES)


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
