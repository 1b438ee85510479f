"""A file of rules with every key, and what is read from a text like it."""

from datetime import date

import pytest

from logcache_assets.domain.rules.settings_file import parse_strictness
from logcache_assets.domain.rules.strictness import Strictness
from logcache_assets.errors import BadInput

WHERE = "validation/rules.yaml"
TODAY = date(2026, 6, 1)
GOOD = """\
rules:
  - contract: "contract-feed/*"
    column: transaction__fee
    severity: warn
    tolerance: 1.0e-9
  - contract: contract-feed/accounts
    unexplained: 0.01
    missed: 0
    keys_found: 0.9
    values_equal: 1
allow:
  - contract: contract-feed/accounts
    column: account__status
    finding: unexplained
    owner: team-cards
    reason: "two states are written late"
    expires: 2026-12-31
  - {contract: contract-feed/cards, finding: empty, owner: team-new, reason: "not sold yet", expires: 2026-06-01}
"""


def rules_of(text: str) -> Strictness:
    """What a text says today."""
    return parse_strictness(text, where=WHERE, today=TODAY)


def refusal_of(text: str) -> str:
    """Why a text is no file of rules."""
    with pytest.raises(BadInput) as refusal:
        rules_of(text)
    return str(refusal.value)
