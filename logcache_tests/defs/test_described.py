"""What every asset's page says beside its own description: owners, tags, code version, code references."""

from collections.abc import Sequence
from dataclasses import replace

import dagster as dg
from msgspec.structs import replace as with_fields

from logcache_assets.catalog import load_catalog
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.described import definition_version
from logcache_assets.domain.contract_definitions import contract_tables
from logcache_assets.local_platform.world import World
from logcache_assets.settings import Settings
from logcache_tests.worlds import definitions_of, settings_at

ON_GITHUB = {"repository": "github", "github_repository": "acme/itaipu", "github_token": "only in tests"}


def test_a_database_has_the_owners_and_tags_of_its_definition(world: World) -> None:
    """All that belongs to it, and nothing else."""
    catalog = tuple(
        with_fields(d, owners=("team:cards", "ana@bank.example"), tags={"domain": "cards"})
        if d.database == "feed"
        else d
        for d in load_catalog(world.catalog)
    )
    graph = build_definitions(world.settings, catalog=catalog).resolve_asset_graph()

    found = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).owners[0] == "team:cards"}
    tagged = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).tags.get("domain")}

    assert found == tagged
    assert {"log_cache/feed", "permanent_log/feed", "segments/feed", "contract/feed/accounts"} <= found
    assert not {"nightly_transaction", "log_cache/customers"} & found


def test_a_contract_shows_where_it_is_declared(world: World) -> None:
    """The line of its primary key: a file of the catalog, on GitHub a page of the base branch; then the code."""
    on_github = settings_at(world.home, **ON_GITHUB)
    (line,) = (
        number
        for number, text in enumerate((world.catalog / "feed.yaml").read_text(encoding="utf-8").splitlines(), start=1)
        if "primary_key: account/id" in text
    )

    here, there = (references_of(settings, "contract/feed/accounts") for settings in (world.settings, on_github))

    assert isinstance(here[0], dg.LocalFileCodeReference)
    assert (here[0].file_path, here[0].line_number) == (str(world.catalog / "feed.yaml"), line)
    assert isinstance(there[0], dg.UrlCodeReference)
    assert there[0].url == f"https://github.com/acme/itaipu/blob/main/contracts/feed.yaml#L{line}"


def references_of(settings: Settings, key: str) -> Sequence[object]:
    """The code references of an asset."""
    graph = build_definitions(settings, catalog=load_catalog(settings.catalog_folder)).resolve_asset_graph()
    shown = graph.get(dg.AssetKey.from_user_string(key)).metadata["dagster/code_references"]
    assert isinstance(shown, dg.CodeReferencesMetadataValue)
    return shown.code_references


def test_a_code_version_changes_when_a_result_may(world: World) -> None:
    """That of a contract with its definition, but not with the lines of the file; what is only shown has none."""
    definition = next(d for d in load_catalog(world.catalog) if d.database == "feed")
    table = next(iter(contract_tables(definition)))
    moved = replace(table, entity=with_fields(table.entity, line=99))
    hashed = replace(table, attributes=tuple(with_fields(a, pii=True) for a in table.attributes))

    version = definition_version(definition, table)
    graph = definitions_of(world).resolve_asset_graph()

    assert definition_version(definition, moved) == version
    assert definition_version(definition, hashed) != version
    assert definition_version(with_fields(definition, prototypes=("s0",)), table) != version
    made = graph.materializable_asset_keys
    assert {key for key in graph.get_all_asset_keys() if graph.get(key).code_version} == made
