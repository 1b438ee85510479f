"""Parses and checks the file of rules, `validation.yaml` of the itaipu repository.

Its keys are the settings that the rules declare, so a new rule needs no change here. Errors name file and line:
analysts edit this file by hand.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Union

import msgspec
import yaml
from msgspec import UNSET, UnsetType

from logcache_assets.domain.rules import FINDINGS, RULES
from logcache_assets.domain.rules.strictness import Allowance, RuleEntry, Strictness, per_column_settings
from logcache_assets.domain.yaml_files import is_blank, line_of, parse_yaml
from logcache_assets.errors import BadInput

RULES_PATH = "validation.yaml"
"""Where the file lies in the itaipu repository."""

PATTERN_CHARACTERS = "*?["
"""Characters that make a name a pattern, as in fnmatch."""

SETTINGS: Mapping[str, msgspec.structs.FieldInfo] = {
    field.name: field for rule in RULES for field in msgspec.structs.fields(rule.settings)
}
"""Every setting of every rule, by its key in the file. Rules that share one declare it in one class."""

CONTRACT_ONLY = frozenset(SETTINGS) - {name for rule in RULES for name in per_column_settings(rule.settings)}
"""Settings that no single column can have."""

FINDING_NAMES: tuple[str, ...] = tuple(finding.name for finding in FINDINGS)
WHOLE_FINDINGS: tuple[str, ...] = tuple(finding.name for finding in FINDINGS if not finding.of_columns)
"""Findings that no single column can have."""

_STRICT: dict[str, Any] = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True, "module": __name__}
_Entry: type[RuleEntry] = msgspec.defstruct(  # type: ignore[assignment]
    "_Entry",
    # Not `|`: a Literal or Annotated type is no class.
    [(name, Union[field.type, UnsetType], UNSET) for name, field in SETTINGS.items()],  # noqa: UP007
    bases=(RuleEntry,),
    **_STRICT,
)
"""An entry of the file: every setting of every rule, none of them required."""
_File: type[Any] = msgspec.defstruct(
    "_File",
    [
        ("entries", tuple[_Entry, ...], msgspec.field(default=(), name="rules")),  # type: ignore[valid-type]
        ("allow", tuple[Allowance, ...], ()),
    ],
    **_STRICT,
)


def rule_entry(*, contract: str = "*", column: str | None = None, **settings: object) -> RuleEntry:
    """An entry as the file would have it; raises TypeError for a setting that no rule has."""
    return _Entry(contract=contract, column=column, **settings)


def parse_strictness(text: str, *, where: str, today: date) -> Strictness:
    """Read the file of rules; an empty one means the defaults.

    Args:
        text: YAML.
        where: the file's name for errors.
        today: the day on which the allowances must still hold.

    Raises:
        BadInput: the text is not YAML, a key is unknown or given twice, a number is impossible, or an allowance has
            expired, is given twice or is not for one exact contract; the message has file and line.
    """
    found, node = parse_yaml(text, _File, where=where, remedy="correct the rules", empty={})
    strictness = Strictness(entries=found.entries, allow=found.allow)
    for path, problem in _problems(strictness, node, today):
        raise BadInput(f"{where}, line {line_of(node, path)}: {problem}")
    return strictness


def _problems(strictness: Strictness, node: yaml.Node | None, today: date) -> Iterator[tuple[str, str]]:
    """Mistakes that the types do not catch, as (path, sentence)."""
    for name, list_of in (("rules", strictness.entries), ("allow", strictness.allow)):
        for n in range(len(list_of)):
            if is_blank(node, f"$.{name}[{n}].column"):
                yield f"$.{name}[{n}].column", "column has no value; name a column, or remove the key for all columns"
    for n, entry in enumerate(strictness.entries):
        yield from _impossible_settings(f"$.rules[{n}]", entry)
    excused: set[str] = set()
    for n, allowance in enumerate(strictness.allow):
        yield from _unusable(f"$.allow[{n}]", allowance)
        yield from _expired(f"$.allow[{n}].expires", allowance, today)
        if _excuses(allowance) in excused:
            yield f"$.allow[{n}]", f"{_excuses(allowance)} is allowed twice; keep one"
        excused.add(_excuses(allowance))


def _impossible_settings(path: str, entry: RuleEntry) -> Iterator[tuple[str, str]]:
    for name, value in entry.given.items():
        if value == math.inf:
            yield f"{path}.{name}", f"an infinite {name} would let everything pass; give a finite number"
        if entry.column is not None and name in CONTRACT_ONLY:
            problem = f"{name} is about a whole contract, not column {entry.column!r}; give it in an entry without one"
            yield f"{path}.{name}", problem


def _unusable(path: str, allowance: Allowance) -> Iterator[tuple[str, str]]:
    if any(character in allowance.contract for character in PATTERN_CHARACTERS):
        problem = f"{allowance.contract!r} is a pattern, an allowance is for one contract; give its exact name"
        yield f"{path}.contract", problem
    if allowance.finding not in FINDING_NAMES:
        yield f"{path}.finding", f"no rule finds {allowance.finding!r}; name one of {', '.join(FINDING_NAMES)}"
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


def find_unmatched(strictness: Strictness, contracts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a sentence for every entry and allowance that matches no contract or column, as a misspelt one does.

    Args:
        strictness: what was read.
        contracts: dataset → its columns.
    """
    for n, entry in enumerate(strictness.entries):
        yield from _unmatched(f"rules[{n}]", entry, contracts, fnmatchcase)
    for n, allowance in enumerate(strictness.allow):
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
