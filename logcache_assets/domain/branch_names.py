"""Which names git and its hosts accept for a branch."""

import re

_BRANCH = re.compile(r"(?!.*(//|\.\.|@\{|/\.|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9._/@+-]*(?<![/.])")


def is_branch_name(name: str) -> bool:
    """True if a branch may have this name."""
    return _BRANCH.fullmatch(name) is not None
