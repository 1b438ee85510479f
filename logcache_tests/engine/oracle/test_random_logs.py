"""Random logs: however contracts are computed, they show what the oracle says, and every difference is explained.

EXAMPLES=2000 tries that many logs.
"""

import math
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.facts.values import INSTANT
from logcache_assets.engine.log.log_op import LogSource
from logcache_tests.engine.app import sources_of
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.builds import Dataset, build
from logcache_tests.engine.days import Day, Explaining, compare, compute_day, faults_of
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.oracle.contracts import Oracle, Row
from logcache_tests.engine.oracle.random_logs import DEFINITION, USERS, RandomLog
from logcache_tests.engine.world import open_store, write_cache

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
KEY = b"k"


def rows_of(dataset: Dataset) -> Counter[str]:
    """The rows of a contract as texts: instants as milliseconds, numbers without trailing zeros."""
    frame = dataset.frame
    instants: dict[str, pl.DataType] = {n: pl.Int64() for n, dtype in frame.schema.items() if dtype == INSTANT}
    instants |= {n: pl.List(pl.Int64) for n, dtype in frame.schema.items() if dtype == pl.List(INSTANT)}
    plain = frame.with_columns(pl.col(name).cast(dtype) for name, dtype in instants.items())
    return Counter(_text(row) for row in plain.iter_rows())


def _text(row: Sequence[Any]) -> str:
    return repr(tuple(_plain(value) for value in row))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any cell
    match value:
        case list():
            return [_plain(element) for element in value]
        case Decimal():
            return f"{value.normalize():f}" if value else "0"
        case float():
            return "NaN" if math.isnan(value) else repr(value)
    return value


def right_rows(datoms: Sequence[Datom]) -> dict[str, Counter[str]]:
    """What the oracle says."""
    rows: Mapping[str, list[Row]] = Oracle(datoms, DEFINITION, KEY).rows()
    return {f"contract-app/{name}": Counter(map(_text, own)) for name, own in rows.items()}


def computed(source: LogSource, store: FolderObjectStore, *, bucket_datoms: int) -> dict[str, Counter[str]]:
    """What the engine says."""
    wanted = ContractBuild(definition=DEFINITION, sources=(source,), pii_key=KEY, bucket_datoms=bucket_datoms)
    return {name: rows_of(dataset) for name, dataset in build(wanted, store, warn=lambda _: None).items()}


def differences(found: Mapping[str, Counter[str]], right: Mapping[str, Counter[str]]) -> dict[str, Any]:
    """The rows that only one side has."""
    return {
        name: {"too many": sorted(found[name] - right[name]), "lost": sorted(right[name] - found[name])}
        for name in right
        if found[name] != right[name]
    }


@given(st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, derandomize=True, phases=[Phase.generate])
def test_every_way_of_computing_shows_what_the_oracle_says(rng: Random) -> None:
    """From segments alone, and with a cache at any t, in one bucket and in many, up to any t."""
    check_cells(rng)


def check_cells(rng: Random) -> None:
    """Compute one random log in two ways, and compare both with the oracle."""
    log = RandomLog(rng, txes=rng.randint(3, 14), double_keys=True).log
    ts = sorted({t for _, _, _, t, _ in log})
    until_t = rng.choice(ts[2:])
    datoms = [datom for datom in log if datom[3] <= until_t]
    right = right_rows(datoms)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        (whole,) = sources_of(DEFINITION, store, [log])
        source = replace(whole, until_t=until_t)
        alone = computed(source, store, bucket_datoms=rng.choice([50, 4_000_000]))
        cut = rng.choice(ts)
        cache = write_cache(whole, store, folder="cache", last_t=cut, bucket_datoms=rng.choice([50, 4_000_000]))
        cached = computed(replace(source, cache=cache), store, bucket_datoms=rng.choice([50, 4_000_000]))

    assert differences(alone, right) == {}
    assert differences(cached, right) == {}


@given(st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, derandomize=True, phases=[Phase.generate])
def test_every_difference_between_two_days_is_explained(rng: Random) -> None:
    """Between any two t, with or without a cache, an excision, the key of personal data: nothing is at fault."""
    check_days(rng)


def check_days(rng: Random) -> None:
    """Compare two days of one random log; then damage one cell, which must be found."""
    log = RandomLog(rng, txes=rng.randint(3, 14), double_keys=True).log
    ts = sorted({t for _, _, _, t, _ in log})[1:]
    first, last = sorted(rng.choice(ts) for _ in range(2))
    excised = rng.choice(USERS) if rng.random() < 1 / 4 else None
    left = [datom for datom in log if datom[0] != excised]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        before, whole = (sources_of(DEFINITION, store, [datoms])[0] for datoms in (log, left))
        cut = rng.choice([t for t in ts if t <= first])
        cache = write_cache(whole, store, folder="cache", last_t=cut, bucket_datoms=rng.choice([50, 4_000_000]))
        source = replace(whole, until_t=last, cache=cache if rng.random() < 1 / 2 else None)
        yesterday = compute_day(DEFINITION, [replace(before, until_t=first)], store)
        today = compute_day(DEFINITION, [source], store)
        explaining = Explaining(
            reextracted=frozenset(DEFINITION.instances) if excised else frozenset(), pii_key=rng.choice([PII_KEY, None])
        )
        found = compare(yesterday, today, store, explaining)
        damaged = _damage(today, rng, store)
        again = compare(yesterday, damaged, store, explaining) if damaged else None

    assert list(faults_of(found)) == []
    assert again is None or list(faults_of(again)) != []


def _damage(day: Day, rng: Random, store: FolderObjectStore) -> Day | None:
    """The day with one cell changed that is not personal data; None without one."""
    hashed = {a.column for entity in DEFINITION.entities for a in entity.attributes if a.pii}
    places = []
    for name in sorted(day.tables):
        frame, key = day.frame(name), day.table(name).key
        for column in frame.columns:
            if column not in {*key, *hashed, "db__tx_instant"}:
                places += [
                    (name, n, column) for n in frame.with_row_index()["index"].filter(frame[column].is_not_null())
                ]
    if not places:
        return None
    name, row, column = rng.choice(places)
    frame = day.frame(name)
    return day.showing({name: with_other_cell(frame, row, column)}, store)


def with_other_cell(frame: pl.DataFrame, row: int, column: str) -> pl.DataFrame:
    """The rows with one cell null."""
    here = pl.int_range(pl.len()) == row
    return frame.with_columns(pl.when(~here).then(pl.col(column)).alias(column))
