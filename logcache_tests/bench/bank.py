"""Small banks written by bench/generate.py, and their logs read datom by datom."""

import hashlib
import importlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.index_items import parse_index_item
from logcache_assets.domain.segments import Segment
from logcache_assets.engine.log.read_segments import read_segment
from logcache_assets.local_platform.clock import LocalClock

BENCH = Path(__file__).parents[2] / "bench"
DATOMS, SEGMENTS = 30_000, 10
"""Datoms of a bank, which has two instances."""
TX_BASE = 13194139533312
USER = 4 * 2**42

Datom = tuple[int, int, str, int, int, bool, Any]
"""(e, a, v, t, tx, added, tx_instant)."""
Fact = tuple[int, int, str]


def load_script(name: str) -> ModuleType:
    """Import a module of bench/, a folder of scripts that import each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        return importlib.import_module(name)


def write_bank(out: Path, **size: object) -> Path:
    """Generate a bank below `out`."""
    generator = load_script("generate")
    generator.generate(out, generator.Size(**{"datoms": DATOMS, "instances": 2, "segments": SEGMENTS, **size}))
    return out


def segments_of(out: Path) -> list[Segment]:
    """The segments that the index lists."""
    lines = (out / "index.jsonl").read_text().splitlines()
    return [parse_index_item(line, where=f"line {n}") for n, line in enumerate(lines)]


def store_of(out: Path) -> FolderObjectStore:
    """The store that holds the segments."""
    return FolderObjectStore(out / "buckets", LocalClock(out / "clock.json"))


def read_log(out: Path, prototype: str = "s0") -> pl.DataFrame:
    """One log, read by the engine, strictly."""
    own = [segment for segment in segments_of(out) if segment.instance.prototype == prototype]
    return pl.concat(read_segment(segment, store_of(out)) for segment in own)


def digests_of(out: Path) -> dict[str, str]:
    """The digest of each file."""
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass(frozen=True)
class Log:
    """One log and its schema, read datom by datom."""

    datoms: list[Datom]
    idents: dict[int, str]
    many: frozenset[int]
    refs: frozenset[int]

    def txs(self) -> Iterator[tuple[int, list[Datom]]]:
        """The datoms of each t, in the order of the log."""
        by_t: dict[int, list[Datom]] = defaultdict(list)
        for datom in self.datoms:
            by_t[datom[3]].append(datom)
        yield from by_t.items()


@cache
def log_in(out: Path) -> Log:
    """The log of the first instance."""
    datoms: list[Datom] = read_log(out).rows()

    def having(a: int, v: str) -> frozenset[int]:
        return frozenset(d[0] for d in datoms if d[1:3] == (a, v))

    idents = {d[0]: d[2] for d in datoms if d[1] == 10}
    return Log(datoms, idents, many=having(41, "36"), refs=having(40, "20"))
