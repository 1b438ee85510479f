"""metapod's GraphQL service in this process: it serves the schema beside this file from the store.

The client in adapters/metapod talks to it through `local_transport` as it talks to the real one over HTTPS. Imports
graphql-core inside functions, because a command line that only prints its help must not load it.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from logcache_assets.errors import Unavailable
from logcache_assets.local_platform.metapod_store import DatasetRow, MetapodStore, TransactionRow

if TYPE_CHECKING:
    from gql import GraphQLRequest
    from gql.transport import Transport
    from graphql import GraphQLSchema


def metapod_sdl() -> str:
    """The GraphQL schema as text."""
    return resources.files(__package__).joinpath("metapod.graphql").read_text(encoding="utf-8")


def build_schema_over(store: MetapodStore, *, sdl: str | None = None) -> "GraphQLSchema":
    """An executable schema whose answers come from a store.

    Args:
        store: read for every query.
        sdl: another version of the schema; the shipped one by default.
    """
    from graphql import GraphQLObjectType, GraphQLScalarType, build_schema  # noqa: PLC0415 - see the module's docstring

    schema = build_schema(sdl or metapod_sdl())
    for type_name, fields in _resolvers(store).items():
        type_ = schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)  # noqa: S101 - the SDL is ours
        for field, resolve in fields.items():
            type_.fields[field].resolve = resolve
            for name, argument in type_.fields[field].args.items():
                argument.out_name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
    instants = schema.type_map["DateTime"]
    assert isinstance(instants, GraphQLScalarType)  # noqa: S101 - the SDL is ours
    instants.parse_value = _parse_instant  # type: ignore[method-assign]
    return schema


class LocalTransports:
    """Makes a transport to this service for each query; the schema is built when first needed."""

    def __init__(self, store: MetapodStore) -> None:
        self._store = store

    def __call__(self) -> "Transport":
        """Return a transport for one query."""
        return self._transport_type()

    @cached_property
    def _transport_type(self) -> "type[Transport]":
        return _in_process(build_schema_over(self._store))

    @override
    def __reduce__(self) -> tuple[type["LocalTransports"], tuple[MetapodStore]]:
        return LocalTransports, (self._store,)


def local_transport(store: MetapodStore) -> LocalTransports:
    """Return the transports with which `GraphQLMetapod` talks to this service instead of a server."""
    return LocalTransports(store)


def _in_process(schema: "GraphQLSchema") -> "type[Transport]":
    from gql.transport import Transport  # noqa: PLC0415 - see the module's docstring
    from gql.transport.exceptions import TransportServerError  # noqa: PLC0415 - as above
    from graphql import ExecutionResult, execute_sync, validate  # noqa: PLC0415 - as above

    class InProcess(Transport):
        """Executes queries here. gql's own LocalSchemaTransport needs an event loop and fails inside a running one."""

        def execute(self, request: "GraphQLRequest", *_args: object, **_kwargs: object) -> ExecutionResult:
            if errors := validate(schema, request.document):
                return ExecutionResult(data=None, errors=errors)
            answer = execute_sync(
                schema,
                request.document,
                variable_values=request.variable_values,
                operation_name=request.operation_name,
            )
            # A server that cannot read its own data answers 503, not half a result.
            for error in answer.errors or ():
                if isinstance(error.original_error, Unavailable):
                    raise TransportServerError(str(error.original_error), 503)
            return answer

    return InProcess


def _resolvers(store: MetapodStore) -> dict[str, dict[str, Callable[..., object]]]:
    def transaction(_root: object, _info: object, *, transaction_id: str) -> TransactionRow | None:
        return next(iter(store.find_transactions(transaction_id=transaction_id)), None)

    def transactions(
        _root: object, _info: object, *, types: Sequence[str] | None = None, started_from: datetime | None = None
    ) -> tuple[TransactionRow, ...]:
        return store.find_transactions(types=types, since=started_from)

    def datasets(row: TransactionRow, _info: object, **filters: Any) -> list[DatasetRow]:  # noqa: ANN401 - by the SDL
        return [dataset for dataset in store.datasets(row.id) if _is_wanted(dataset, **filters)]

    return {
        "Query": {"transaction": transaction, "transactions": transactions},
        "Transaction": {
            "startedAt": lambda row, _info: row.started_at,
            "targetDate": lambda row, _info: row.target_date,
            "referenceDate": lambda row, _info: row.reference_date,
            "datasets": datasets,
        },
        "Dataset": {
            "committed": lambda row, _info: row.committed_at is not None,
            "committedAt": lambda row, _info: row.committed_at,
            "abortedAt": lambda row, _info: row.aborted_at,
            "schema": lambda row, _info: None if row.columns is None else {"attributes": row.columns},
        },
        "Attribute": {"logicalType": lambda column, _info: column.logical_type},
    }


def _is_wanted(
    dataset: DatasetRow,
    *,
    committed: str | None = None,
    countries: Sequence[str] | None = None,
    dataset_names: Sequence[str] | None = None,
) -> bool:
    state = "ONLY_ABORTED" if dataset.aborted_at else "ONLY_COMMITTED" if dataset.committed_at else "ONLY_UNCOMMITTED"
    return (
        (committed is None or committed == state)
        and (countries is None or dataset.country in countries)
        and (dataset_names is None or dataset.name in dataset_names)
    )


def _parse_instant(value: object) -> datetime:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    if instant is None or instant.utcoffset() is None:
        raise ValueError(f"{value!r} is no instant with a time zone")
    return instant
