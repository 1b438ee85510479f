"""A seeded fuzzer: mutated inputs of every kind never end in a traceback, a hang, or a wrong contract.

The suite runs a few of each kind; `make test-fuzz` runs a thousand. A failure names the seed that repeats it.
"""

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.metapod.transport import requests_transport
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.errors import LogCacheError
from logcache_assets.settings import Settings, load_settings
from logcache_tests.fuzz.mutations import OF_BYTES, OF_TEXTS, VALUES
from logcache_tests.fuzz.small_world import build, compute, files_of, tables, validate
from logcache_tests.servers.metapod_server import served

PER_KIND = int(os.environ.get("FUZZ_PER_KIND", "4"))
"""How many inputs of each kind."""
SECONDS = 240
"""What hangs longer than this has no end; the machine may be busy."""
LONGEST = 4000
"""How many characters are said of a bad input at most."""

DATA = {"map": OF_TEXTS, "manifest": OF_TEXTS, "cache": OF_BYTES, "segment": OF_BYTES}
"""Kinds that change no contract: it is the same, or refused."""
WISHES = {"until": OF_TEXTS, "index": OF_TEXTS, "definition": OF_TEXTS}
"""Kinds that say which contracts are wanted, or of which log."""
TRANSACTION = {
    "id": "49ae32bb-c260-4622-ac10-753cfd8fa7b3",
    "name": "daily",
    "type": "DAILY",
    "startedAt": "2018-05-28T01:00:00Z",
    "targetDate": "2018-05-28",
    "referenceDate": "2018-05-27",
    "datasets": [
        {
            "name": "raw-feed-s0/log",
            "committedAt": "2018-05-28T02:30:15.250Z",
            "abortedAt": None,
            "path": "s3://b/log",
            "schema": {"attributes": [{"name": "e", "logicalType": "INTEGER"}]},
        }
    ],
}


@contextmanager
def bounded() -> Iterator[None]:
    """Fail what takes too long."""

    def hang(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refusal_of(read: Callable[[], object]) -> str:
    """What is said of an input that is refused; empty if it is read."""
    try:
        read()
    except LogCacheError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sound world, with its contracts in `out`."""
    home = tmp_path_factory.mktemp("fuzz") / "home"
    build(home)
    assert compute(home, home / "out") == 0
    assert validate(home, home / "out", home / "out") == 0
    return home


def spoilt(home: Path, folder: Path, kind: str, rng: random.Random) -> Path:
    """A copy of the world with one mutated file."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(home, folder)
    file = rng.choice(files_of(folder, kind))
    file.write_bytes(rng.choice({**DATA, **WISHES, "rules": OF_TEXTS}[kind])(rng, file.read_bytes()))
    return folder


@pytest.mark.parametrize("n", range(PER_KIND))
@pytest.mark.parametrize("kind", [*DATA, *WISHES])
def test_a_mutated_input_gives_the_same_contracts_or_a_sentence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, n: int
) -> None:
    """Exit code 0 means the contracts of the sound world, unless others were asked for."""
    rng = random.Random(f"{kind} {n}")  # noqa: S311 - a seed, no secret
    world = spoilt(home, tmp_path / "world", kind, rng)

    with bounded():
        code = compute(world, world / "again")

    said = capsys.readouterr().err
    assert code in {0, 1}
    assert len(said) < LONGEST
    if code:
        assert said.strip().splitlines()[-1].startswith("logcache: ")
        assert not list((world / "again").rglob("*.parquet"))
    elif kind in DATA:
        assert tables(world / "again") == tables(home / "out")


@pytest.mark.parametrize("n", range(PER_KIND))
def test_a_mutated_contract_is_not_approved(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], n: int
) -> None:
    """Unless its rows are yesterday's."""
    rng = random.Random(f"contract {n}")  # noqa: S311 - a seed, no secret
    shutil.copytree(home / "out", tmp_path / "today")
    file = rng.choice(sorted((tmp_path / "today").rglob("*.parquet")))
    file.write_bytes(rng.choice(OF_BYTES)(rng, file.read_bytes()))

    with bounded():
        code = validate(home, home / "out", tmp_path / "today")

    assert code in {0, 1}
    assert len(capsys.readouterr().err) < LONGEST
    if code == 0:
        assert tables(tmp_path / "today") == tables(home / "out")


@pytest.mark.parametrize("n", range(PER_KIND))
def test_mutated_rules_are_read_or_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], n: int
) -> None:
    """In one sentence."""
    world = spoilt(home, tmp_path / "world", "rules", random.Random(f"rules {n}"))  # noqa: S311 - a seed

    with bounded():
        code = validate(world, home / "out", home / "out")

    assert code in {0, 1}
    assert len(capsys.readouterr().err) < LONGEST


@pytest.mark.parametrize("n", range(PER_KIND))
def test_a_mutated_answer_of_metapod_is_understood_or_refused(n: int) -> None:
    """Whatever a server or a gateway sends."""
    rng = random.Random(f"answer {n}")  # noqa: S311 - a seed, no secret
    answer = json.dumps({"data": {"transaction": TRANSACTION}}).encode()
    mutated = rng.choice(OF_TEXTS)(rng, answer).decode("utf-8", "replace")

    with served(None) as server, bounded():  # type: ignore[arg-type] # no schema is asked
        server.next = [(rng.choice((200, 200, 200, 400, 500)), mutated)] * 9
        client = GraphQLMetapod(requests_transport(server.url), reads=RepeatedReads(attempts=1))
        said = refusal_of(lambda: client.transaction(str(TRANSACTION["id"])))
    assert len(said) < LONGEST


@pytest.mark.parametrize("n", range(PER_KIND))
def test_mutated_settings_are_taken_or_refused(n: int) -> None:
    """Each setting with a strange value."""
    rng = random.Random(f"settings {n}")  # noqa: S311 - a seed, no secret
    names = rng.sample(Settings.__struct_fields__, k=3)
    environment = {f"LOGCACHE_{name.upper()}": rng.choice(VALUES).decode("utf-8", "surrogateescape") for name in names}

    with bounded():
        said = refusal_of(lambda: load_settings(environment))
    assert len(said) < LONGEST
