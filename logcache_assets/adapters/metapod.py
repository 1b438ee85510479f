"""metapod over GraphQL: the queries and the client; metapod_answers.py reads what comes back.

The same client and documents serve the local platform, through another transport. gql is imported inside functions: it
costs half a second, and most commands never ask metapod.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from typing_extensions import override

from logcache_assets.adapters.blanker import Blanker
from logcache_assets.adapters.metapod_answers import (
    TransactionAnswer,
    TransactionsAnswer,
    all_transactions,
    one_transaction,
    require_id,
)
from logcache_assets.adapters.repeated_reads import RepeatedReads, repeated
from logcache_assets.domain.canonical_json import utc_text
from logcache_assets.domain.plain_text import shortened
from logcache_assets.domain.transactions import COUNTRY, Transaction, TransactionType
from logcache_assets.errors import BadInput
from logcache_assets.ports import Metapod, MetapodUnavailable, MetapodWrongData, UnknownTransactionError

if TYPE_CHECKING:
    from gql.transport import Transport
    from requests import PreparedRequest
    from requests.auth import AuthBase

_REASON_CHARACTERS = 10_000
_TOO_MANY_REQUESTS = 429
_SERVER_FAULT = 500
_Shape = TypeVar("_Shape")


class GraphQLMetapod(Metapod):
    """Client of metapod; every query uses a new connection, so threads can share the client.

    Args:
        transport: makes a transport for one query: `requests_transport(...)` or the local platform's.
        country: country of the datasets that are read.
        reads: how often a query without an answer is repeated.
    """

    def __init__(
        self, transport: "Callable[[], Transport]", *, country: str = COUNTRY, reads: RepeatedReads | None = None
    ) -> None:
        self.reads = reads or RepeatedReads()
        self._transport = transport
        self._country = country

    @override
    def transaction(self, transaction_id: str) -> Transaction:
        require_id(transaction_id)
        answer = self._ask("transaction", {"transactionId": transaction_id}, TransactionAnswer)
        found = one_transaction(answer, asked=transaction_id)
        if found is None:
            raise UnknownTransactionError(
                f"metapod knows no transaction {transaction_id}; check the id, or whether it is of another environment"
            )
        return found

    @override
    def transactions(self, *types: TransactionType, since: datetime) -> tuple[Transaction, ...]:
        wanted = {"types": [type_.value for type_ in types], "startedFrom": utc_text(since.astimezone(UTC))}
        return all_transactions(self._ask("transactions", wanted, TransactionsAnswer))

    @repeated
    def _ask(self, query: str, variables: Mapping[str, object], shape: type[_Shape]) -> _Shape:
        from gql import Client, GraphQLRequest  # noqa: PLC0415 - see the module's docstring
        from gql.transport.exceptions import TransportError  # noqa: PLC0415 - as above

        asked = GraphQLRequest(
            queries(), variable_values={**variables, "countries": [self._country]}, operation_name=query
        )
        try:
            answer = Client(transport=self._transport()).execute(asked)
        except TransportError as error:
            kind, did = (MetapodUnavailable, "did not answer") if _is_outage(error) else (MetapodWrongData, "refused")
            raise kind(
                f"metapod {did} the query {query!r}: {shortened(self._blank(_reason(error)))}; "
                "check its address, the credentials and whether it is up, then run again"
            ) from error
        except AssertionError as error:  # gql's way of saying that an answer has neither data nor errors
            raise MetapodWrongData(
                f"metapod's answer to the query {query!r} has neither data nor errors; "
                "check its address, and whether a gateway answers in its place"
            ) from error
        try:
            return msgspec.convert(answer, shape)
        except msgspec.ValidationError as error:
            raise MetapodWrongData(
                f"metapod's answer to the query {query!r} is not understood: {error}; "
                "its schema changed, or a part of the answer is missing: compare it with adapters/queries"
            ) from error

    def _blank(self, text: str) -> str:
        """The text without the credentials that were sent: a server may repeat them in its refusal."""
        transport = self._transport
        return transport.blanker(text) if isinstance(transport, RequestsTransports) else text


class BearerToken:
    """The token that authorises queries: given directly, or read from an environment variable.

    Only the variable's name is pickled, and the token is never shown: workers read it from their own environment.
    """

    def __init__(self, value: str | None = None, *, variable: str | None = None) -> None:
        self._value = value
        self._variable = variable

    def read(self) -> str:
        """Return the token; raises BadInput when its variable is not set, or when it cannot be sent."""
        found = self._value or os.environ.get(self._variable or "")
        if not found:
            raise BadInput(f"metapod's token is missing: the environment variable {self._variable} is not set; set it")
        if found != found.strip() or not (found.isascii() and found.isprintable()):
            where = f"in the environment variable {self._variable}" if self._variable else "that was given"
            raise BadInput(
                f"metapod's token {where} has spaces around it, a line end or characters beyond ASCII, so it cannot be "
                "sent; set it again"
            )
        return found

    @override
    def __repr__(self) -> str:
        return f"BearerToken({f'variable={self._variable!r}' if self._variable else '****'})"

    @override
    def __reduce__(self) -> tuple[Callable[[str], "BearerToken"], tuple[str]]:
        if self._variable is None:
            raise BadInput(
                "metapod's token is never sent to another process; put it into an environment variable there, and "
                "name that variable here"
            )
        return _token_in, (self._variable,)


def _token_in(variable: str) -> BearerToken:
    return BearerToken(variable=variable)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsTransports:
    """Makes a transport to a real metapod over HTTPS for each query."""

    url: str
    token: BearerToken | None
    client_certificate: tuple[Path, Path] | None
    authority: Path | None
    timeout_seconds: int
    retries: int

    @property
    def blanker(self) -> Blanker:
        """Blanks the token, and the password if the URL has one."""
        return Blanker([self.token.read()] if self.token else [], urls=[self.url])

    def __call__(self) -> "Transport":
        """Return a transport for one query, not yet connected."""
        from gql.transport.requests import RequestsHTTPTransport  # noqa: PLC0415 - see the module's docstring

        return RequestsHTTPTransport(
            self.url,
            auth=_bearer(self.token.read()) if self.token else None,
            cert=tuple(map(str, self.client_certificate)) if self.client_certificate else None,
            verify=str(self.authority) if self.authority else True,
            timeout=self.timeout_seconds,
            retries=self.retries,
            json_deserialize=_object_of_json,
        )


def _object_of_json(text: str) -> dict[str, object]:
    """Read an answer; gql takes every error that this function raises as an answer that is no JSON.

    gql itself fails on an answer that is a number, `true` or `null`, and Python's own reader accepts half surrogates.
    """
    answer = msgspec.json.decode(text)
    if not isinstance(answer, dict):
        raise TypeError(f"{type(answer).__name__} in place of an object")
    return answer


def requests_transport(  # noqa: PLR0913 - what a deployment sets
    url: str,
    *,
    token: str | None = None,
    token_variable: str | None = None,
    client_certificate: tuple[Path, Path] | None = None,
    authority: Path | None = None,
    timeout_seconds: int = 30,
    retries: int = 0,
) -> RequestsTransports:
    """Return what makes transports to a real metapod over HTTPS.

    Args:
        url: of the GraphQL endpoint.
        token: sent as bearer token.
        token_variable: environment variable that holds the token; needed where the client is sent to other processes.
        client_certificate: certificate and key, PEM files.
        authority: PEM file of the authorities that sign the server's certificate; the system's by default.
        timeout_seconds: of one attempt.
        retries: of the transport itself, for each attempt that the client makes.
    """
    return RequestsTransports(
        url=url,
        token=BearerToken(token, variable=token_variable) if token or token_variable else None,
        client_certificate=client_certificate,
        authority=authority,
        timeout_seconds=timeout_seconds,
        retries=retries,
    )


def _bearer(token: str) -> "AuthBase":
    from requests.auth import AuthBase  # noqa: PLC0415 - see the module's docstring

    class Bearer(AuthBase):
        """A plain header would lose against an entry of ~/.netrc for the same host."""

        def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
            request.headers["Authorization"] = f"Bearer {token}"
            return request

    return Bearer()


def queries() -> str:
    """All queries of this client as one GraphQL document."""
    return resources.files(__package__).joinpath("queries", "metapod.graphql").read_text(encoding="utf-8")


def _is_outage(error: Exception) -> bool:
    """True if metapod could not be reached, was too busy (429) or failed itself (5xx); other errors are its answer."""
    from gql.transport.exceptions import TransportServerError  # noqa: PLC0415 - see the module's docstring
    from requests import exceptions as failed  # noqa: PLC0415 - as above

    if isinstance(error, TransportServerError):
        return error.code is None or error.code == _TOO_MANY_REQUESTS or error.code >= _SERVER_FAULT
    unreachable = (failed.ConnectionError, failed.Timeout, failed.ChunkedEncodingError)
    return isinstance(error.__cause__, unreachable) and not isinstance(error.__cause__, failed.SSLError)


def _reason(error: Exception) -> str:
    """The server's first error message, or the transport's."""
    errors = getattr(error, "errors", None)
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else None
    return str(message or error)[:_REASON_CHARACTERS]
