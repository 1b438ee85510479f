"""bench/generate.py: generated logs are sound Datomic logs in sound segments, and equal for equal seeds."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from logcache_assets.cli.main import logcache
from logcache_assets.domain.contract_definitions import contract_tables, parse_definition
from logcache_assets.domain.segments import find_chain_faults
from logcache_assets.engine.log.read_segments import read_segment
from logcache_tests.bench.bank import (
    BENCH,
    DATOMS,
    SEGMENTS,
    TX_BASE,
    USER,
    Fact,
    Log,
    digests_of,
    log_in,
    read_log,
    segments_of,
    store_of,
    write_bank,
)

BALANCE, KEYS = ":account/balance", (":account/id", ":transaction/id")
CHANGING = (BALANCE, ":account/status", ":transaction/status", ":transaction/amount", ":transaction/settled")


@pytest.fixture(scope="module", params=["ledger", "deep"])
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bank of each shape."""
    return write_bank(tmp_path_factory.mktemp("bank") / request.param, shape=request.param)


@pytest.fixture
def log(out: Path) -> Log:
    """The log of the bank's first instance."""
    return log_in(out)


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    """Equal seeds give equal banks; another seed or another instance gives another log."""
    seeds = enumerate((1, 1, 2))
    first, again, other = (write_bank(tmp_path / str(n), datoms=1000, seed=seed) for n, seed in seeds)

    assert digests_of(first) == digests_of(again)
    assert {name for name, _ in digests_of(first).items() & digests_of(other).items()} == {"contracts/ledger.yaml"}
    assert not read_log(first, "s0")["v"].equals(read_log(first, "s1")["v"])


def test_every_segment_is_read_by_the_engine(out: Path) -> None:
    """Segments form a chain, files match their items, and the number of datoms is as requested."""
    segments = segments_of(out)
    frames = [read_segment(segment, store_of(out)) for segment in segments]
    sizes = [frame.height for frame in frames]

    for prototype in ("s0", "s1"):
        own = [segment for segment in segments if segment.instance.prototype == prototype]
        stamps = [segment.timestamp_ms for segment in own]
        assert len(own) == SEGMENTS
        assert find_chain_faults(own, after_t=0) == ()
        assert stamps == sorted(stamps)
    assert [f["t"].min() for f in frames] == [segment.initial_t for segment in segments]
    assert all(f["t"].is_sorted() for f in frames)
    assert DATOMS <= sum(sizes) < DATOMS + 100
    assert min(sizes) > 0.9 * DATOMS / SEGMENTS / 2


def test_each_tx_begins_with_its_instant(log: Log) -> None:
    """The first t is 1000, t grows, each tx is an entity of its own, and instants never decrease."""
    instants = []
    for t, datoms in log.txs():
        e, a, v, _, tx, added, instant = datoms[0]
        assert (e, a, added, tx) == (TX_BASE + t, 50, True, TX_BASE + t)
        assert v == f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03}Z"
        assert {d[6] for d in datoms} == {instant}
        assert [d[1] for d in datoms].count(50) == 1
        instants.append(instant)

    assert log.datoms[0][3] == 1000
    assert [d[3] for d in log.datoms] == sorted(d[3] for d in log.datoms)
    assert instants == sorted(instants)


def test_datoms_change_what_holds(log: Log) -> None:
    """No fact is asserted twice or retracted without holding, and cardinality one has one value."""
    facts: set[Fact] = set()
    held: Counter[tuple[int, int]] = Counter()
    for _, datoms in log.txs():
        for e, a, v, _, _, added, _ in datoms:
            assert ((e, a, v) in facts) is not added
            (facts.add if added else facts.remove)((e, a, v))
            held[e, a] += 1 if added else -1
        assert all(held[d[0], d[1]] <= 1 for d in datoms if d[1] not in log.many and d[0] != 0)


def test_an_update_asserts_before_it_retracts(log: Log) -> None:
    """Updates assert first, as in real logs, and no tx has a fact twice or two new values of an attribute."""
    for _, datoms in log.txs():
        assert max(Counter(d[:3] for d in datoms).values()) == 1
        one = [d for d in datoms if d[1] not in log.many and d[0] != 0]
        by_key: dict[tuple[int, int], list[bool]] = defaultdict(list)
        for d in one:
            by_key[d[0], d[1]].append(d[5])
        assert {tuple(order) for order in by_key.values()} <= {(True,), (False,), (True, False)}


def test_t_and_entities_draw_on_one_counter(log: Log) -> None:
    """Entity ids are the numbers that t skips, as Datomic assigns them."""
    numbers = {d[0] - USER for d in log.datoms if d[0] >= USER}
    ts = [t for t, _ in log.txs()]

    assert not numbers & set(ts)
    assert numbers | set(ts) == set(range(1000, max(numbers | set(ts)) + 1))
    seen: set[int] = set()
    for t, datoms in log.txs():
        born = {d[0] - USER for d in datoms if d[0] >= USER} - seen
        assert born == set(range(t + 1, t + 1 + len(born)))
        seen |= born


def test_everything_a_datom_names_is_there(log: Log) -> None:
    """Attributes are installed first, refs lead to existing entities, bootstrap entities have no datoms."""
    bootstrap = {0, *range(1, 72)}
    alive: Counter[int] = Counter()
    known = set(bootstrap)
    for _, datoms in log.txs():
        for e, a, _, _, _, added, _ in datoms:
            alive[e] += 1 if added else -1
            known |= {e} if a == 10 else set()
        assert {d[1] for d in datoms} <= known
        assert all(alive[int(d[2])] > 0 for d in datoms if d[1] in log.refs and d[5])
    assert not {d[0] for d in log.datoms} & (bootstrap - {0})


def test_a_retracted_entity_takes_its_references_along(log: Log, out: Path) -> None:
    """A closed account leaves no values and no references to it."""
    facts: set[Fact] = set()
    gone: list[str] = []
    released = 0
    for _, datoms in log.txs():
        facts |= {d[:3] for d in datoms if d[5]}
        facts -= {d[:3] for d in datoms if not d[5]}
        retracted = {d[0]: log.idents[d[1]] for d in datoms if not d[5] and log.idents[d[1]] in KEYS}
        gone += retracted.values()
        released += sum(d[1] in log.refs and d[0] not in retracted and int(d[2]) in retracted for d in datoms)
        for e in retracted:
            assert not [fact for fact in facts if fact[0] == e or (fact[1] in log.refs and fact[2] == str(e))]

    assert set(gone) == set(KEYS)
    # The small deep bank has hardly any accounts to close.
    assert released > 0 or out.name == "deep"


def test_the_log_has_everything_a_bench_needs(log: Log) -> None:
    """Logs have creations, updates, removals, many values, hot accounts, and equal numbers of different texts."""
    names = Counter((log.idents.get(d[1], d[1]), d[5]) for d in log.datoms)
    touched = Counter(d[0] for d in log.datoms if log.idents.get(d[1]) == BALANCE)
    amounts = {d[2] for d in log.datoms if log.idents.get(d[1]) in (":transaction/amount", BALANCE)}
    txs = len(list(log.txs()))

    assert 4 <= len(log.datoms) / txs <= 8
    assert all(names[ident, True] > 0 for e, ident in log.idents.items() if e < USER)
    assert all(names[ident, False] > 0 for ident in CHANGING)
    assert max(touched.values()) > 10 * min(touched.values())
    assert {len(amount.partition(".")[2]) for amount in amounts} == {1, 2}


def test_the_cuts_lie_at_segment_ends(tmp_path: Path) -> None:
    """The delta's segments follow `until-cache.json`, and none follows `until-end.json`."""
    out = write_bank(tmp_path / "out", datoms=4000, segments=20, delta=0.1)

    cut, end = (json.loads((out / f"until-{name}.json").read_text()) for name in ("cache", "end"))

    for name in ("ledger-s0", "ledger-s1"):
        last_ts = [segment.last_t for segment in segments_of(out) if segment.instance.name == name]
        assert (cut[name], end[name]) == (last_ts[17], last_ts[19])


def test_all_contracts_can_be_built(out: Path, tmp_path: Path) -> None:
    """The definitions fit the logs: contracts of every kind have values in every column."""
    tables = contract_tables(parse_definition((out / "contracts/ledger.yaml").read_text(), where="ledger.yaml"))
    inputs = {"root": "buckets", "index": "index.jsonl", "definitions": "contracts", "until": "until-end.json"}
    options = [word for name, path in inputs.items() for word in (f"--{name}", str(out / path))]

    told = CliRunner().invoke(logcache, ["contracts", *options, "--out", str(tmp_path)])

    assert told.exit_code == 0, told.output
    assert len(tables) == 7
    for table in tables:
        frame = pl.read_parquet(tmp_path / table.dataset / "*.parquet")
        assert frame.columns == list(table.columns)
        assert all(count < frame.height for count in frame.null_count().row(0))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        pytest.param({"instances": 16}, "prototypes", id="more instances than prototypes"),
        pytest.param({"datoms": 100}, "fewer segments", id="segments smaller than a tx"),
        pytest.param({"delta": 2.0}, "delta", id="a delta above the whole"),
    ],
)
def test_impossible_sizes_are_refused(size: dict[str, object], said: str, tmp_path: Path) -> None:
    """Impossible sizes are refused before anything is written."""
    with pytest.raises(ValueError, match=said):
        write_bank(tmp_path / "out", **size)

    assert not (tmp_path / "out").exists()


def test_an_earlier_bank_is_not_mixed_with_another(tmp_path: Path) -> None:
    """A folder that has logs is refused."""
    out = write_bank(tmp_path / "out", datoms=1000)
    before = digests_of(out)

    with pytest.raises(FileExistsError):
        write_bank(out, seed=2)
    assert digests_of(out) == before


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    """The script accepts underscores in sizes, and prints what it wrote."""
    command = [sys.executable, str(BENCH / "generate.py"), "--out", str(tmp_path / "out")]

    told = subprocess.run(
        [*command, "--datoms", "1_000", "--segments", "2"], capture_output=True, text=True, check=True
    )

    assert "ledger-s3: 25" in told.stdout
    assert "in 2 segments" in told.stdout
    assert len(segments_of(tmp_path / "out")) == 8
