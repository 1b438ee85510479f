"""Asset keys of contracts: the one place where names of datasets become names that Dagster takes.

A key may hold any character, but Dagster makes the names of ops, inputs and checks from it: it joins the parts by `__`,
turns `-` and `.` into `_` and refuses all but letters, digits and `_`. So two parts that differ must still differ then.
"""

import hashlib
import re

import dagster as dg

from logcache_assets.domain.names import split_contract

_PLAIN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
"""Names that stay as they are: without `_` and `--`, they can be read back from what Dagster makes of them."""
_OTHERS = re.compile(r"[^A-Za-z0-9]+")


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
