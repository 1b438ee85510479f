"""A program that reads the first values of many new types in several threads at once; usage: first_values.py WAY."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec

from logcache_assets.domain.json_text import decode_json
from logcache_assets.domain.known_kinds import converted

THREADS, TYPES = 8, 300
FIELDS = tuple(f"field_{number}" for number in range(12))
PLAIN = {"inner": dict.fromkeys(FIELDS, 1)}


def new_type() -> type[msgspec.Struct]:
    """A struct in a struct that msgspec has never met."""
    inner = msgspec.defstruct("Inner", [(name, "int | None") for name in FIELDS])
    return msgspec.defstruct("Outer", [("inner", inner)])


def main(way: str) -> None:
    """Each type is met by all threads together."""
    sys.setswitchinterval(1e-6)
    text, together = msgspec.json.encode(PLAIN), Barrier(THREADS)

    def read(kind: type[msgspec.Struct]) -> object:
        together.wait()
        return decode_json(text, kind) if way == "decode_json" else converted(PLAIN, kind)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(TYPES):
            found = list(pool.map(read, [new_type()] * THREADS))
            assert all(msgspec.to_builtins(value) == PLAIN for value in found)


if __name__ == "__main__":
    main(sys.argv[1])
