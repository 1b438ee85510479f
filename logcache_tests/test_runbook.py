"""The runbook has a heading for every reason of a refusal."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from logcache_assets.domain.gate import REQUIREMENTS, GateState, Requirement
from logcache_assets.domain.problems import CODES
from logcache_tests.domain.gate.samples import ABSENT, BROKEN
from logcache_tests.source_strings import GAP, modules, texts_of

RUNBOOK = Path(__file__).parent.parent / "docs" / "runbook.md"
CODE = re.compile(r"C\d+")
CODES_OF_MESSAGE = re.compile(r" \(C\d+(?:, C\d+)*\)$")
PROBLEMS = "domain/problems.py"


def headings() -> tuple[str, ...]:
    """Every heading of a message."""
    lines = RUNBOOK.read_text(encoding="utf-8").splitlines()
    return tuple(line.removeprefix("### ") for line in lines if line.startswith("### "))


def messages_of(heading: str) -> tuple[str, ...]:
    """The parts of messages that a heading names, without codes."""
    return tuple(CODES_OF_MESSAGE.sub("", message) for message in heading.split(" / "))


def fragments_of(message: str) -> tuple[str, ...]:
    """The fixed parts of a message, between the values that are filled in."""
    return tuple(text for part in message.split(GAP) if (text := part.strip(" ,:")))


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

    lost = [text for message in messages_of(heading) for text in fragments_of(message) if text not in spelled_out]

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
        ".*".join(map(re.escape, fragments_of(message))) for heading in headings() for message in messages_of(heading)
    ]

    for problem in requirement.find_problems(state):
        assert any(pattern and re.search(pattern, str(problem)) for pattern in patterns), problem
