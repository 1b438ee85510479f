"""Names that Dagster takes: every dataset has a key of its own, and what Dagster makes of it is its own, too."""

import re

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.defs.asset_keys import contract_key

DAGSTERS = re.compile(r"[A-Za-z0-9_]+")
"""What Dagster takes as the name of an op, an output or a check."""
NAMES = st.text(alphabet="ab-_.?é/A", min_size=1, max_size=6)
DATABASES = st.from_regex(r"[ab]+(-[ab]+)*", fullmatch=True)


def identifier_of(dataset: str) -> str:
    """What Dagster makes of the key."""
    return contract_key("contract", dataset).to_python_identifier()


def test_an_ordinary_name_stays() -> None:
    """Keys of everyday names are the datasets' own parts."""
    key = contract_key("contract", "contract-double-entry/transaction-status-history")

    assert key == dg.AssetKey(["contract", "double-entry", "transaction-status-history"])


@pytest.mark.parametrize(
    "name", ["card-active?-history", "user-descrição-history", "---x-history", "a\\b", "木", "a_b"]
)
def test_any_name_becomes_one_that_dagster_takes(name: str) -> None:
    """Letters, digits and underscores, in the key's name as well as in a check's."""
    key = contract_key("contract", f"contract-feed/{name}")
    spec = dg.AssetCheckSpec("sound", asset=key)

    assert DAGSTERS.fullmatch(key.to_python_identifier())
    assert DAGSTERS.fullmatch(spec.get_python_identifier())


@given(one=st.tuples(DATABASES, NAMES), other=st.tuples(DATABASES, NAMES))
def test_two_datasets_never_share_a_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Neither their keys nor what Dagster makes of them are the same."""
    datasets = ["contract-" + "/".join(parts) for parts in (one, other)]

    assert (datasets[0] == datasets[1]) == (identifier_of(datasets[0]) == identifier_of(datasets[1]))
