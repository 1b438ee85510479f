"""Asset keys of contracts: the one place where names of datasets become names that Dagster takes.

A key may hold any character, but Dagster makes the names of ops, inputs and checks from it: it joins the parts by `__`,
turns `-` and `.` into `_` and refuses all but letters, digits and `_`. So two parts that differ must still differ then.
"""

import hashlib
import re

import dagster as dg

from logcache_assets.domain.locations import Stage
from logcache_assets.domain.names import COUNTRY, split_contract

_PLAIN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
"""Names that stay as they are: without `_` and `--`, they can be read back from what Dagster makes of them."""
_OTHERS = re.compile(r"[^A-Za-z0-9]+")


INVENTORY = "contract_inventory"
"""The asset that lists all contracts. Its document lies in the folder of `Stage.CONTRACTS`."""
PUBLISHED = "log_cache"
"""How the key of a published cache begins: `log_cache/feed`."""
REFRESHED = "refreshed"
"""The assets that say of each database whether a refresh took it, or left it out."""
_FIRST_PARTS = frozenset({*(stage.value for stage in Stage), INVENTORY, PUBLISHED, REFRESHED})
"""How a key begins, but for the country."""


def of_country(assets: dg.AssetsDefinition, country: str) -> dg.AssetsDefinition:
    """The assets under the keys of a country, so that code locations of several countries can share one Dagster.

    Brazil's keys are as they are; those of another country begin with its code, `mx/log_export/feed`.
    """
    prefix = country_prefix(country)
    if not prefix:
        return assets
    keys = {*assets.keys, *(dep.asset_key for spec in assets.specs for dep in spec.deps)}
    return assets.with_attributes(asset_key_replacements={key: key.with_prefix(prefix) for key in keys})


def spec_of_country(spec: dg.AssetSpec, country: str) -> dg.AssetSpec:
    """An asset that is only shown, under the key of a country, as `of_country` does with those that are made."""
    prefix = country_prefix(country)
    if not prefix:
        return spec
    deps = [dg.AssetDep(dep.asset_key.with_prefix(prefix)) for dep in spec.deps]
    return spec.replace_attributes(key=spec.key.with_prefix(prefix), deps=deps)


def key_of_country(country: str, *parts: str) -> dg.AssetKey:
    """The key of these parts in a country."""
    return dg.AssetKey([*country_prefix(country), *parts])


def country_prefix(country: str) -> list[str]:
    """The parts that a country's keys begin with."""
    return [] if country == COUNTRY else [country.lower()]


def own_path(key: dg.AssetKey) -> tuple[str, ...]:
    """The parts of a key without those of its country."""
    begins = next((n for n, part in enumerate(key.path) if part in _FIRST_PARTS), 0)
    return tuple(key.path[begins:])


def located(key: dg.AssetKey, context: dg.AssetExecutionContext) -> dg.AssetKey:
    """The key under which the code location of a step knows an asset."""
    step = context.assets_def
    own = next(iter({*step.keys, *(check.asset_key for check in step.check_keys)}))
    prefix = own.path[: len(own.path) - len(own_path(own))]
    return key.with_prefix(prefix) if prefix else key


def contract_key(stage: str, dataset: str) -> dg.AssetKey:
    """`contract/feed/transactions` for the dataset `contract-feed/transactions`."""
    database, name = split_contract(dataset)
    return dg.AssetKey([stage, database, key_part(name)])


def key_part(name: str) -> str:
    """A name as a part of a key, another part for every name.

    name                          part
    transaction-status-history    transaction-status-history
    user-active?-history          user-active-history-fff9e9718342
    """
    if _PLAIN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return "-".join([*filter(None, _OTHERS.split(name)), digest])
