"""How strict the rules are with a contract: settings, their overrides by contract and column, and allowances.

The file in which people write these is settings_file.py. Each rule defines its own settings in its module.
"""

from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec
from msgspec import UNSET

Severity = Literal["block", "warn"]
"""What a failed rule does: `block` stops the publication, `warn` is only reported."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""From 0 to 1."""

PER_COLUMN = msgspec.Meta(extra={"per_column": True})
"""Marks a setting that may be given for single columns too; without it, a setting is of a whole contract."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a rule's settings; its fields are keys of the file, with the defaults that hold without it."""


SettingsType = TypeVar("SettingsType", bound=Settings)


def per_column_settings(kind: type[Settings]) -> frozenset[str]:
    """Names of the settings that may be given for single columns."""
    hints = get_type_hints(kind, include_extras=True)
    marked = {n: [m.extra or {} for m in getattr(hint, "__metadata__", ())] for n, hint in hints.items()}
    return frozenset(name for name, extras in marked.items() if any(extra.get("per_column") for extra in extras))


class RuleEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings for the contracts and columns that its patterns match.

    The settings are fields of a subclass that settings_file.py makes from all rules. A setting that the entry does not
    give is UNSET and keeps the value of an earlier entry, or the default.
    """

    contract: str = "*"
    """Pattern of dataset names."""
    column: str | None = None
    """Pattern of column names. None means the contract itself, and the default of all its columns."""

    @property
    def given(self) -> dict[str, Any]:
        """The settings that the entry gives, by name."""
        names = [name for name in self.__struct_fields__ if name not in RuleEntry.__struct_fields__]
        every = {name: getattr(self, name) for name in names}
        return {name: value for name, value in every.items() if value is not UNSET}

    def concerns(self, contract: str, column: str | None) -> bool:
        """True if the entry applies to this contract (column None), or to this column of it."""
        if not fnmatchcase(contract, self.contract):
            return False
        return self.column is None or (column is not None and fnmatchcase(column, self.column))


class Allowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding that its owner knows to be harmless, for now."""

    contract: str
    """Dataset, by its exact name."""
    column: str | None = None
    """None means the contract and all its columns."""
    finding: str
    """One that a rule declares: `unexplained`."""
    owner: str
    reason: str
    expires: date
    """The last day on which it holds."""

    def covers(self, *, contract: str, finding: str, column: str | None = None) -> bool:
        """True if it excuses this finding of the contract (column None) or of its column."""
        return (contract, finding) == (self.contract, self.finding) and self.column in {None, column}


class Strictness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of the file of rules: entries and allowances, in the file's order."""

    entries: tuple[RuleEntry, ...] = ()
    allow: tuple[Allowance, ...] = ()

    def settings_of(self, kind: type[SettingsType], contract: str, column: str | None = None) -> SettingsType:
        """The settings of one kind that hold for a contract, or for one of its columns.

        Of two entries that concern it the later one wins, setting by setting: an entry changes only what it gives.
        """
        given: dict[str, Any] = {}
        for entry in self.entries:
            if entry.concerns(contract, column):
                given |= entry.given
        return _built(kind, given)

    def allowance_of(self, contract: str, finding: str, column: str | None = None) -> Allowance | None:
        """The first allowance that excuses a finding of the contract (column None) or of its column."""
        return next((a for a in self.allow if a.covers(contract=contract, finding=finding, column=column)), None)


def _built(kind: type[SettingsType], given: Mapping[str, Any]) -> SettingsType:
    return kind(**{name: value for name, value in given.items() if name in kind.__struct_fields__})


DEFAULT_STRICTNESS = Strictness()
"""Strictness without a file: default settings everywhere, and nothing is excused."""
