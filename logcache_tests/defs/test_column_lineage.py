"""Column lineage and the launchpad: what a column shows, and what a field of the run config means."""

import dagster as dg

from logcache_assets.catalog import load_catalog
from logcache_assets.defs.column_lineage import attribute_schema, contract_lineage, datomic_key
from logcache_assets.defs.jobs import REFRESH_JOB
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.local_platform.world import World
from logcache_tests.worlds import definitions_of


def test_a_column_leads_to_its_attributes(feed_world: World) -> None:
    """A ref leads to itself and to what it resolves to; the instant of a row to the transaction's."""
    (definition,) = load_catalog(feed_world.catalog)
    table = next(t for t in contract_tables(definition) if t.dataset == "contract-feed/account-status-history")

    lineage = contract_lineage(table, datomic_key("feed"))

    assert {column: [dep.column_name for dep in deps] for column, deps in lineage.deps_by_column.items()} == {
        "account__id": ["account/id"],
        "db__tx_instant": ["db/txInstant"],
        "account__status": ["account/status", "db/ident"],
    }
    named = {column.name for column in attribute_schema(definition).columns}
    assert named >= {dep.column_name for deps in lineage.deps_by_column.values() for dep in deps}


def test_every_field_of_the_launchpad_is_described(feed_world: World) -> None:
    """Each has a sentence and a default that works."""
    job = definitions_of(feed_world).resolve_job_def(REFRESH_JOB)
    fields = {
        f"{node.name}.{name}": field
        for node in job.nodes
        if isinstance(node.definition, dg.OpDefinition) and node.definition.config_field
        for name, field in getattr(node.definition.config_field.config_type, "fields", {}).items()
    }

    assert {name.split(".")[-1] for name in fields} >= {"transaction", "selection", "verify_all", "again"}
    assert [name for name, field in fields.items() if not field.description] == []
    assert [name for name, field in fields.items() if field.is_required] == []
