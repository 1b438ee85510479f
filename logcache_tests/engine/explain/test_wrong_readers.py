"""The law of the cache catches readers that read too little or too much after the cache."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from msgspec.structs import replace as replace_entry

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.log.log_op import Delta, LogSource, ask_index, plan_delta
from logcache_tests.engine.app import NAME, A, define, log_of
from logcache_tests.engine.app_logs import DEFINITION
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.generated import source_of, write_segments
from logcache_tests.engine.law import Reader, answers_by, answers_of, sound_reader
from logcache_tests.engine.log.test_law_of_the_cache import Case, cases
from logcache_tests.engine.world import open_store, refuse_warning, write_cache


@given(cases())
@settings(max_examples=4)
def test_the_comparison_reads_as_the_engine_does(case: Case) -> None:
    """The comparison's own reader, which the wrong readers are based on, equals the engine."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = case.source(store)
        cached = replace(source, cache=case.cache(source, store))

        assert answers_by(sound_reader, DEFINITION, cached, store) == answers_of(case.build(source), store)


def reads_the_last_t_again(source: LogSource) -> Delta:
    """Reads `t >= last_t` instead of `t > last_t`."""
    assert source.cache is not None
    one_less = replace_entry(source.cache, last_t=source.cache.last_t - 1)
    return plan_delta(ask_index(replace(source, cache=one_less)), warn=refuse_warning)


def drops_the_first_segment(source: LogSource) -> Delta:
    """Loses the first segment after the cache."""
    delta = sound_reader(source)
    return replace(delta, chain=delta.chain[1:])


def drops_the_last_segment(source: LogSource) -> Delta:
    """Lacks the newest segment."""
    delta = sound_reader(source)
    return replace(delta, chain=delta.chain[:-1])


def reads_a_segment_twice(source: LogSource) -> Delta:
    """Reads one segment twice, as if two overlapped."""
    delta = sound_reader(source)
    return replace(delta, chain=(*delta.chain, *delta.chain[-1:]))


def skips_a_t(source: LogSource) -> Delta:
    """Reads `t > last_t + 1`, as if t were dense."""
    delta = sound_reader(source)
    return replace(delta, after_t=delta.after_t + 1)


ALWAYS_WRONG = [
    reads_the_last_t_again,
    drops_the_first_segment,
    drops_the_last_segment,
    reads_a_segment_twice,
]


@pytest.mark.parametrize("reader", ALWAYS_WRONG)
@given(case=cases())
@settings(max_examples=4)
def test_a_wrong_reader_is_always_caught(reader: Reader, case: Case) -> None:
    """Every wrong reader is caught on any log with datoms after the cache."""
    assume(case.cut < case.log.ts[-1])
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        source = replace(case.source(store), until_t=None)
        cached = replace(source, cache=case.cache(source, store))

        assert answers_by(reader, DEFINITION, cached, store) != answers_of(case.build(source), store)


SMALL = log_of(
    (A, "user/id", "a", 1001, True),
    (A, "user/name", "Ana", 1002, True),
    (A, "user/name", "Eva", 1003, True),
    (A, "user/name", "Ana", 1003, False),
    (A, "user/name", "Eva", 1004, False),
)


@pytest.mark.parametrize("reader", [drops_the_first_segment, drops_the_last_segment, skips_a_t])
def test_what_is_not_read_is_missed_in_the_contracts(reader: Reader, store: FolderObjectStore) -> None:
    """A lost tx shows in the contracts too, not only in the datoms."""
    definition = define(NAME)
    source = source_of(*write_segments(SMALL, (1002, 1003, 1004), store, instance=definition.instances[0]))
    cached = replace(source, cache=write_cache(source, store, folder="cache", last_t=1002))
    wanted = ContractBuild(definition=definition, sources=(source,), pii_key=PII_KEY)

    found, alone = answers_by(reader, definition, cached, store), answers_of(wanted, store)

    assert found.contracts != alone.contracts
    assert answers_by(sound_reader, definition, cached, store) == alone
