"""The interface of a rule: name, sentence, settings, findings, and how it judges figures.

A new rule is one module in this folder that subclasses `Rule`, and one line in the registry, `__init__.py`. Checks,
report, the required rules and the keys of validation.yaml follow from it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.figures import ContractFigures, Fault
from logcache_assets.domain.rules.results import RuleResult
from logcache_assets.domain.rules.strictness import Settings, Strictness
from logcache_assets.domain.same_t_selection import SameTSelection

History = Sequence[ContractFigures]
"""Figures of one contract in earlier refreshes that it passed, one per refresh, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A kind of problem that a rule finds and an allowance can excuse."""

    name: str
    of_columns: bool
    """True if a single column can have it; False if it concerns the whole contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A contract to be judged, and what is available to judge it by."""

    table: ContractTable
    definition: DatabaseDefinition
    same_t: SameTSelection
    log_given: bool
    """True if the log between both days can be read, which a refresh always can."""


class Rule(ABC):
    """One validation rule."""

    name: ClassVar[str]
    """Name in verdicts, of the asset check, and in the runbook."""
    sentence: ClassVar[str]
    """What is true of a contract that passes; Dagit shows it."""
    remedy: ClassVar[str]
    """What to do about a contract that does not pass, in a clause."""
    settings: ClassVar[type[Settings]] = Settings
    """Class of its keys in validation.yaml, with defaults. Rules may share one."""
    findings: ClassVar[tuple[Finding, ...]] = ()
    """Kinds of problems that an allowance can excuse."""
    fault: ClassVar[Fault | None] = None
    """The fault of rows that it judges; None if it judges none."""
    always_required: ClassVar[bool] = True
    """True if every contract of a refresh must pass it; otherwise `is_required` decides for each contract."""
    needs_log: ClassVar[bool] = False
    """True if it cannot be judged without a log, and is not required then."""

    def is_required(self, subject: Subject) -> bool:
        """True if this contract must pass the rule."""
        return subject.log_given or not self.needs_log

    @abstractmethod
    def judge(
        self, contract: str, figures: ContractFigures, strictness: Strictness, history: History = ()
    ) -> RuleResult:
        """Judge the figures of one contract.

        Args:
            contract: its dataset.
            figures: what was counted of yesterday's and today's table.
            strictness: settings and allowances.
            history: its figures in earlier refreshes.
        """
