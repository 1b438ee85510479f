"""Problems of a candidate's contracts, made from the results of the validation rules.

A rule without a result is a problem too (C29). verdict.py collects them into a verdict.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from logcache_assets.domain.contract_definitions import DatabaseDefinition, contract_tables
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.rules.results import RuleName, RuleResult
from logcache_assets.domain.rules.settings_file import RULES_PATH, find_unmatched
from logcache_assets.domain.rules.strictness import Strictness
from logcache_assets.domain.same_t_selection import SameTSelection

NO_CONTRACT_REMEDY = "check which databases and definitions were given"


def find_refusals(
    results: Mapping[str, Sequence[RuleResult]], *, required: Mapping[str, Sequence[RuleName]]
) -> tuple[Problem, ...]:
    """Why the contracts must not be published: every result that blocks, and every rule without exactly one (C29).

    Contracts that fail for the same reason share a problem. A result that blocks counts even if its rule is not
    required.

    Args:
        results: by contract.
        required: the rules that must have run, by contract.
    """
    if not required:
        return (Problem(code="C29", found=("no contract was to be checked",), remedy=NO_CONTRACT_REMEDY),)
    return _united(
        problem
        for contract in dict.fromkeys((*required, *results))
        for problem in _refusals(contract, results.get(contract, ()), required.get(contract, ()))
    )


def find_warnings(results: Mapping[str, Sequence[RuleResult]]) -> tuple[Problem, ...]:
    """Problems that do not block, for the reviewer: results that only warn, and excused findings."""
    return _united(
        Problem(subjects=(contract,), rule=result.rule, found=found)
        for contract, its_results in results.items()
        for result in its_results
        for found in _warnings(result)
    )


def _warnings(result: RuleResult) -> Iterator[tuple[str, ...]]:
    if not result.passed and not result.blocks:
        yield result.actual
    yield from ((str(excuse),) for excuse in result.excused)


def _united(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Merge problems that differ only in their contracts; the order is that of the first."""
    same: dict[Problem, list[str]] = {}
    for problem in problems:
        contracts = same.setdefault(replace(problem, subjects=()), [])
        contracts += [contract for contract in problem.subjects if contract not in contracts]
    return tuple(replace(problem, subjects=tuple(contracts)) for problem, contracts in same.items())


def _refusals(contract: str, results: Sequence[RuleResult], required: Sequence[RuleName]) -> Iterator[Problem]:
    # A missing table fails every rule for one reason, which is then reported once.
    alone = len({result.actual for result in results}) == 1
    unasked = (result.rule for result in results if result.blocks and result.rule not in required)
    for rule in dict.fromkeys((*required, *unasked)):
        own = [result for result in results if result.rule == rule]
        if len(own) != 1:
            several = f"the check has {len(own)} results, of which one at most is its own"
            found = several if own else "the check did not run"
            yield Problem(code="C29", subjects=(contract,), rule=rule, found=(found,))
        elif own[0].blocks:
            yield Problem(subjects=(contract,), rule=None if alone else rule, found=own[0].actual)


def find_idle_settings(
    strictness: Strictness,
    same_t: SameTSelection,
    definitions: Sequence[DatabaseDefinition],
    *,
    rules_path: str = RULES_PATH,
) -> tuple[Problem, ...]:
    """Settings that have no effect, because a name in them is misspelt or gone.

    Args:
        strictness: the file of rules.
        same_t: which contracts are recomputed.
        definitions: of all databases, not only of those that are judged.
        rules_path: the name of the file of rules in messages.
    """
    columns = {table.dataset: table.columns for each in definitions for table in contract_tables(each)}
    unmatched = [f"{rules_path}: {sentence}" for sentence in find_unmatched(strictness, columns)]
    idle = [*unmatched, *_find_idle_same_t(same_t, columns, {p for each in definitions for p in each.prototypes})]
    return tuple(Problem(found=(sentence,)) for sentence in idle)


def _find_idle_same_t(same_t: SameTSelection, datasets: Iterable[str], prototypes: Collection[str]) -> Iterator[str]:
    if same_t.contracts and not any(fnmatchcase(dataset, same_t.contracts) for dataset in datasets):
        yield f"same t, same table: no contract is {same_t.contracts!r}, so none is recomputed; correct the pattern"
    for prototype in sorted(set(same_t.prototypes or ()) - set(prototypes)):
        yield f"same t, same table: no database is on {prototype!r}; correct the prototype"
