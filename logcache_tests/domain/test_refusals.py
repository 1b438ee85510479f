"""A refusal as rows of a table, and its sentence."""

import pytest

from logcache_assets.domain.problems import Problem
from logcache_assets.domain.refusals import Row, rows_of, sentence_of_refusal
from logcache_assets.domain.rules import RULES
from logcache_assets.domain.rules.nothing_missed import NOTHING_MISSED

GAP = Problem(
    code="C2", subjects=("double-entry-s0",), found=("a segment is missing after t 20",), why="datoms", remedy="wait"
)
NAMELESS = Problem(found=("it was moved",))


@pytest.mark.parametrize(
    ("problem", "row"),
    [
        pytest.param(
            GAP,
            Row(
                database="double-entry",
                subject="double-entry-s0",
                rule="C2",
                found="a segment is missing after t 20: datoms",
                expected="Every later segment begins where the one before it ends.",
                remedy="wait",
            ),
            id="a check with a code",
        ),
        pytest.param(
            Problem(
                subjects=("contract-feed/accounts", "contract-feed/cards"), rule="nothing_missed", found=("one", "two")
            ),
            Row(
                database="feed",
                subject="accounts and 1 more",
                rule="nothing_missed",
                found="one; two",
                expected="Every datom that arrived since yesterday shows in the new table.",
                remedy=NOTHING_MISSED.remedy,
            ),
            id="a rule that two contracts fail",
        ),
        pytest.param(
            Problem(code="C12", subjects=("double-entry",), found=("it was aborted",), remedy="wait"),
            Row(
                database="double-entry",
                subject="",
                rule="C12",
                found="it was aborted",
                expected="The raw datasets were not aborted, and their files do not expire before the copy is done.",
                remedy="wait",
            ),
            id="a database",
        ),
        pytest.param(
            NAMELESS,
            Row(database="", subject="", rule="", found="it was moved", expected="", remedy=""),
            id="a problem of nothing in particular",
        ),
    ],
)
def test_a_problem_is_a_row(problem: Problem, row: Row) -> None:
    """Whoever reads the row finds what was found beside what was expected, and what to do."""
    assert list(rows_of([problem])) == [row]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_says_what_to_do(rule: object) -> None:
    """A row of a table never ends with a shrug."""
    assert getattr(rule, "remedy", "")


@pytest.mark.parametrize(
    ("causes", "text"),
    [
        pytest.param([NAMELESS], "it was moved\nnothing was opened", id="one"),
        pytest.param([NAMELESS] * 6, "it was moved\n" * 5 + "and 1 more reason\nnothing was opened", id="too many"),
    ],
)
def test_the_cause_comes_first(causes: list[Problem], text: str) -> None:
    """What follows from it is read last."""
    assert sentence_of_refusal(causes, "nothing was opened") == text
