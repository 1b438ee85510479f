"""What every requirement of the gate has in common.

To add a requirement, write a module with a subclass, list it in `REQUIREMENTS`, and give its refusal a heading in
docs/runbook.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from logcache_assets.domain.gate.state import GateState
from logcache_assets.domain.problems import Code, Problem


class Requirement(ABC):
    """One thing that must hold before a candidate is published."""

    name: ClassVar[str]
    """A fact that is true when the requirement is met, for example `base_unmoved`."""
    code: ClassVar[Code]
    """Code of the requirement's own problems; problems that were found elsewhere keep theirs."""
    sentence: ClassVar[str]
    """What must hold, for a person."""
    is_passing: ClassVar[bool] = False
    """True if waiting is enough for it to be met, for example until the publish window opens."""

    @abstractmethod
    def find_problems(self, state: GateState) -> Iterator[Problem]:
        """Every reason not to publish; yields nothing if the requirement is met."""

    def problem(self, found: str, *, remedy: str) -> Problem:
        """Return a problem with this requirement's code."""
        return Problem(code=self.code, found=(found,), remedy=remedy)
