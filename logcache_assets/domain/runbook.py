"""The runbook: what to do about a message. Each of its headings is a part of messages, without the values in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

GAP = "…"
"""Stands in a heading for a value."""
_MESSAGES = "###"
"""Level of the headings that are parts of messages."""
_SECTION = re.compile(r"^(#+) (.*)\n((?:(?!#).*\n?)*)", re.MULTILINE)
_CODES = re.compile(r" \(C\d+(?:, C\d+)*\)$")

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
"""To another document, which nobody can follow who reads the section elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A section of the runbook."""

    heading: str
    text: str
    """Markdown, in one line."""

    @property
    def messages(self) -> tuple[str, ...]:
        """The parts of messages that the heading names, without codes."""
        return tuple(_CODES.sub("", message) for message in self.heading.split(" / "))

    def fit(self, message: str) -> int:
        """How many characters of a message the heading explains; 0 if it is about others."""
        found = (fragments_of(part) for part in self.messages)
        return max((sum(map(len, words)) for words in found if _are_in(words, message)), default=0)


@dataclass(frozen=True, slots=True)
class Runbook:
    """All sections."""

    answers: tuple[Answer, ...] = ()

    def answer_to(self, message: str) -> Answer | None:
        """The section whose heading fits best the first line that any fits; None if there is none."""
        for line in message.splitlines():
            found = max(self.answers, key=lambda answer: answer.fit(line), default=None)
            if found and found.fit(line):
                return found
        return None


def parse_runbook(text: str) -> Runbook:
    """Read the sections of a runbook in Markdown."""
    return Runbook(tuple(_answers(text)))


def fragments_of(message: str) -> tuple[str, ...]:
    """The fixed parts of a message of a heading, between the values that are filled in."""
    return tuple(text for part in message.split(GAP) if (text := part.strip(" ,:")))


def _answers(text: str) -> Iterator[Answer]:
    for level, heading, body in _SECTION.findall(text):
        if level == _MESSAGES:
            yield Answer(heading, _LINK.sub(r"\1", " ".join(body.split())))


def _are_in(words: tuple[str, ...], message: str) -> bool:
    """Whether a message has these words in this order."""
    place = 0
    for word in words:
        place = message.find(word, place)
        if place < 0:
            return False
        place += len(word)
    return bool(words)
