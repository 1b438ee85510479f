"""What every rule declares: name, sentence, settings, findings, and how it judges figures.

A new rule is one module in this folder that subclasses `Rule`, and one line in the registry, `__init__.py`. Checks,
report, the required rules and the keys of validation.yaml follow from it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from logcache_assets.domain.definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.figures import ContractFigures, Fault
from logcache_assets.domain.rules.results import RuleResult
from logcache_assets.domain.rules.strictness import Settings, Strictness
from logcache_assets.domain.same_t_selection import SameTSelection

History = Sequence[ContractFigures]
"""Figures of one contract in earlier refreshes that it passed, one per refresh, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a rule may find and an allowance can excuse."""

    name: str
    of_columns: bool
    """Whether single columns may have it; otherwise it is of a whole contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A contract that is about to be judged, and what it can be judged by."""

    table: ContractTable
    definition: DatabaseDefinition
    same_t: SameTSelection
    log_given: bool
    """Whether the log between both days can be read; always in a refresh."""


class Rule(ABC):
    """One validation rule."""

    name: ClassVar[str]
    """In verdicts, as the name of the asset check, and in the runbook."""
    sentence: ClassVar[str]
    """What is true of a contract that passes; Dagit shows it."""
    settings: ClassVar[type[Settings]] = Settings
    """Its keys in validation.yaml, with defaults. Rules may share them."""
    findings: ClassVar[tuple[Finding, ...]] = ()
    """What an allowance can excuse of it."""
    fault: ClassVar[Fault | None] = None
    """The fault of rows that it judges, if it judges one."""
    always_required: ClassVar[bool] = True
    """Whether every contract of a refresh must pass it; otherwise `is_required` decides by contract."""
    needs_log: ClassVar[bool] = False
    """Whether it cannot be judged, and is not required, without a log."""

    def is_required(self, subject: Subject) -> bool:
        """Whether this contract must pass the rule."""
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
