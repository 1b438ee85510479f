"""Contracts of many attributes: small ones share frames, and nothing else of them changes."""

from collections.abc import Callable, Sequence

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.kinds import KIND_NAMES
from logcache_assets.engine.contracts import row_values
from logcache_assets.engine.contracts.build_contracts import ContractBuild
from logcache_assets.engine.facts import cells
from logcache_tests.engine.app import sources_of
from logcache_tests.engine.builds import build
from logcache_tests.engine.expected import PII_KEY
from logcache_tests.engine.law import Rows, contracts_of
from logcache_tests.engine.wide import wide_definition, wide_log
from logcache_tests.engine.width import assert_linear
from logcache_tests.engine.world import DATABASES, definition_of, driver_in, source_at


def test_contracts_ask_for_no_more_queries_when_they_have_more_columns(store: FolderObjectStore) -> None:
    """Attributes of one kind are folded, typed and put into rows at once, however many they are."""

    def of_width(width: int) -> Callable[[], object]:
        definition, driver = wide_definition(width), driver_in(store)
        sources = sources_of(definition, store, [wide_log(width)])
        wanted = ContractBuild(definition=definition, sources=sources, pii_key=PII_KEY)
        return lambda: build(wanted, store, driver=driver)

    assert_linear(of_width, (24, 48, 72))


def contracts_with(store: FolderObjectStore, database: str, kinds: Sequence[str] = KIND_NAMES) -> Rows:
    """The contracts of a real log."""
    definition = definition_of(database)
    sources = tuple(source_at(instance, "end") for instance in definition.instances)
    wanted = ContractBuild(definition=definition, sources=sources, pii_key=PII_KEY, kinds=tuple(kinds))
    return contracts_of(wanted, store)


@pytest.mark.parametrize(("shared_rows", "cells_at_once"), [(0, 1), (100, 1), (4096, 5000)])
@pytest.mark.parametrize("database", DATABASES)
def test_what_shares_a_frame_changes_no_cell(
    database: str,
    shared_rows: int,
    cells_at_once: int,
    shared_store: FolderObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A real log gives the same rows if no attributes share a frame, if few do, if few columns are computed at once."""
    expected = contracts_with(shared_store, database)
    monkeypatch.setattr(cells, "SMALL_ROWS", shared_rows)
    monkeypatch.setattr(cells, "SHARED_ROWS", shared_rows)
    monkeypatch.setattr(row_values, "CELLS_AT_ONCE", cells_at_once)

    assert contracts_with(shared_store, database) == expected
