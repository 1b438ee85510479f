"""bench/many_databases.py: the catalog is as large as it says, and Dagit knows the queries."""

import subprocess
import sys
from pathlib import Path

import pytest
from dagster_graphql.schema import create_schema
from graphql import GraphQLSchema, parse, validate

from logcache_assets.catalog import load_catalog
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_tests.bench.bank import load_script

BURNS_A_SECOND = "import time\nwhile time.process_time() < 1: pass\n"
STARTS_ANOTHER = (
    f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURNS_A_SECOND!r}])\nprint(flush=True)\ninput()"
)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """Of Dagit's API."""
    return create_schema().graphql_schema  # type: ignore[no-any-return]


def test_every_database_has_ten_contracts(tmp_path: Path) -> None:
    """Three databases have thirty, each of one of the three kinds."""
    load_script("many_databases").write_catalog(tmp_path / "catalog", databases=3)

    catalog = load_catalog(tmp_path / "catalog")

    tables = [table for definition in catalog for table in contract_tables(definition)]
    assert [definition.database for definition in catalog] == ["bank-000", "bank-001", "bank-002"]
    assert len(tables) == 30
    assert len({table.kind.name for table in tables}) == 3


@pytest.mark.parametrize("name", ["LOADED", "LIVE", "CATALOG", "WORKSPACE_ASSETS", "CHECKS"])
def test_dagit_knows_the_query(name: str, schema: GraphQLSchema) -> None:
    """A field that another release of Dagster lacks is seen before the benchmark fails."""
    query = getattr(load_script("many_databases"), name)

    assert validate(schema, parse(query)) == []


def test_a_process_that_was_waited_for_counts() -> None:
    """Its CPU second belongs to the one that started it."""
    command = [sys.executable, "-c", STARTS_ANOTHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

        spent = load_script("measure").cpu_seconds_of(process.pid)

        process.communicate(b"\n")
    assert 1 <= spent < 60
