"""How strict the validation is: the file of rules and allowances, parsed and checked.

Rules set severity and thresholds of contracts and columns; an allowance excuses one known finding until a date. What
is done with them is validation.py. Errors name file and line: analysts edit this file by hand.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from logcache_assets.domain.yaml_files import is_blank, line_of, parse_yaml
from logcache_assets.errors import BadInput

Severity = Literal["block", "warn"]
"""What an unexplained or missed difference does: stops the publication, or is only reported."""

Finding = Literal["unexplained", "missed", "empty", "schema", "same-t"]
"""What an allowance can excuse."""

WHOLE_FINDINGS: tuple[Finding, ...] = ("empty", "same-t")
"""What no single column has."""

RULES_PATH = "validation.yaml"
"""Where the file lies in the itaipu repository."""

CONTRACT_ONLY = ("keys_found", "values_equal")
"""Settings that no column has."""

PATTERN_CHARACTERS = "*?["
"""What makes a pattern of a name, as in fnmatch."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""From 0 to 1."""
Tolerance = Annotated[float, msgspec.Meta(ge=0)]


class RuleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for one contract or one column of it; without any rule, these defaults."""

    severity: Severity = "block"
    tolerance: Tolerance = 0.0
    """Floating point values that differ by no more than this are equal."""
    unexplained: Share = 0.0
    """Share of the compared rows, or cells of the column, that may differ without an explanation."""
    missed: Share = 0.0
    """The same for changes in the log that today's table does not show."""
    keys_found: Share = 0.95
    """Share of yesterday's keys that must be found again."""
    values_equal: Share = 0.5
    """Share of the values over common keys that must be equal."""


class RuleEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings for the contracts and columns that its patterns match; an omitted setting stays as it was."""

    contract: str = "*"
    """Pattern of dataset names."""
    column: str | None = None
    """Pattern of column names; None is the contract itself and the default of its columns."""
    severity: Severity | UnsetType = UNSET
    tolerance: Tolerance | UnsetType = UNSET
    unexplained: Share | UnsetType = UNSET
    missed: Share | UnsetType = UNSET
    keys_found: Share | UnsetType = UNSET
    values_equal: Share | UnsetType = UNSET

    @property
    def given(self) -> dict[str, Any]:
        """The settings it makes, by name."""
        every = {name: getattr(self, name) for name in RuleSettings.__struct_fields__}
        return {name: value for name, value in every.items() if value is not UNSET}

    def concerns(self, contract: str, column: str | None) -> bool:
        """Whether it is about this contract (column None) or about this column of it."""
        if not fnmatchcase(contract, self.contract):
            return False
        return self.column is None or (column is not None and fnmatchcase(column, self.column))


class Allowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding that its owner knows to be harmless, for now."""

    contract: str
    """Dataset, by its exact name."""
    column: str | None = None
    """None is the contract and all its columns."""
    finding: Finding
    owner: str
    reason: str
    expires: date
    """The last day on which it holds."""

    def covers(self, *, contract: str, finding: Finding, column: str | None = None) -> bool:
        """Whether it excuses this finding of the contract (column None) or of its column."""
        return (contract, finding) == (self.contract, self.finding) and self.column in {None, column}


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All entries and allowances, in the order of the file."""

    entries: tuple[RuleEntry, ...] = msgspec.field(default=(), name="rules")
    allow: tuple[Allowance, ...] = ()

    def settings_of(self, contract: str, column: str | None = None) -> RuleSettings:
        """What holds for a contract, or for one of its columns; of two entries that concern it the later one wins.

        InstanceContext by setting: an entry leaves alone what it does not give.
        """
        settings = RuleSettings()
        for entry in self.entries:
            if entry.concerns(contract, column):
                settings = replace(settings, **entry.given)
        return settings

    def allowances_of(self, contract: str) -> tuple[Allowance, ...]:
        """The allowances of a contract and of its columns."""
        return tuple(allowance for allowance in self.allow if allowance.contract == contract)


NO_RULES = Rules()
"""What holds without a file: the defaults everywhere, and nothing is excused."""


def parse_rules(text: str, *, where: str, today: date) -> Rules:
    """Read the file of rules; an empty one means the defaults.

    Args:
        text: YAML.
        where: the file's name for errors.
        today: the day on which the allowances must still hold.

    Raises:
        BadInput: not YAML, unknown or doubled keys, an impossible number, an allowance that is expired, doubled or
            not of one exact contract; with file and line.
    """
    rules, node = parse_yaml(text, Rules, where=where, remedy="correct the rules", empty={})
    for path, problem in _problems(rules, node, today):
        raise BadInput(f"{where}, line {line_of(node, path)}: {problem}")
    return rules


def _problems(rules: Rules, node: yaml.Node | None, today: date) -> Iterator[tuple[str, str]]:
    """What the types alone cannot refuse, as (path, sentence)."""
    for name, list_of in (("rules", rules.entries), ("allow", rules.allow)):
        for n in range(len(list_of)):
            if is_blank(node, f"$.{name}[{n}].column"):
                yield f"$.{name}[{n}].column", "column has no value; name a column, or remove the key for all columns"
    for n, entry in enumerate(rules.entries):
        yield from _impossible_settings(f"$.rules[{n}]", entry)
    for n, allowance in enumerate(rules.allow):
        yield from _unusable(f"$.allow[{n}]", allowance)
        yield from _expired(f"$.allow[{n}].expires", allowance, today)
        if any(_excuses(allowance) == _excuses(other) for other in rules.allow[:n]):
            yield f"$.allow[{n}]", f"{_excuses(allowance)} is allowed twice; keep one"


def _impossible_settings(path: str, entry: RuleEntry) -> Iterator[tuple[str, str]]:
    if entry.tolerance == math.inf:
        yield f"{path}.tolerance", "an infinite tolerance would compare nothing; give a finite number"
    for name in CONTRACT_ONLY:
        if entry.column is not None and name in entry.given:
            problem = f"{name} is about a whole contract, not column {entry.column!r}; give it in an entry without one"
            yield f"{path}.{name}", problem


def _unusable(path: str, allowance: Allowance) -> Iterator[tuple[str, str]]:
    if any(character in allowance.contract for character in PATTERN_CHARACTERS):
        problem = f"{allowance.contract!r} is a pattern, an allowance is for one contract; give its exact name"
        yield f"{path}.contract", problem
    if allowance.finding in WHOLE_FINDINGS and allowance.column is not None:
        problem = f"{allowance.finding!r} is found of a whole contract, never of a column; remove the column"
        yield f"{path}.column", problem
    if not allowance.owner.strip():
        yield f"{path}.owner", "the allowance has no owner; name who answers for it"
    if not allowance.reason.strip():
        yield f"{path}.reason", "the allowance has no reason; write why the finding is known and harmless"


def _expired(path: str, allowance: Allowance, today: date) -> Iterator[tuple[str, str]]:
    if allowance.expires < today:
        problem = (
            f"the allowance of {_excuses(allowance)} expired on {allowance.expires}; renew it with its owner "
            f"{allowance.owner} or remove it"
        )
        yield path, problem


def _excuses(allowance: Allowance) -> str:
    column = "" if allowance.column is None else f", column {allowance.column}"
    return f"{allowance.finding!r} for {allowance.contract}{column}"


def find_unmatched(rules: Rules, contracts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A sentence for every entry and allowance that concerns nothing: a misspelt one would silently do nothing.

    Args:
        rules: what was read.
        contracts: dataset → its columns.
    """
    for n, entry in enumerate(rules.entries):
        yield from _unmatched(f"rules[{n}]", entry, contracts, fnmatchcase)
    for n, allowance in enumerate(rules.allow):
        yield from _unmatched(f"allow[{n}]", allowance, contracts, str.__eq__)


def _unmatched(
    place: str,
    item: RuleEntry | Allowance,
    contracts: Mapping[str, Sequence[str]],
    matches: Callable[[str, str], bool],
) -> Iterator[str]:
    found = [name for name in contracts if matches(name, item.contract)]
    columns = {column for name in found for column in contracts[name]}
    if not found:
        yield f"{place} does nothing: no contract is {item.contract!r}; correct the name or remove it"
    elif item.column is not None and not any(matches(column, item.column) for column in columns):
        yield f"{place} does nothing: {item.contract!r} has no column {item.column!r}; correct the name or remove it"
