"""Contract definitions: what a file declares, and the line of every mistake in it."""

import json
import re
from pathlib import Path

import pytest

from logcache_assets.domain.contract_definitions import ContractTable, contract_tables, parse_definition
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.demo_data import PACKAGED

EXPECTED = Path(__file__).parent.parent / "datomic" / "expected" / "end" / "columns.json"
WHERE = "contracts/feed.yaml"
GOOD = """\
database: feed
prototypes: [s0, s1]
entities:
  - name: transactions
    primary_key: transaction/id
    snapshot: true
    attributes:
      - attribute: transaction/status
        ref: db/ident
        history: true
      - {attribute: transaction/amount}
  - name: accounts
    primary_key: account/id
    attributes:
      - {attribute: account/status, history: true}
      - {attribute: account/holder-name, pii: true}
"""


def tables_of(database: str) -> tuple[ContractTable, ...]:
    """Every contract dataset of a database of the demo."""
    file = PACKAGED / "contracts" / f"{database}.yaml"
    return contract_tables(parse_definition(file.read_text(encoding="utf-8"), where=str(file)))


def refusal_of(text: str, *, where: str = WHERE) -> str:
    """Why a text is no definition."""
    with pytest.raises(BadInput) as refusal:
        parse_definition(text, where=where)
    return str(refusal.value)


@pytest.mark.parametrize("database", ["customers", "double-entry", "feed"])
def test_a_definition_declares_the_datasets_and_columns_that_datomic_gave(database: str) -> None:
    """The demo's datasets, and their columns in order, are those of the expected answers."""
    expected = {
        dataset: tuple(columns)
        for dataset, columns in json.loads(EXPECTED.read_text(encoding="utf-8")).items()
        if dataset.startswith(f"contract-{database}/")
    }

    tables = tables_of(database)

    assert {table.dataset: table.columns for table in tables} == expected
    assert len(tables) == len(expected)


def test_a_definition_gives_its_tables_in_order() -> None:
    """Entity, snapshot, histories, entity by entity; each with the key of its kind."""
    definition = parse_definition(GOOD, where=WHERE)

    tables = contract_tables(definition)

    assert [(table.dataset, table.kind.name, table.key) for table in tables] == [
        ("contract-feed/transactions", "entity", ("transaction__id", "prototype")),
        ("contract-feed/transactions-snapshot", "snapshot", ("transaction__id", "prototype", "db__t")),
        ("contract-feed/transaction-status-history", "history", ("transaction__id", "prototype", "db__t")),
        ("contract-feed/accounts", "entity", ("account__id", "prototype")),
        ("contract-feed/account-status-history", "history", ("account__id", "prototype", "db__t")),
    ]
    assert [instance.name for instance in definition.instances] == ["feed-s0", "feed-s1"]


def test_tables_can_be_chosen_by_kind() -> None:
    """Histories alone, or several kinds in the order of the definition."""
    definition = parse_definition(GOOD, where=WHERE)

    assert [t.dataset for t in contract_tables(definition, kinds=("history",))] == [
        "contract-feed/transaction-status-history",
        "contract-feed/account-status-history",
    ]
    assert [t.kind.name for t in contract_tables(definition, kinds=("snapshot", "entity"))] == [
        "entity",
        "snapshot",
        "entity",
    ]


@pytest.mark.parametrize(
    ("found", "spoilt", "line", "reason"),
    [
        pytest.param("history: true\n", "histroy: true\n", 10, "unknown field `histroy`", id="an unknown key"),
        pytest.param("database: feed\n", "database: feed\nby: me\n", 2, "unknown field `by`", id="one at the top"),
        pytest.param("account/holder-name, pii", "account/x, pi", 16, "unknown field `pi`", id="one in braces"),
        pytest.param("    primary_key: account/id\n", "", 12, "required field `primary_key`", id="a missing key"),
        pytest.param("prototypes: [s0, s1]\n", "", 1, "required field `prototypes`", id="a missing key at the top"),
        pytest.param("[s0, s1]", "[]", 2, "length >= 1", id="no prototype"),
        pytest.param("[s0, s1]", "[s0, x1]", 2, "unknown prototype 'x1'; known are", id="no prototype's name"),
        pytest.param("[s0, s1]", "[s0, s0]", 2, "'s0' is listed twice", id="a doubled prototype"),
        pytest.param("transaction/amount", "amount", 11, "entities[0].attributes[1].attribute", id="no namespace"),
        pytest.param("transaction/amount", "':transaction/amount'", 11, "attributes[1]", id="a leading colon"),
        pytest.param("history: true\n", 'history: "yes"\n', 10, "Expected `bool`", id="a text for a boolean"),
        pytest.param("ref: db/ident", "ref: ident", 9, "attributes[0].ref", id="a ref that is no attribute"),
        pytest.param(
            "ref: db/ident", "ref: transaction/status", 9, "leads to the attribute itself", id="a ref to itself"
        ),
        pytest.param("transaction/amount", "transaction/status", 11, "'transaction__status'", id="a doubled attribute"),
        pytest.param(
            "transaction/amount", "transaction.status/a, ref: b/c}\n      - {attribute: transaction-status/a",
            12, "'transaction_status__a'", id="two attributes of one column",
        ),
        pytest.param("transaction/amount", "transaction/id", 11, "'transaction__id'", id="the key as an attribute"),
        pytest.param("transaction/amount", "db/t", 11, "'db__t'", id="an attribute named like the row's t"),
        pytest.param("name: accounts", "name: transactions", 12, "'contract-feed/transactions'", id="a doubled entity"),
        pytest.param(
            "name: accounts", "name: account-status-history", 15, "two datasets are named", id="doubled datasets"
        ),
        pytest.param("database: feed", "database: feeds", 1, "in a file named feed.yaml", id="another file's name"),
        pytest.param("database: feed", "database: x\ndatabase: feed", 2, "'database' is given twice", id="a key twice"),
        pytest.param(
            "    attributes:\n      - {attribute: account/status, history: true}",
            "    attributes:\n      - {attribute: account/x}\n    attributes:\n      - {attribute: account/status}",
            16, "'attributes' is given twice", id="a list of attributes twice",
        ),
        pytest.param("prototypes: [s0, s1]", "prototypes: [s0, s1", 3, "not YAML", id="no YAML"),
        pytest.param("name: accounts", "name: acc\0unts", 12, "not YAML", id="a character that YAML forbids"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_line(found: str, spoilt: str, line: int, reason: str) -> None:
    """Analysts edit these files by hand: file, line and what to do."""
    assert GOOD.count(found) == 1

    refusal = refusal_of(GOOD.replace(found, spoilt))

    assert refusal.startswith(f"{WHERE}, line {line}: ")
    assert reason in refusal
    assert re.search("correct|keep one|make both the same|name a value|known are|rename", refusal)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# feed\n", id="a comment alone"),
        pytest.param("- database: feed\n", id="a list"),
        pytest.param("feed\n", id="a word"),
        pytest.param(f"{GOOD}---\n{GOOD}", id="two documents"),
        pytest.param("1: 2\n", id="a key that is no text"),
        pytest.param("database: &all [*all]\n", id="a list that holds itself"),
    ],
)
def test_what_is_no_definition_is_refused(text: str) -> None:
    """As a sentence with file and line."""
    assert refusal_of(text).startswith(f"{WHERE}, line ")


def test_the_files_name_counts_and_not_its_folder() -> None:
    """The same text in any folder, but never under another name."""
    assert parse_definition(GOOD, where="/somewhere/feed.yaml").database == "feed"
    assert "in a file named customers.yaml" in refusal_of(GOOD, where="feed/customers.yaml")


@pytest.mark.parametrize("name", ["all", "every"])
def test_a_database_cannot_be_named_like_a_selection(name: str) -> None:
    """Its documents and branches would be those of the whole catalog."""
    text = GOOD.replace("database: feed\n", f"database: {name}\n")

    with pytest.raises(BadInput, match="already names a selection of databases"):
        parse_definition(text, where=f"contracts/{name}.yaml")


@pytest.mark.parametrize(
    ("attribute", "column", "history"),
    [
        pytest.param("card/active?", "card__active?", "card-active?-history", id="a question mark"),
        pytest.param("user/descrição", "user__descrição", "user-descrição-history", id="letters beyond ASCII"),
        pytest.param("a.b/c-d", "a_b__c_d", "a-b-c-d-history", id="a dotted namespace"),
        pytest.param("../x", "____x", "---x-history", id="dots alone"),
        pytest.param("a\\b/c", "a\\b__c", "a\\b-c-history", id="a backslash"),
        pytest.param("a:b/c", "a:b__c", "a:b-c-history", id="a colon inside"),
        pytest.param("x*y/z[1]", "x*y__z[1]", "x*y-z[1]-history", id="a pattern"),
        pytest.param("%41/#b", "%41__#b", "%41-#b-history", id="a URL's characters"),
        pytest.param("n/" + "k" * 180, "n__" + "k" * 180, "n-" + "k" * 180 + "-history", id="a long name"),
    ],
)
def test_every_name_of_datomic_has_its_column_and_dataset(attribute: str, column: str, history: str) -> None:
    """`/` becomes `__` in columns and `-` in datasets, anything else but `-` and `.` stays; none leads elsewhere."""
    quoted = "'" + attribute.replace("'", "''") + "'"
    definition = parse_definition(GOOD.replace("account/status,", f"{quoted},"), where=WHERE)

    table = contract_tables(definition)[-1]

    assert table.dataset == f"contract-feed/{history}"
    assert table.columns[-1] == column


@pytest.mark.parametrize(
    ("found", "spoilt", "named"),
    [
        pytest.param("account/status", "account/" + "k" * 300, "'account/kkk", id="300 characters with a history"),
        pytest.param("account/status", "a b/c", "'a b/c'", id="a space"),
        pytest.param("account/status", "a/b/c", "'a/b/c'", id="two slashes"),
        pytest.param("account/status", '"a/b\\n"', "'a/b'", id="a line end"),
        pytest.param("account/status", '"a/\\x1bb"', "'a/'", id="a control character"),
        pytest.param("account/status", "Transaction/Status", "transaction-status-history", id="upper and lower case"),
        pytest.param("database: feed", "database: Feed", "'Feed'", id="a database in upper case"),
        pytest.param("database: feed", "database: f--d", "'f--d'", id="a database with two hyphens"),
        pytest.param("database: feed", "database: feed-", "'feed-'", id="a database with a hyphen at its end"),
        pytest.param("database: feed", "database: ../feed", "'../feed'", id="a database that leads elsewhere"),
        pytest.param("database: feed", "database: " + "f" * 300, "'ffff", id="a database of 300 characters"),
        pytest.param("name: accounts", "name: contas_correntes", "'contas_correntes'", id="an entity"),
    ],
)
def test_a_name_that_cannot_work_is_named(found: str, spoilt: str, named: str) -> None:
    """In one sentence with its line."""
    refusal = refusal_of(GOOD.replace(found, spoilt))

    assert refusal.startswith(f"{WHERE}, line ")
    assert named in refusal
    assert len(refusal) < 500
