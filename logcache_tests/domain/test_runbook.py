"""Which section of a runbook answers a message."""

import pytest

from logcache_assets.domain.runbook import Answer, parse_runbook

RUNBOOK = parse_runbook(
    """# Runbook

## Copy

### expired at …, during the copy (C12)
Take a newer
night; see [copies](copies.md#newer).

Second paragraph.

### files were not copied / the copy of … is late
Run it again.

### the copy
Shorter.
"""
)


def test_a_section_ends_at_the_next_heading() -> None:
    """Its lines and paragraphs are joined, links become their words; headings of chapters have no answer."""
    assert RUNBOOK.answers[0] == Answer(
        "expired at …, during the copy (C12)", "Take a newer night; see copies. Second paragraph."
    )
    assert len(RUNBOOK.answers) == 3


@pytest.mark.parametrize(
    ("message", "heading"),
    [
        ("s3://b/k expired at 2026-03-05, during the copy (C12); take another", "expired at …, during the copy (C12)"),
        ("2 files were not copied", "files were not copied / the copy of … is late"),
        ("the copy of feed-s0 is late", "files were not copied / the copy of … is late"),
        ("the copy ended", "the copy"),
        ("not copied\nthe copy ended\n2 files were not copied", "the copy"),
    ],
)
def test_the_heading_that_says_most_of_a_message_fits(message: str, heading: str) -> None:
    """Values are between its words; a code may be absent."""
    found = RUNBOOK.answer_to(message)

    assert found
    assert found.heading == heading


@pytest.mark.parametrize("message", ["the disk is full", "", "during a copy it expired at noon"])
def test_a_message_without_all_words_in_their_order_has_no_answer(message: str) -> None:
    """A wrong answer would be worse than none."""
    assert RUNBOOK.answer_to(message) is None
