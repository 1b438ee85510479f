"""The runbook has a heading for every reason of a refusal."""

import re
from collections.abc import Iterator

import pytest

from logcache_assets.domain.gate import REQUIREMENTS, GateState, Requirement
from logcache_assets.domain.problems import CODES
from logcache_assets.domain.runbook import Answer, fragments_of
from logcache_assets.runbook_file import load_runbook
from logcache_tests.domain.gate.samples import ABSENT, BROKEN
from logcache_tests.source_strings import modules, texts_of

CODE = re.compile(r"C\d+")
PROBLEMS = "domain/problems.py"


def headings() -> tuple[str, ...]:
    """Every heading of a message."""
    return tuple(answer.heading for answer in load_runbook().answers)


def codes_in(texts: Iterator[str]) -> set[str]:
    """Codes that stand alone, as `code="C2"` does."""
    return {text for text in texts if CODE.fullmatch(text)}


def source_texts(*, but: str = "") -> Iterator[str]:
    """Every text that the package spells out."""
    return (text for path in modules() if not but or not path.as_posix().endswith(but) for text in texts_of(path))


@pytest.mark.parametrize("heading", headings())
def test_a_heading_is_part_of_a_message(heading: str) -> None:
    """A person finds it by searching for what was printed."""
    spelled_out = "\n".join(source_texts())

    lost = [
        text for message in Answer(heading, "").messages for text in fragments_of(message) if text not in spelled_out
    ]

    assert lost == []


def test_every_code_has_a_heading_and_every_heading_a_code_that_exists() -> None:
    """Code and runbook name the same checks."""
    named = {code for heading in headings() for code in CODE.findall(heading)}

    assert named == CODES.keys()


def test_every_code_is_used_and_none_is_unknown() -> None:
    """A code that nothing raises any more is removed."""
    assert codes_in(source_texts(but=PROBLEMS)) == CODES.keys()


def test_no_message_spells_out_its_code_by_hand() -> None:
    """A code comes from a problem, so that it can be checked and counted."""
    by_hand = [text for text in source_texts() if re.search(r"\(C\d+", text)]

    assert by_hand == []


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
@pytest.mark.parametrize("states", [pytest.param(BROKEN, id="broken"), pytest.param(ABSENT, id="absent")])
def test_every_refusal_of_the_gate_has_a_heading(requirement: Requirement, states: dict[str, GateState]) -> None:
    """Whichever requirement is not met, its message leads to an answer."""
    state = states[requirement.name]
    patterns = [
        ".*".join(map(re.escape, fragments_of(message)))
        for heading in headings()
        for message in Answer(heading, "").messages
    ]

    for problem in requirement.find_problems(state):
        assert any(pattern and re.search(pattern, str(problem)) for pattern in patterns), problem
