"""What every asset's page says beside its own description: who owns it, which code makes it, where that is written."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg

import logcache_assets
from logcache_assets.catalog import Catalog
from logcache_assets.defs.asset_keys import contract_key, key_of_country
from logcache_assets.domain.canonical_json import canonical_json, sha256_of
from logcache_assets.domain.contract_definitions import (
    ContractTable,
    DatabaseDefinition,
    contract_tables,
    definition_path,
)
from logcache_assets.domain.locations import Stage
from logcache_assets.settings import Settings

OWNERS = ("team:data-platform",)
"""Of whatever no definition gives an owner."""
CODE = "dagster/code_references"
SHOWN_CHARACTERS = 12
RESULTS = ("adapters", "domain", "engine", "refresh")
"""The packages whose code decides what a stage gives; commands, pages and the local world do not."""

Described = dg.AssetsDefinition | dg.AssetSpec


def described(assets: Iterable[Described], catalog: Catalog, settings: Settings) -> Sequence[Any]:
    """Give each asset the owners and tags of its database, and those that a run makes a code version."""
    describe = _Describe(
        definitions={definition.database: definition for definition in catalog},
        tables=dict(_tables(catalog, settings)),
        settings=settings,
    )
    with warnings.catch_warnings():
        # Code references are what Dagster calls beta; this project names the one version that it runs with.
        warnings.simplefilter("ignore", dg.BetaWarning)
        made = [asset.map_asset_specs(describe) for asset in assets if isinstance(asset, dg.AssetsDefinition)]
        shown = [describe.owned(asset) for asset in assets if isinstance(asset, dg.AssetSpec)]
        return [*dg.with_source_code_references(made), *shown]


def _tables(catalog: Catalog, settings: Settings) -> Iterable[tuple[dg.AssetKey, ContractTable]]:
    """The contract of each asset."""
    for definition in catalog:
        for table in contract_tables(definition):
            key = contract_key(Stage.CONTRACTS, table.dataset)
            yield key_of_country(settings.country, *key.path), table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Describe:
    """Says what is known of an asset from the catalog. To replace an attribute costs more than to find it."""

    definitions: Mapping[str, DatabaseDefinition]
    tables: Mapping[dg.AssetKey, ContractTable]
    settings: Settings

    def __call__(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """An asset that a run makes."""
        if (table := self.tables.get(spec.key)) is None:
            return self.owned(spec, code_version=code_version())
        definition = self.definitions[spec.tags["database"]]
        declared = dg.CodeReferencesMetadataValue(code_references=[_declared_at(definition, table, self.settings)])
        version = f"{code_version()}-{definition_version(definition, table)}"
        return self.owned(spec, code_version=version, metadata={**spec.metadata, CODE: declared})

    def owned(self, spec: dg.AssetSpec, **more: Any) -> dg.AssetSpec:  # noqa: ANN401 - attributes of any asset
        """Any asset."""
        definition = self.definitions.get(spec.tags.get("database", ""))
        if definition is None:
            return spec.replace_attributes(owners=OWNERS, **more)
        return spec.replace_attributes(
            owners=definition.owners or OWNERS, tags={**definition.tags, **spec.tags}, **more
        )


def definition_version(definition: DatabaseDefinition, table: ContractTable) -> str:
    """Changes when the table of a definition may; the order and the lines of the file do not."""
    shown = [[attribute.attribute, attribute.ref, attribute.pii] for attribute in table.attributes]
    asked = [definition.prototypes, table.kind.name, table.entity.primary_key, shown]
    return sha256_of(canonical_json(asked))[:SHOWN_CHARACTERS]


@cache
def code_version() -> str:
    """Digest of the code that decides what a stage gives."""
    package, said = Path(logcache_assets.__file__).parent, sha256()
    for path in sorted(path for name in RESULTS for path in (package / name).rglob("*.py")):
        said.update(f"\n{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return said.hexdigest()[:SHOWN_CHARACTERS]


def _declared_at(
    definition: DatabaseDefinition, table: ContractTable, settings: Settings
) -> dg.UrlCodeReference | dg.LocalFileCodeReference:
    """Where analysts declare the contract."""
    line, path = table.entity.line, definition_path(definition.database)
    if page := settings.repository_page:
        return dg.UrlCodeReference(url=f"{page}/blob/{settings.github_base_branch}/{path}#L{line}", label=path)
    file = settings.catalog_folder / Path(path).name
    return dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=path)
