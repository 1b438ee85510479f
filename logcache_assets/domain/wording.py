"""Wording of counts and sentences."""


def count_of(number: int, noun: str) -> str:
    """`1 contract`, `2,000 contracts`; for nouns whose plural adds an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sentence_of(clause: str) -> str:
    """A clause with a capital letter at its beginning and a full stop at its end."""
    return f"{clause[:1].upper()}{clause[1:]}" + ("" if clause.endswith(".") else ".")
