"""The file of validation rules in the itaipu repository, beside the contract definitions; git is its audit trail."""

import hashlib
from dataclasses import dataclass

from logcache_assets.domain.rules import NO_RULES, RULES_PATH, Rules, parse_rules
from logcache_assets.ports import Clock, ItaipuRepository, PathNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRules:
    """The rules of one commit."""

    rules: Rules
    sha256: str
    """Of the file; empty without one."""


def read_rules(repository: ItaipuRepository, clock: Clock, *, sha: str) -> PinnedRules:
    """The rules at a commit, the defaults without a file; raises BadInput for a malformed or expired one."""
    try:
        text = repository.read(RULES_PATH, ref=sha)
    except PathNotFoundError:
        return PinnedRules(rules=NO_RULES, sha256="")
    rules = parse_rules(text, where=f"{RULES_PATH} at {sha[:8]}", today=clock.now().date())
    return PinnedRules(rules=rules, sha256=hashlib.sha256(text.encode()).hexdigest())
