"""Mutations of files: what accidents and other writers do to bytes and texts, by a seeded generator."""

import random
import re
from collections.abc import Callable

Mutation = Callable[[random.Random, bytes], bytes]

VALUES = (
    b"null", b"true", b"[]", b"{}", b'""', b"-1", b"0", b"1e999", b"NaN", b"9" * 5000, b"18446744073709551616",
    b"[" * 3000 + b"]" * 3000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b'"\\ud800"', b'"\xff"', b'"../../x"',
    b'"a\\u0000b"', b'"\\u001b[2J"', b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59-23:59"',
    b'"' + b"x" * 100_000 + b'"',
    b"&a [*a]", b"!!binary x", b"1:59:59", b"2026-02-30", b"*none",
)  # fmt: skip
"""What stands where a value was."""

_VALUE = re.compile(rb'"[^"\n]*"|-?\d+(?:\.\d+)?|true|false|[\w./-]+')


def cut(rng: random.Random, content: bytes) -> bytes:
    """The end is lost, as of a copy that was killed."""
    return content[: rng.randrange(len(content) + 1)]


def flip(rng: random.Random, content: bytes) -> bytes:
    """Single bits are another."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 8)) if content else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def lose(rng: random.Random, content: bytes) -> bytes:
    """A piece in the middle is gone."""
    begin = rng.randrange(len(content) + 1)
    return content[:begin] + content[begin + rng.randrange(1, 200) :]


def repeat(rng: random.Random, content: bytes) -> bytes:
    """A piece is there twice."""
    begin = rng.randrange(len(content) + 1)
    end = begin + rng.randrange(1, 400)
    return content[:end] + content[begin:end] + content[end:]


def overwrite(rng: random.Random, content: bytes) -> bytes:
    """A piece is zeros or noise, as a bad disk gives it."""
    begin, size = rng.randrange(len(content) + 1), rng.randrange(1, 64)
    noise = bytes(size) if rng.random() < 0.5 else rng.randbytes(size)
    return content[:begin] + noise + content[begin + size :]


def append(rng: random.Random, content: bytes) -> bytes:
    """Something follows: noise, or the whole file again."""
    return content + rng.choice((rng.randbytes(40), content, b"\n", b"\0" * 512))


def replace_value(rng: random.Random, content: bytes) -> bytes:
    """Another value stands where one was."""
    found = list(_VALUE.finditer(content))
    if not found:
        return rng.choice(VALUES)
    match = rng.choice(found)
    return content[: match.start()] + rng.choice(VALUES) + content[match.end() :]


def swap_values(rng: random.Random, content: bytes) -> bytes:
    """A value of another place of the file stands there, too."""
    found = list(_VALUE.finditer(content))
    if not found:
        return content
    one, other = rng.choice(found), rng.choice(found)
    return content[: one.start()] + other[0] + content[one.end() :]


def become(rng: random.Random, _content: bytes) -> bytes:
    """The whole file is something else."""
    return rng.choice((b"", *VALUES))


OF_BYTES: tuple[Mutation, ...] = (cut, flip, flip, lose, repeat, overwrite, append, become)
OF_TEXTS: tuple[Mutation, ...] = (cut, flip, lose, repeat, append, replace_value, replace_value, swap_values, become)
