"""The pages of a listing, one after the other until the last, as the deployment's query asks for them."""

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from logcache_assets.adapters.metapod.answers import (
    PageAnswer,
    TransactionsAnswer,
    joined,
    without_shifted,
)
from logcache_assets.adapters.metapod.queries import Queries
from logcache_assets.ports import MetapodWrongData

MOST_PAGES = 1000
PAGE_TRANSACTIONS = 50
"""What is sent as `$limit`; a server may give less."""

_Shape = TypeVar("_Shape")


class AskPage(Protocol):
    """Asks for one page."""

    def __call__(self, page: Mapping[str, object], shape: type[_Shape]) -> _Shape:
        """The answer, of this type, to the query with these variables of pages."""


def all_pages(queries: Queries, ask: AskPage) -> TransactionsAnswer:
    """Every transaction of a listing; raises MetapodWrongData if its pages do not end."""
    if queries.pages_by_cursor:
        return joined(_by_cursor(ask))
    if queries.pages_by_offset:
        return without_shifted(tuple(_by_offset(ask)))
    return ask({"limit": PAGE_TRANSACTIONS}, TransactionsAnswer)


def _by_cursor(ask: AskPage) -> Iterator[TransactionsAnswer]:
    cursor: str | int | None = None
    seen: set[str | int] = set()
    for _ in range(MOST_PAGES):
        page = ask({"cursor": cursor, "limit": PAGE_TRANSACTIONS}, PageAnswer)
        yield page.listed
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            raise MetapodWrongData(
                "metapod's listing names the same next page twice, so it would never end; "
                "check that the query 'transactions' asks with $cursor, and tell metapod's owners"
            )
        seen.add(cursor)
    raise _endless()


def _by_offset(ask: AskPage) -> Iterator[TransactionsAnswer]:
    """Pages until an empty one: a server may give less than was asked for, long before the end."""
    offset = 0
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        page = ask({"offset": offset, "limit": PAGE_TRANSACTIONS}, TransactionsAnswer)
        if not page.transactions:
            return
        ids = {each.id for each in page.transactions}
        if ids <= seen:
            raise MetapodWrongData(
                "metapod's listing gives the same page again, so it would never end; "
                "check that the query 'transactions' asks with $offset, and tell metapod's owners"
            )
        yield page
        seen |= ids
        offset += len(page.transactions)
    raise _endless()


def _endless() -> MetapodWrongData:
    return MetapodWrongData(
        f"metapod lists more than {MOST_PAGES:,} pages of transactions; "
        "let the query 'transactions' ask with $startedFrom, or look back fewer days by LOGCACHE_LOOKBACK_DAYS"
    )
