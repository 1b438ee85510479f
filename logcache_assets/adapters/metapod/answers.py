"""metapod's answers as it gives them, checked and turned into the domain's values.

What does not belong to the question, or fits no value, is refused here: ids become parts of paths and of branches.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import msgspec

from logcache_assets.domain.known_kinds import converted
from logcache_assets.domain.log_cache_map import Uuid
from logcache_assets.domain.names import canonical_dataset
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
    schema: _Schema | None = None


class _Transaction(msgspec.Struct, rename="camel"):
    id: Uuid
    name: str
    type: str
    """No enum: a value that a newer metapod invented must not break parsing."""
    started_at: _Instant
    datasets: tuple[_Dataset, ...]
    target_date: date | None = None
    reference_date: date | None = None


class TransactionAnswer(msgspec.Struct):
    """The answer to the query `transaction`; None if metapod does not know the id."""

    transaction: _Transaction | None


class TransactionsAnswer(msgspec.Struct):
    """The answer to the query `transactions`."""

    transactions: tuple[_Transaction, ...]


_Cursor = str | int | None


class _Edge(msgspec.Struct):
    node: _Transaction


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: _Cursor


class _Page(msgspec.Struct, rename="camel"):
    """A page as Relay has it, or with `nextCursor`."""

    nodes: tuple[_Transaction, ...] | msgspec.UnsetType = msgspec.UNSET
    edges: tuple[_Edge, ...] = ()
    next_cursor: _Cursor | msgspec.UnsetType = msgspec.UNSET
    page_info: _PageInfo | None = None


class PageAnswer(msgspec.Struct):
    """The answer to the query `transactions` where a page names the next one."""

    transactions: _Page

    @property
    def listed(self) -> TransactionsAnswer:
        """The transactions of this page."""
        page = self.transactions
        if isinstance(page.nodes, msgspec.UnsetType):
            return TransactionsAnswer(transactions=tuple(edge.node for edge in page.edges))
        return TransactionsAnswer(transactions=page.nodes)

    @property
    def next_cursor(self) -> str | int | None:
        """Where the next page begins; None on the last one; raises MetapodWrongData if it is not said."""
        page = self.transactions
        if not isinstance(page.next_cursor, msgspec.UnsetType):
            return page.next_cursor
        if page.page_info is None or (page.page_info.has_next_page and page.page_info.end_cursor is None):
            raise MetapodWrongData(
                "metapod lists transactions in pages and does not say where the next one begins; "
                "ask metapod's owners to correct it"
            )
        return page.page_info.end_cursor if page.page_info.has_next_page else None


def one_transaction(answer: TransactionAnswer, *, asked: str, country: str) -> Transaction | None:
    """The transaction of an answer; None if metapod does not know it; raises MetapodWrongData if it is another one."""
    found = answer.transaction
    if found is not None and found.id != asked:
        raise MetapodWrongData(
            f"metapod was asked for transaction {asked} and answered with {found.id}; "
            "check its address, and whether a gateway answers in its place"
        )
    return None if found is None else _transaction(found, country)


def all_transactions(answer: TransactionsAnswer, *, country: str) -> tuple[Transaction, ...]:
    """The transactions of an answer, newest first; raises MetapodWrongData if one comes twice."""
    if doubled := _doubled(found.id for found in answer.transactions):
        raise MetapodWrongData(
            f"metapod lists transaction {doubled} twice, so its datasets are not known; "
            "ask metapod's owners which of the two counts"
        )
    found = [_transaction(each, country) for each in answer.transactions]
    return tuple(sorted(found, key=lambda transaction: transaction.started_at, reverse=True))


def joined(pages: Iterable[TransactionsAnswer]) -> TransactionsAnswer:
    """All pages as one answer."""
    return TransactionsAnswer(transactions=tuple(each for page in pages for each in page.transactions))


def without_shifted(pages: Sequence[TransactionsAnswer]) -> TransactionsAnswer:
    """All pages as one answer, without what comes again on a later page because a new transaction moved it there."""
    last = {each.id: number for number, page in enumerate(pages) for each in page.transactions}
    kept = [each for number, page in enumerate(pages) for each in page.transactions if last[each.id] == number]
    return TransactionsAnswer(transactions=tuple(kept))


def require_id(transaction_id: str) -> None:
    """Refuse what is no id before metapod is asked for it; raises MetapodWrongData."""
    try:
        converted(transaction_id, Uuid)
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


def _transaction(answer: _Transaction, country: str) -> Transaction:
    names = {dataset.name: canonical_dataset(dataset.name, country=country) for dataset in answer.datasets}
    if doubled := _doubled(names[dataset.name] for dataset in answer.datasets):
        raise MetapodWrongData(
            f"metapod lists {doubled} twice in transaction {answer.id}{_forms(doubled, names)}, so its state is not "
            "known; "
            "ask metapod's owners which of the two counts"
        )
    return Transaction(
        id=answer.id,
        name=answer.name,
        type=answer.type,
        started_at=_in_utc(answer.started_at),
        target_date=answer.target_date,
        reference_date=answer.reference_date,
        datasets={names[dataset.name]: _dataset(dataset, names[dataset.name]) for dataset in answer.datasets},
    )


def _forms(doubled: str, names: Mapping[str, str]) -> str:
    """Both names of a dataset that has two, for a message."""
    forms = sorted(name for name, canonical in names.items() if canonical == doubled)
    return f" ({' and '.join(forms)})" if len(forms) > 1 else ""


def _dataset(answer: _Dataset, name: str) -> Dataset:
    attributes = (answer.schema.attributes if answer.schema else None) or ()
    return Dataset(
        name=name,
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
