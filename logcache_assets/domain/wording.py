"""Wording of counts in verdicts and reports."""


def count_of(number: int, noun: str) -> str:
    """`1 contract`, `2,000 contracts`; for nouns whose plural adds an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
