"""How sentences for people name amounts, in verdicts and reports alike."""


def count_of(number: int, noun: str) -> str:
    """`1 contract`, `2,000 contracts`; for nouns that take an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
