"""What speaks against publishing a candidate, made from the results of its rules.

A rule without a result is a refusal (C29). The results come from judges.py, and the verdict that holds the objections
is verdict.py.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from logcache_assets.domain.definitions import DatabaseDefinition, contract_tables
from logcache_assets.domain.rules import RULES_PATH, Rules, find_unmatched
from logcache_assets.domain.validation import RuleName, RuleResult, SameTSelection


class Objection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What speaks against publishing, or should be read before it is done."""

    findings: tuple[str, ...]
    """Clauses, the likely cause first."""
    contracts: tuple[str, ...] = ()
    """Datasets that it is about; none where it is about the candidate."""
    rule: RuleName | None = None
    """That found it; None where it is no single rule's."""

    @property
    def subject(self) -> str:
        """The first contract and how many more there are."""
        more = len(self.contracts) - 1
        return f"{self.contracts[0]} and {more} more" if more > 0 else "".join(self.contracts)

    def __str__(self) -> str:
        """One sentence for a person."""
        return ": ".join(part for part in (self.subject, self.rule, "; ".join(self.findings)) if part)


def find_refusals(
    results: Mapping[str, Sequence[RuleResult]], *, required: Mapping[str, Sequence[RuleName]]
) -> tuple[Objection, ...]:
    """Why the contracts must not be published: rules that block, asked or not, and rules that did not run once (C29).

    Contracts that fail for one and the same reason share an objection.

    Args:
        results: by contract.
        required: the rules that must have run, by contract.
    """
    if not required:
        return (Objection(findings=("no contract was to be checked (C29)",)),)
    return _united(
        objection
        for contract in dict.fromkeys((*required, *results))
        for objection in _refusals(contract, results.get(contract, ()), required.get(contract, ()))
    )


def find_warnings(results: Mapping[str, Sequence[RuleResult]]) -> tuple[Objection, ...]:
    """What does not block but should be read: rules that only warn, and what was excused."""
    return _united(
        Objection(contracts=(contract,), rule=result.rule, findings=findings)
        for contract, its_results in results.items()
        for result in its_results
        for findings in _warnings(result)
    )


def _warnings(result: RuleResult) -> Iterator[tuple[str, ...]]:
    if not result.passed and not result.blocks:
        yield result.actual
    yield from ((str(excuse),) for excuse in result.excused)


def _united(objections: Iterable[Objection]) -> tuple[Objection, ...]:
    """One objection for all contracts that have the same, in the order of the first."""
    same: dict[tuple[RuleName | None, tuple[str, ...]], list[str]] = {}
    for objection in objections:
        contracts = same.setdefault((objection.rule, objection.findings), [])
        contracts += [contract for contract in objection.contracts if contract not in contracts]
    return tuple(
        Objection(contracts=tuple(contracts), rule=rule, findings=findings)
        for (rule, findings), contracts in same.items()
    )


def _refusals(contract: str, results: Sequence[RuleResult], required: Sequence[RuleName]) -> Iterator[Objection]:
    # A table that is not there fails every rule for one reason, which then stands alone.
    alone = len({result.actual for result in results}) == 1
    unasked = (result.rule for result in results if result.blocks and result.rule not in required)
    for rule in dict.fromkeys((*required, *unasked)):
        own = [result for result in results if result.rule == rule]
        if len(own) != 1:
            how_often = "did not run" if not own else f"has {len(own)} results, of which one at most is its own"
            yield Objection(contracts=(contract,), rule=rule, findings=(f"the check {how_often} (C29)",))
        elif own[0].blocks:
            yield Objection(contracts=(contract,), rule=None if alone else rule, findings=own[0].actual)


def find_idle_settings(
    rules: Rules,
    same_t: SameTSelection,
    definitions: Sequence[DatabaseDefinition],
    *,
    rules_path: str = RULES_PATH,
) -> tuple[Objection, ...]:
    """What was set and concerns nothing, because a name is misspelt or gone.

    Args:
        rules: the file of rules.
        same_t: what is to be recomputed.
        definitions: of all databases, not only of those that are judged.
        rules_path: where the file of rules lies.
    """
    columns = {table.dataset: table.columns for each in definitions for table in contract_tables(each)}
    unmatched = [f"{rules_path}: {sentence}" for sentence in find_unmatched(rules, columns)]
    idle = [*unmatched, *_find_idle_same_t(same_t, columns, {p for each in definitions for p in each.prototypes})]
    return tuple(Objection(findings=(sentence,)) for sentence in idle)


def _find_idle_same_t(same_t: SameTSelection, datasets: Iterable[str], prototypes: Collection[str]) -> Iterator[str]:
    if same_t.contracts and not any(fnmatchcase(dataset, same_t.contracts) for dataset in datasets):
        yield f"same t, same table: no contract is {same_t.contracts!r}, so none is recomputed; correct the pattern"
    for prototype in sorted(set(same_t.prototypes or ()) - set(prototypes)):
        yield f"same t, same table: no database is on {prototype!r}; correct the prototype"
