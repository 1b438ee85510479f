"""A problem reads as one sentence: subject, what was found, why that is refused, its code, what to do."""

from typing import get_args

import msgspec
import pytest

from logcache_assets.domain.problems import CODES, Code, Problem, coded, join_problems

GAP = Problem(
    code="C2",
    subjects=("feed-s0",),
    found=("the segment index has a gap, nothing covers t in (5401, 5403]",),
    remedy="repair the segment index or have the range extracted again",
)


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        pytest.param(
            GAP,
            "feed-s0: the segment index has a gap, nothing covers t in (5401, 5403] (C2); "
            "repair the segment index or have the range extracted again",
            id="a gap",
        ),
        pytest.param(
            Problem(code="C7", found=("2 segments are newer",), why="it may be stale", remedy="refresh"),
            "2 segments are newer: it may be stale (C7); refresh",
            id="a reason",
        ),
        pytest.param(
            Problem(subjects=("a", "b", "c"), rule="sound_table", found=("x", "y: z")),
            "a and 2 more: sound_table: x; y: z",
            id="several subjects and clauses, and a rule",
        ),
        pytest.param(Problem(found=("all gone",)), "all gone", id="nothing but what was found"),
    ],
)
def test_a_problem_is_one_sentence(problem: Problem, sentence: str) -> None:
    """What is not known is left out."""
    assert str(problem) == sentence


def test_the_clauses_of_a_problem_hold_everything_but_subject_and_rule() -> None:
    """A report lists them one by one."""
    problem = Problem(code="C29", subjects=("a",), rule="sound_table", found=("x", "y"), why="z", remedy="do it")

    assert problem.clauses == ("x", "y: z (C29)", "do it")


def test_a_problem_is_part_of_a_document() -> None:
    """It can be written as JSON and read again."""
    assert msgspec.json.decode(msgspec.json.encode(GAP), type=Problem) == GAP


def test_every_code_has_its_sentence() -> None:
    """The sentence says what holds when the check passes."""
    assert tuple(CODES) == get_args(Code)
    assert all(sentence.endswith(".") for sentence in CODES.values())


def test_a_text_without_a_code_stays_as_it_is() -> None:
    """Rules give their clauses a code only where the failure table has one."""
    assert (coded("it was not recomputed", "C29"), coded("all gone", None)) == (
        "it was not recomputed (C29)",
        "all gone",
    )


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        pytest.param([], "", id="none"),
        pytest.param(["a"], "a", id="one"),
        pytest.param(["a", "b"], "a; b", id="as many as are shown"),
        pytest.param(["a", "b", "c", "d"], "a; b; and 2 more", id="more"),
    ],
)
def test_a_message_shows_the_first_few_problems(problems: list[str], text: str) -> None:
    """It also says how many more there are."""
    assert join_problems(problems, shown=2) == text
