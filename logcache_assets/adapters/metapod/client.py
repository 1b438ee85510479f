"""metapod over GraphQL: the client.

queries.py reads what is asked, pages.py follows pages, answers.py reads what comes back, transport.py reaches a server,
faults.py says what an error means. The same client and documents serve
the local platform, through another transport. gql is imported inside functions: it costs half a second, and most
commands never ask metapod.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from typing_extensions import override

from logcache_assets.adapters.metapod.answers import (
    TransactionAnswer,
    all_transactions,
    one_transaction,
    require_id,
)
from logcache_assets.adapters.metapod.faults import find_fault
from logcache_assets.adapters.metapod.pages import all_pages
from logcache_assets.adapters.metapod.queries import Queries, read_queries
from logcache_assets.adapters.metapod.transport import RequestsTransports
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.names import COUNTRY
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.transactions import Transaction, TransactionType
from logcache_assets.ports import Metapod, MetapodWrongData, UnknownTransactionError

if TYPE_CHECKING:
    from gql.transport import Transport

_Shape = TypeVar("_Shape")


class GraphQLMetapod(Metapod):
    """Client of metapod; every query uses a new connection, so threads can share the client.

    Args:
        transport: makes a transport for one query: `requests_transport(...)` or the local platform's.
        country: country of the datasets that are read.
        reads: how often a query without an answer is repeated.
        queries: file of the deployment's own queries.
    """

    def __init__(
        self,
        transport: "Callable[[], Transport]",
        *,
        country: str = COUNTRY,
        reads: RepeatedReads | None = None,
        queries: Path | None = None,
    ) -> None:
        self.reads = reads or RepeatedReads()
        self.transport = transport
        self._country = country
        self._queries = queries

    @override
    def transaction(self, transaction_id: str) -> Transaction:
        require_id(transaction_id)
        queries = read_queries(self._queries)
        answer = self._ask(queries, "transaction", {"transactionId": transaction_id}, TransactionAnswer)
        found = one_transaction(answer, asked=transaction_id, country=self._country)
        if found is None:
            raise UnknownTransactionError(
                f"metapod knows no transaction {transaction_id}; check the id, or whether it is of another environment"
            )
        return found

    @override
    def transactions(self, *types: TransactionType, since: datetime) -> tuple[Transaction, ...]:
        queries = read_queries(self._queries)
        wanted = {"types": [type_.value for type_ in types], "startedFrom": utc_text(since.astimezone(UTC))}

        def ask(page: Mapping[str, object], shape: type[_Shape]) -> _Shape:
            return self._ask(queries, "transactions", {**wanted, **page}, shape)

        found = all_transactions(all_pages(queries, ask), country=self._country)
        # A deployment's query need not ask for types and start.
        return tuple(each for each in found if each.type in types and each.started_at >= since)

    @repeated
    def _ask(self, queries: Queries, query: str, variables: Mapping[str, object], shape: type[_Shape]) -> _Shape:
        from gql import Client, GraphQLRequest  # noqa: PLC0415 - see the module's docstring
        from gql.transport.exceptions import TransportError  # noqa: PLC0415 - as above

        known = {**variables, "countries": [self._country], "country": self._country}
        declared = {name: value for name, value in known.items() if name in queries.variables[query]}
        asked = GraphQLRequest(queries.text, variable_values=declared, operation_name=query)
        try:
            answer = Client(transport=self.transport()).execute(asked)
        except TransportError as error:
            fault = find_fault(error)
            why = shortened(self._blank(fault.why))
            raise fault.kind(f"metapod {fault.did} the query {query!r}: {why}; {fault.remedy}") from error
        except AssertionError as error:  # gql's way of saying that an answer has neither data nor errors
            raise MetapodWrongData(
                f"metapod's answer to the query {query!r} has neither data nor errors; "
                "check its address, and whether a gateway answers in its place"
            ) from error
        try:
            return converted(answer, shape)
        except msgspec.ValidationError as error:
            raise MetapodWrongData(
                f"metapod's answer to the query {query!r} is not understood: {error}; its schema changed, or a part of "
                f"the answer is missing: compare it with {queries.where}"
            ) from error

    def _blank(self, text: str) -> str:
        """The text without the credentials that were sent: a server may repeat them in its refusal."""
        transport = self.transport
        return transport.blanker(text) if isinstance(transport, RequestsTransports) else text
