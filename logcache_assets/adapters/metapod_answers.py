"""metapod's answers as it gives them, checked and turned into the domain's values.

What does not belong to the question, or fits no value, is refused here: ids become parts of paths and of branches.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated

import msgspec

from logcache_assets.domain.log_cache_map import Uuid
from logcache_assets.domain.transactions import Column, Dataset, DatasetState, Transaction
from logcache_assets.ports import MetapodWrongData

_SHOWN_OF_AN_ID = 60
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


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
    id: Uuid
    name: str
    type: str
    """No enum: a value that a newer metapod invented must not break parsing."""
    started_at: _Instant
    target_date: date | None
    reference_date: date | None
    datasets: tuple[_Dataset, ...]


class TransactionAnswer(msgspec.Struct):
    """The answer to the query `transaction`; None if metapod does not know the id."""

    transaction: _Transaction | None


class TransactionsAnswer(msgspec.Struct):
    """The answer to the query `transactions`."""

    transactions: tuple[_Transaction, ...]


def one_transaction(answer: TransactionAnswer, *, asked: str) -> Transaction | None:
    """The transaction of an answer; None if metapod does not know it; raises MetapodWrongData if it is another one."""
    found = answer.transaction
    if found is not None and found.id != asked:
        raise MetapodWrongData(
            f"metapod was asked for transaction {asked} and answered with {found.id}; "
            "check its address, and whether a gateway answers in its place"
        )
    return None if found is None else _transaction(found)


def all_transactions(answer: TransactionsAnswer) -> tuple[Transaction, ...]:
    """The transactions of an answer, newest first; raises MetapodWrongData if one comes twice."""
    if doubled := _doubled(found.id for found in answer.transactions):
        raise MetapodWrongData(
            f"metapod lists transaction {doubled} twice, so its datasets are not known; "
            "ask metapod's owners which of the two counts"
        )
    return tuple(sorted(map(_transaction, answer.transactions), key=lambda found: found.started_at, reverse=True))


def require_id(transaction_id: str) -> None:
    """Refuse what is no id before metapod is asked for it; raises MetapodWrongData."""
    try:
        msgspec.convert(transaction_id, Uuid)
    except msgspec.ValidationError as error:
        raise MetapodWrongData(
            f"{transaction_id[:_SHOWN_OF_AN_ID]!r} is no id of a metapod transaction; "
            "give a UUID in lower case, such as 49ae32bb-c260-4622-ac10-753cfd8fa7b3"
        ) from error


def _doubled(names: Iterable[str]) -> str | None:
    """The first name that comes twice."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise MetapodWrongData(
            f"metapod shows the instant {instant.isoformat()}, which no date can hold in UTC; "
            "ask metapod's owners to correct it"
        ) from error


def _transaction(answer: _Transaction) -> Transaction:
    if doubled := _doubled(dataset.name for dataset in answer.datasets):
        raise MetapodWrongData(
            f"metapod lists {doubled} twice in transaction {answer.id}, so its state is not known; "
            "ask metapod's owners which of the two counts"
        )
    return Transaction(
        id=answer.id,
        name=answer.name,
        type=answer.type,
        started_at=_in_utc(answer.started_at),
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
        committed_at=answer.committed_at and _in_utc(answer.committed_at),
        aborted_at=answer.aborted_at and _in_utc(answer.aborted_at),
        columns=tuple(Column(name=each.name, logical_type=each.logical_type) for each in attributes),
    )


def _state(answer: _Dataset) -> DatasetState:
    """The state of a dataset; one that was committed and aborted is aborted, and nothing may be built on it."""
    if answer.aborted_at:
        return DatasetState.ABORTED
    return DatasetState.COMMITTED if answer.committed_at else DatasetState.UNCOMMITTED
