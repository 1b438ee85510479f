"""Reads the file of validation rules at a commit of the itaipu repository; git is its audit trail."""

import hashlib
from dataclasses import dataclass

from logcache_assets.domain.rules.settings_file import RULES_PATH, parse_strictness
from logcache_assets.domain.rules.strictness import DEFAULT_STRICTNESS, Strictness
from logcache_assets.domain.yaml_files import refuse_other_endings
from logcache_assets.ports import Clock, ItaipuRepository, PathNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRules:
    """The file of rules at one commit."""

    strictness: Strictness
    sha256: str
    """SHA-256 of the file; empty if there is none."""


def read_rules(repository: ItaipuRepository, clock: Clock, *, sha: str) -> PinnedRules:
    """The rules at a commit, or the defaults if it has no file; raises BadInput for a malformed or misnamed one."""
    try:
        text = repository.read(RULES_PATH, ref=sha)
    except PathNotFoundError:
        refuse_other_endings(repository.list_files("", ref=sha))
        return PinnedRules(strictness=DEFAULT_STRICTNESS, sha256="")
    strictness = parse_strictness(text, where=f"{RULES_PATH} at {sha[:8]}", today=clock.now().date())
    return PinnedRules(strictness=strictness, sha256=hashlib.sha256(text.encode()).hexdigest())
