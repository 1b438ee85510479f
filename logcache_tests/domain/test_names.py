"""The contracts' naming rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logcache_assets.domain.instances import Instance
from logcache_assets.domain.names import canonical_dataset, column_name, contract_dataset, history_name, raw_datasets

FACTS = [
    pytest.param(":transaction/post-date", "transaction__post_date", "transaction-post-date-history", id="a hyphen"),
    pytest.param("transaction/post-date", "transaction__post_date", "transaction-post-date-history", id="no colon"),
    pytest.param(":db/txInstant", "db__txInstant", "db-txInstant-history", id="upper case stays"),
    pytest.param(":nu.bank/tax-id", "nu_bank__tax_id", "nu-bank-tax-id-history", id="a dot"),
    pytest.param(":account/ok?", "account__ok?", "account-ok?-history", id="anything else stays"),
    pytest.param(":account/a_b", "account__a_b", "account-a_b-history", id="an underscore stays"),
]


@pytest.mark.parametrize(("attribute", "column", "history"), FACTS)
def test_an_attribute_names_its_column_and_its_history(attribute: str, column: str, history: str) -> None:
    """`/` → `__`, `-` and `.` → `_` in columns; `/` and `.` → `-` in dataset names."""
    assert column_name(attribute) == column
    assert history_name(attribute) == history


@pytest.mark.parametrize(
    ("keyword", "shown"),
    [
        pytest.param(":status/settled", "status__settled", id="an enum"),
        pytest.param(":settled", "settled", id="without namespace"),
        pytest.param(":a:b/c", "a:b__c", id="only the leading colon goes"),
    ],
)
def test_a_keyword_as_a_value_follows_the_column_rule(keyword: str, shown: str) -> None:
    """`:status/settled` is shown as `status__settled`."""
    assert column_name(keyword) == shown


@given(attribute=st.from_regex(r":?[a-zA-Z0-9.*+!_?-]+/[a-zA-Z0-9.*+!_?-]+", fullmatch=True))
def test_a_column_has_none_of_the_replaced_characters(attribute: str) -> None:
    """For every attribute: no slash, hyphen or dot is left, and the rule applied twice changes nothing."""
    column = column_name(attribute)

    assert not set(column) & set("/-.")
    assert column_name(column) == column


def test_datasets_are_named_after_database_and_instance() -> None:
    """`contract-feed/transactions`; raw datasets carry the instance, the log before its entities."""
    instance = Instance(database="double-entry-t5b", prototype="s0")

    assert contract_dataset("feed", "transactions") == "contract-feed/transactions"
    assert raw_datasets(instance) == (
        "raw-double-entry-t5b-s0/log",
        "raw-double-entry-t5b-s0/materialized-entities",
    )


@pytest.mark.parametrize(
    ("name", "country", "canonical"),
    [
        pytest.param("raw-feed-s0/log", "BR", "raw-feed-s0/log", id="the older form"),
        pytest.param("nu-br/raw/feed-s0/log", "BR", "raw-feed-s0/log", id="the newer form"),
        pytest.param(
            "nu-br/raw/feed-s0/materialized-entities", "BR", "raw-feed-s0/materialized-entities", id="entities"
        ),
        pytest.param("nu-br/contract/feed/transactions", "BR", "contract-feed/transactions", id="a contract"),
        pytest.param("nu-mx/raw/feed-s0/log", "MX", "raw-feed-s0/log", id="of another country, there"),
        pytest.param("nu-mx/raw/feed-s0/log", "BR", "nu-mx/raw/feed-s0/log", id="of another country, here"),
        pytest.param("nu-br/raw/nu-br-s0/log", "BR", "raw-nu-br-s0/log", id="a database named as the country"),
        pytest.param("raw-nu-br-s0/log", "BR", "raw-nu-br-s0/log", id="the same in the older form"),
        pytest.param("nu-br/raw/raw-s0/log", "BR", "raw-raw-s0/log", id="a database named raw"),
        pytest.param("nu-br/contract/contract/raw", "BR", "contract-contract/raw", id="a database named contract"),
        pytest.param("raw/raw/raw-s0/log", "BR", "raw/raw/raw-s0/log", id="no country"),
        pytest.param("nu-br/raw/log", "BR", "nu-br/raw/log", id="too few parts"),
        pytest.param("nu-br/raw/feed-s0/log/old", "BR", "nu-br/raw/feed-s0/log/old", id="too many parts"),
        pytest.param("nu-br/raw//log", "BR", "nu-br/raw//log", id="an empty part"),
        pytest.param("nu-br/dataset/feed/x", "BR", "nu-br/dataset/feed/x", id="another kind"),
        pytest.param("NU-BR/raw/feed-s0/log", "BR", "NU-BR/raw/feed-s0/log", id="upper case"),
    ],
)
def test_a_dataset_has_one_name_here(name: str, country: str, canonical: str) -> None:
    """Metapod may name it in two ways; nothing else becomes a name of ours."""
    assert canonical_dataset(name, country=country) == canonical
