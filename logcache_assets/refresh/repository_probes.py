"""The doctor's probes of an itaipu repository on a host that has rights and rules."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from logcache_assets.domain.health import Finding
from logcache_assets.domain.repository_health import (
    RepositoryRights,
    judge_required_status,
    judge_reviewers,
    judge_rights,
)
from logcache_assets.refresh.doctor import Probe

_SYSTEM = "itaipu repository"


class RepositoryFacts(Protocol):
    """What the host says of the repository."""

    def rights(self) -> RepositoryRights:
        """What we may do there."""

    def required_statuses(self) -> frozenset[str]:
        """The statuses that a commit needs before it is merged into the base branch."""

    def unknown_reviewers(self, logins: Iterable[str]) -> tuple[str, ...]:
        """Those who cannot be asked for a review."""

    def try_writing(self) -> None:
        """Write what nobody sees."""


def repository_probes(facts: RepositoryFacts, *, base: str, reviewers: Sequence[str], write: bool) -> Iterator[Probe]:
    """Rights, the rule that requires our status, reviewers if there are any, and a write if that is asked for."""
    yield Probe(system=_SYSTEM, check="rights", ask=lambda: judge_rights(facts.rights()))
    yield Probe(
        system=_SYSTEM,
        check="required status",
        ask=lambda: judge_required_status(facts.required_statuses(), base=base),
    )
    if reviewers:
        yield Probe(
            system=_SYSTEM,
            check="reviewers",
            ask=lambda: judge_reviewers(reviewers, facts.unknown_reviewers(reviewers)),
        )
    if write:
        yield Probe(system=_SYSTEM, check="written", ask=lambda: _written(facts))


def _written(facts: RepositoryFacts) -> Finding:
    facts.try_writing()
    return Finding(found="the content of an empty file, which no commit names")
