"""metapod over GraphQL: the queries, the client, and answers turned into the domain's values.

The same client and documents serve the local platform, through another transport. gql is imported inside functions: it
costs half a second, and most commands never ask metapod.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from typing_extensions import override

from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.transactions import Column, Dataset, DatasetState, Transaction, TransactionType
from logcache_assets.ports import Metapod, MetapodError, UnknownTransactionError

if TYPE_CHECKING:
    from gql.transport import Transport
    from requests import PreparedRequest
    from requests.auth import AuthBase

COUNTRY = "BR"
_REASON_CHARACTERS = 300
_Shape = TypeVar("_Shape")
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class GraphQLMetapod(Metapod):
    """metapod's client; each question is a connection of its own, so threads can share it.

    Args:
        transport: makes the transport of one question: `requests_transport(...)` or the local platform's.
        country: whose datasets are asked for.
    """

    def __init__(self, transport: "Callable[[], Transport]", *, country: str = COUNTRY) -> None:
        self._transport = transport
        self._country = country

    @override
    def transaction(self, transaction_id: str) -> Transaction:
        answer = self._ask("transaction", {"transactionId": transaction_id}, _TransactionAnswer).transaction
        if answer is None:
            raise UnknownTransactionError(
                f"metapod knows no transaction {transaction_id}; check the id, or whether it is of another environment"
            )
        return _transaction(answer)

    @override
    def transactions(self, *types: TransactionType, since: datetime) -> tuple[Transaction, ...]:
        wanted = {"types": [type_.value for type_ in types], "startedFrom": utc_text(since.astimezone(UTC))}
        answer = self._ask("transactions", wanted, _TransactionsAnswer).transactions
        return tuple(sorted(map(_transaction, answer), key=lambda found: found.started_at, reverse=True))

    def _ask(self, query: str, variables: Mapping[str, object], shape: type[_Shape]) -> _Shape:
        from gql import Client, GraphQLRequest  # noqa: PLC0415 - see the module's docstring
        from gql.transport.exceptions import TransportError  # noqa: PLC0415 - as above

        asked = GraphQLRequest(
            queries(), variable_values={**variables, "countries": [self._country]}, operation_name=query
        )
        try:
            answer = Client(transport=self._transport()).execute(asked)
        except TransportError as error:
            raise MetapodError(
                f"metapod did not answer the query {query!r}: {_reason(error)}; "
                "check its address, the credentials and whether it is up, then run again"
            ) from error
        try:
            return msgspec.convert(answer, shape)
        except msgspec.ValidationError as error:
            raise MetapodError(
                f"metapod's answer to the query {query!r} is not understood: {error}; "
                "its schema changed, or a part of the answer is missing: compare it with adapters/queries"
            ) from error


def requests_transport(  # noqa: PLR0913 - what a deployment sets
    url: str,
    *,
    token: str | None = None,
    client_certificate: tuple[Path, Path] | None = None,
    authority: Path | None = None,
    timeout_seconds: int = 30,
    retries: int = 5,
) -> "Callable[[], Transport]":
    """Transports to a real metapod over HTTPS.

    Args:
        url: of the GraphQL endpoint.
        token: sent as bearer token.
        client_certificate: certificate and key, PEM files.
        authority: PEM file of the authorities that sign the server's certificate; the system's by default.
        timeout_seconds: of one attempt.
        retries: after connection errors and the answers 429, 500, 502, 503 and 504; harmless, as we only read.
    """

    def transport() -> "Transport":
        from gql.transport.requests import RequestsHTTPTransport  # noqa: PLC0415 - see the module's docstring

        return RequestsHTTPTransport(
            url,
            auth=_bearer(token) if token else None,
            cert=tuple(map(str, client_certificate)) if client_certificate else None,
            verify=str(authority) if authority else True,
            timeout=timeout_seconds,
            retries=retries,
        )

    return transport


def _bearer(token: str) -> "AuthBase":
    from requests.auth import AuthBase  # noqa: PLC0415 - see the module's docstring

    class Bearer(AuthBase):
        """A plain header would lose against an entry of ~/.netrc for the same host."""

        def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
            request.headers["Authorization"] = f"Bearer {token}"
            return request

    return Bearer()


def queries() -> str:
    """Every query that is asked, as one GraphQL document."""
    return resources.files(__package__).joinpath("queries", "metapod.graphql").read_text(encoding="utf-8")


def _reason(error: Exception) -> str:
    """The server's first own sentence, or what the transport says; never a whole page of HTML."""
    errors = getattr(error, "errors", None)
    message = errors[0].get("message") if errors and isinstance(errors[0], dict) else None
    return str(message or error)[:_REASON_CHARACTERS]


class _Attribute(msgspec.Struct, rename="camel"):
    name: str
    logical_type: str


class _Schema(msgspec.Struct):
    attributes: tuple[_Attribute, ...] | None


class _Dataset(msgspec.Struct, rename="camel"):
    name: str
    committed_at: _Instant | None
    aborted_at: _Instant | None
    path: str | None
    schema: _Schema | None


class _Transaction(msgspec.Struct, rename="camel"):
    id: str
    name: str
    type: str
    """No enum: a value that a newer metapod invented must not break parsing."""
    started_at: _Instant
    target_date: date | None
    reference_date: date | None
    datasets: tuple[_Dataset, ...]


class _TransactionAnswer(msgspec.Struct):
    transaction: _Transaction | None


class _TransactionsAnswer(msgspec.Struct):
    transactions: tuple[_Transaction, ...]


def _transaction(answer: _Transaction) -> Transaction:
    counts = Counter(dataset.name for dataset in answer.datasets)
    if doubled := [name for name, count in counts.items() if count > 1]:
        raise MetapodError(
            f"metapod lists {doubled[0]} twice in transaction {answer.id}, so its state is not known; "
            "ask metapod's owners which of the two counts"
        )
    return Transaction(
        id=answer.id,
        name=answer.name,
        type=answer.type,
        started_at=answer.started_at.astimezone(UTC),
        target_date=answer.target_date,
        reference_date=answer.reference_date,
        datasets={dataset.name: _dataset(dataset) for dataset in answer.datasets},
    )


def _dataset(answer: _Dataset) -> Dataset:
    attributes = (answer.schema.attributes if answer.schema else None) or ()
    return Dataset(
        name=answer.name,
        state=_state(answer),
        path=answer.path,
        committed_at=answer.committed_at and answer.committed_at.astimezone(UTC),
        aborted_at=answer.aborted_at and answer.aborted_at.astimezone(UTC),
        columns=tuple(Column(name=each.name, logical_type=each.logical_type) for each in attributes),
    )


def _state(answer: _Dataset) -> DatasetState:
    """A dataset that was committed and aborted counts as aborted: nothing may be built on it."""
    if answer.aborted_at:
        return DatasetState.ABORTED
    return DatasetState.COMMITTED if answer.committed_at else DatasetState.UNCOMMITTED
