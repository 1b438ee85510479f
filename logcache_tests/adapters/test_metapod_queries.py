"""The deployment's own queries: checked before anything is sent, and their pages followed to the end."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLSchema

from logcache_assets.adapters import metapod
from logcache_assets.adapters.metapod.client import GraphQLMetapod
from logcache_assets.adapters.metapod.queries import SHIPPED, read_queries
from logcache_assets.adapters.metapod.transport import requests_transport
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.metapod_service import build_schema_over, metapod_sdl
from logcache_assets.local_platform.metapod_store import MetapodStore
from logcache_assets.ports import MetapodWrongData
from logcache_tests.servers.metapod_server import served

START = datetime(2018, 5, 28, 1, 0, tzinfo=UTC)
NIGHTS = tuple(str(UUID(int=number + 1, version=4)) for number in range(7))
"""Newest first."""
FIELDS = "id name type startedAt datasets(countries: $countries) { name committedAt abortedAt path }"
ONE = f"""
query transaction($transactionId: ID!, $countries: [Country]) {{
  transaction(transactionId: $transactionId) {{ {FIELDS} }}
}}"""
PLAIN = f"query transactions($countries: [Country]) {{ transactions {{ {FIELDS} }} }}"
PAGES = """
type PageInfo { hasNextPage: Boolean!  endCursor: String }
type Edge { node: Transaction! }
type Page { items: [Transaction!]!  edges: [Edge!]!  next: String  pageInfo: PageInfo! }
extend type Query {
  nights(after: String, first: Int): Page!
  slice(skip: Int, take: Int): [Transaction!]!
}
"""
BY_CURSOR = f"""
query transactions($countries: [Country], $cursor: String, $limit: Int) {{
  transactions: nights(after: $cursor, first: $limit) {{ nodes: items {{ {FIELDS} }} nextCursor: next }}
}}"""
AS_RELAY = f"""
query transactions($countries: [Country], $cursor: String) {{
  transactions: nights(after: $cursor) {{ edges {{ node {{ {FIELDS} }} }} pageInfo {{ hasNextPage endCursor }} }}
}}"""
BY_OFFSET = f"""
query transactions($countries: [Country], $offset: Int, $limit: Int) {{
  transactions: slice(skip: $offset, take: $limit) {{ {FIELDS} }}
}}"""


@pytest.fixture
def store(tmp_path: Path) -> MetapodStore:
    """Seven nights, one of them a custom run."""
    store = MetapodStore(tmp_path / "metapod.sqlite")
    for number, night in enumerate(NIGHTS):
        type_ = TransactionType.CUSTOM if number == 3 else TransactionType.DAILY
        store.open_transaction(night, "night", type_, started_at=START - timedelta(days=number))
    return store


def in_pages(store: MetapodStore, *, size: int = 2, shift: int = 0) -> GraphQLSchema:
    """A metapod that lists in pages of at most this size; `shift` transactions come in front while it is read."""
    schema = build_schema_over(store, sdl=metapod_sdl() + PAGES)
    rows = store.find_transactions()

    def nights(
        _root: object, _info: object, *, after: str | None = None, first: int | None = None
    ) -> Mapping[str, Any]:
        begin = int(after or 0)
        end = begin + min(size, first or size)
        items, is_last = rows[begin:end], end >= len(rows)
        return {
            "items": items,
            "edges": [{"node": row} for row in items],
            "next": None if is_last else str(end),
            "pageInfo": {"hasNextPage": not is_last, "endCursor": str(end)},
        }

    def slice_(_root: object, _info: object, *, skip: int = 0, take: int = 0) -> list[object]:
        begin = max(0, skip - shift)
        return list(rows[begin : begin + min(size, take)])

    assert schema.query_type
    schema.query_type.fields["nights"].resolve = nights
    schema.query_type.fields["slice"].resolve = slice_
    return schema


def written(folder: Path, *queries: str) -> Path:
    """A deployment's file."""
    file = folder / "queries.graphql"
    file.write_text("\n".join(queries), encoding="utf-8")
    return file


def test_the_shipped_queries_are_sound() -> None:
    """What is checked of a deployment's file holds for ours."""
    queries = read_queries()

    assert queries.where == SHIPPED
    assert queries.variables["transactions"] == {"types", "startedFrom", "countries"}


@pytest.mark.parametrize("listing", [PLAIN, BY_CURSOR, AS_RELAY, BY_OFFSET], ids=["plain", "cursor", "relay", "offset"])
def test_every_page_is_read(store: MetapodStore, tmp_path: Path, listing: str) -> None:
    """In each of the shapes; types and start hold, also where the query does not ask for them."""
    with served(in_pages(store)) as server:
        metapod = GraphQLMetapod(requests_transport(server.url), queries=written(tmp_path, ONE, listing))
        found = metapod.transactions(TransactionType.DAILY, since=START - timedelta(days=5))

        assert metapod.transaction(NIGHTS[6]).id == NIGHTS[6]
    assert [night.id for night in found] == [NIGHTS[number] for number in (0, 1, 2, 4, 5)]


def test_a_transaction_that_moves_to_the_next_page_is_listed_once(store: MetapodStore, tmp_path: Path) -> None:
    """With an offset, what is new moves all others; what comes twice by that counts once."""
    with served(in_pages(store, size=3, shift=1)) as server:
        metapod = GraphQLMetapod(requests_transport(server.url), queries=written(tmp_path, ONE, BY_OFFSET))
        found = metapod.transactions(TransactionType.DAILY, TransactionType.CUSTOM, since=START - timedelta(days=9))

    assert [night.id for night in found] == list(NIGHTS)


PAGE = '{"data": {"transactions": {"nodes": [], "nextCursor": "again"}}}'
NO_END = '{"data": {"transactions": {"edges": [], "pageInfo": {"hasNextPage": true, "endCursor": null}}}}'


@pytest.mark.parametrize(
    ("listing", "answer", "sentence"),
    [
        pytest.param(BY_CURSOR, PAGE, "names the same next page twice", id="a repeated cursor"),
        pytest.param(AS_RELAY, NO_END, "does not say where the next one begins", id="no cursor"),
        pytest.param(BY_CURSOR, '{"data": {"transactions": {}}}', "does not say where the next", id="an empty page"),
        pytest.param(BY_CURSOR, '{"data": {"transactions": []}}', "Expected `object`, got `array`", id="no page"),
        pytest.param(BY_CURSOR, '{"data": {"transactions": null}}', "Expected `object`, got `null`", id="null"),
    ],
)
def test_pages_that_do_not_end_are_refused(
    store: MetapodStore, tmp_path: Path, listing: str, answer: str, sentence: str
) -> None:
    """Nothing is asked for ever, and no half of a listing is used; the message names the file."""
    with served(in_pages(store)) as server:
        server.next = [(200, answer)] * 5
        metapod = GraphQLMetapod(requests_transport(server.url), queries=written(tmp_path, ONE, listing))
        with pytest.raises(MetapodWrongData, match=sentence):
            metapod.transactions(TransactionType.DAILY, since=START)

    assert len(server.asked) <= 2


def test_an_offset_that_is_not_heeded_is_refused(store: MetapodStore, tmp_path: Path) -> None:
    """The same page again would come for ever."""
    with served(in_pages(store, shift=100)) as server:
        metapod = GraphQLMetapod(requests_transport(server.url), queries=written(tmp_path, ONE, BY_OFFSET))
        with pytest.raises(MetapodWrongData, match="gives the same page again"):
            metapod.transactions(TransactionType.DAILY, since=START)

    assert len(server.asked) == 2


BAD: Mapping[str, tuple[Callable[[str, str], tuple[str, ...]], str]] = {
    "no GraphQL": (lambda one, all_: (one, all_, "query {"), "line 9: this is no GraphQL"),
    "nested without end": (lambda one, all_: (one, all_, "query x " + "{a" * 5000), "this is no GraphQL"),
    "nothing": (lambda *_: ("",), "this is no GraphQL"),
    "no listing": (lambda one, _: (one,), "has no query named 'transactions'; add it"),
    "no single one": (lambda _, all_: (all_,), "has no query named 'transaction'; add it"),
    "a mutation": (lambda one, all_: (one, all_, "mutation m { drop }"), "has a mutation, and metapod is only read"),
    "a subscription": (lambda one, all_: (one, all_, "subscription s { all }"), "has a subscription"),
    "a type": (lambda one, all_: (one, all_, "type T { a: ID }"), "has a definition"),
    "a query twice": (lambda one, all_: (one, all_, all_), "only one operation named 'transactions'"),
    "an unknown fragment": (lambda one, all_: (one, all_.replace("id name", "...x")), "Unknown fragment 'x'"),
    "a fragment in itself": (
        lambda one, all_: (one, all_.replace("id name", "...x"), "fragment x on T { ...x }"),
        "Cannot spread fragment 'x' within itself",
    ),
    "an unknown variable": (
        lambda one, all_: (one, all_.replace("$limit", "$size")),
        "declares '$size', which nothing sets",
    ),
    "an undeclared variable": (
        lambda one, all_: (one, all_.replace(", $limit: Int", "")),
        "Variable '$limit' is not defined",
    ),
    "an unused variable": (lambda one, all_: (one, all_.replace(", first: $limit", "")), "'$limit' is never used"),
    "a list for one": (lambda one, all_: (one, all_.replace("$limit: Int", "$limit: [Int]")), "a single value is sent"),
    "one for a list": (lambda one, all_: (one, all_.replace("[Country]", "Country")), "a list is sent: write `[…]`"),
    "a cursor that must be": (lambda one, all_: (one, all_.replace("String,", "String!,")), "the first page has none"),
    "no id": (
        lambda one, all_: (
            one.replace("$transactionId: ID!, ", "").replace("transactionId: $transactionId", "transactionId: 1"),
            all_,
        ),
        "declares no $transactionId",
    ),
    "another name": (
        lambda one, all_: (one, all_.replace("transactions: nights", "nights")),
        "no field named 'transactions'",
    ),
    "a field less": (
        lambda one, all_: (one, all_.replace("startedAt", "")),
        "transactions.nodes has no field named 'startedAt'",
    ),
    "a field less in datasets": (
        lambda one, all_: (one.replace("abortedAt", ""), all_),
        "transaction.datasets has no field named 'abortedAt'",
    ),
    "a page without its next": (
        lambda one, all_: (one, all_.replace("nextCursor: next", "")),
        "no field named 'pageInfo' (or",
    ),
    "a page without its list": (
        lambda one, all_: (one, all_.replace("nodes:", "rows:")),
        "transactions has no field named 'nodes'",
    ),
    "a page without $cursor": (
        lambda one, all_: (one, all_.replace("$cursor: String, ", "").replace("after: $cursor, ", "")),
        "declares no $cursor",
    ),
    "two ways at once": (
        lambda one, all_: (one, all_.replace("$limit: Int", "$offset: Int").replace("$limit", "$offset")),
        "declares $cursor and $offset",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_asked_with_is_refused(store: MetapodStore, tmp_path: Path, case: str) -> None:
    """Before anything is sent; the message begins with the file."""
    change, sentence = BAD[case]
    file = written(tmp_path, *change(ONE, BY_CURSOR))

    with served(in_pages(store)) as server:
        metapod = GraphQLMetapod(requests_transport(server.url), queries=file)
        for ask in (
            lambda: metapod.transactions(TransactionType.DAILY, since=START),
            lambda: metapod.transaction(NIGHTS[0]),
        ):
            with pytest.raises(BadInput) as refused:
                ask()
            assert str(refused.value).startswith(str(file))
            assert sentence in str(refused.value)

    assert server.asked == []


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """With its setting; a file without end is not parsed."""
    binary, long = tmp_path / "binary", tmp_path / "long"
    binary.write_bytes(b"\xff\xfe")
    long.write_text(" " * 200_000)

    for file, why in (
        (tmp_path / "absent", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "no text in UTF-8"),
        (long, "too many for two queries"),
    ):
        with pytest.raises(BadInput, match=why) as refused:
            read_queries(file)
        assert "LOGCACHE_METAPOD_QUERIES" in str(refused.value)


def test_what_an_answer_lacks_is_named_with_the_file(store: MetapodStore, tmp_path: Path) -> None:
    """A server may leave out what was selected."""
    file = written(tmp_path, ONE, PLAIN)
    with served(in_pages(store)) as server:
        server.next = [(200, '{"data": {"transactions": [{"id": "' + NIGHTS[0] + '", "name": "n", "type": "DAILY"}]}}')]
        with pytest.raises(MetapodWrongData, match=r"missing required field `startedAt`.*compare it with .*queries"):
            GraphQLMetapod(requests_transport(server.url), queries=file).transactions(
                TransactionType.DAILY, since=START
            )


def test_one_country_alone_can_be_asked_for(store: MetapodStore, tmp_path: Path) -> None:
    """By `$country`, where a schema takes one."""
    one = ONE.replace("$countries: [Country]", "$country: Country").replace("$countries", "[$country]")
    listing = PLAIN.replace("$countries: [Country]", "$country: Country").replace("$countries", "[$country]")

    with served(in_pages(store)) as server:
        metapod = GraphQLMetapod(requests_transport(server.url), country="MX", queries=written(tmp_path, one, listing))
        metapod.transactions(TransactionType.DAILY, since=START)

    assert server.asked[0]["variables"] == {"country": "MX"}


def test_other_programs_find_the_client_in_the_package() -> None:
    """Nobody outside knows in which module it is; a name that does not exist is an ordinary error."""
    assert {name: getattr(metapod, name).__name__ for name in metapod.__all__} == {
        name: name for name in ("GraphQLMetapod", "requests_transport")
    }
    assert not hasattr(metapod, "Client")
