"""Problems as rows of a table, and the sentence of a refused proposal, for whoever has to act on them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from logcache_assets.domain.instances import is_prototype
from logcache_assets.domain.names import CONTRACT_PREFIX, database_of
from logcache_assets.domain.problems import CODES, SHOWN, Problem
from logcache_assets.domain.rules import RULE_NAMES, rule_named
from logcache_assets.domain.wording import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A problem, cell by cell; a cell of which nothing is known is empty."""

    database: str
    subject: str
    """The first contract or instance, and how many more."""
    rule: str
    """Name of the validation rule, or the code of the check, by which the runbook has a heading."""
    found: str
    expected: str
    remedy: str


def rows_of(problems: Iterable[Problem]) -> Iterator[Row]:
    """Yield one row per problem, in their order."""
    for problem in problems:
        rule = rule_named(problem.rule) if problem.rule in RULE_NAMES else None
        databases = dict.fromkeys(filter(None, map(_database, problem.subjects)))
        found = "; ".join(problem.found)
        yield Row(
            database=", ".join(databases),
            subject=_within_database(problem.subject, databases),
            rule=" ".join(part for part in (problem.rule, problem.code) if part),
            found=f"{found}: {problem.why}" if problem.why else found,
            expected=rule.sentence if rule else CODES[problem.code] if problem.code else "",
            remedy=problem.remedy or (rule.remedy if rule else ""),
        )


def _within_database(subject: str, databases: Collection[str]) -> str:
    """`transactions and 2 more` of `contract-feed/transactions and 2 more`: the database has a cell of its own."""
    if subject in databases:
        return ""
    return subject.partition("/")[2] if subject.startswith(CONTRACT_PREFIX) else subject


def _database(subject: str) -> str:
    """The database of a contract or an instance; any other subject is a database."""
    if subject.startswith(CONTRACT_PREFIX):
        return database_of(subject)
    database, _, prototype = subject.rpartition("-")
    return database if database and is_prototype(prototype) else subject


def sentence_of_refusal(causes: Sequence[Problem], consequence: str) -> str:
    """The first few causes, one per line, then what follows from them.

    Args:
        causes: the likely first one first.
        consequence: what was not done, and what to do.
    """
    lines = list(map(str, causes[:SHOWN]))
    if more := len(causes) - len(lines):
        lines.append(f"and {count_of(more, 'more reason')}")
    return "\n".join([*lines, consequence])
