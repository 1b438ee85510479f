"""What DynamoDB promises about queries, pages and conditions."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from logcache_tests.servers.conformance.asking import Asking, refuses

KEY, SORT = "db_prototype", "last_t"
ITEM_BYTES = 4000
ITEMS = 300
"""Together a little more than a page of 1 MB holds."""
LARGEST_ITEM_BYTES = 400 << 10
TOO_MANY_DIGITS = "1" * 39


def item(last_t: int | str, instance: str = "feed-s0", **more: str) -> dict[str, dict[str, str]]:
    """An item of the index."""
    return {KEY: {"S": instance}, SORT: {"N": str(last_t)}, **{name: {"S": text} for name, text in more.items()}}


def put(ask: Asking, *items: dict[str, dict[str, str]]) -> None:
    """Write items one by one."""
    for one in items:
        ask.dynamodb.put_item(TableName=ask.place, Item=one)


def fill(ask: Asking) -> None:
    """Write more than a page of items."""
    requests = [{"PutRequest": {"Item": item(t, path="p" * ITEM_BYTES)}} for t in range(ITEMS)]
    client = ask.dynamodb
    for start in range(0, ITEMS, 25):
        client.batch_write_item(RequestItems={ask.place: requests[start : start + 25]})


def query(ask: Asking, after: int = -1, **more: Any) -> Any:  # noqa: ANN401 - boto3's own arguments and answers
    """A page of an instance's items above a t."""
    values = {":i": {"S": "feed-s0"}, ":t": {"N": str(after)}, **more.pop("ExpressionAttributeValues", {})}
    condition = f"{KEY} = :i AND {SORT} > :t"
    return ask.dynamodb.query(
        TableName=ask.place, KeyConditionExpression=condition, ExpressionAttributeValues=values, **more
    )


def found(page: Any) -> list[int]:  # noqa: ANN401 - boto3's answer
    """The t of each item."""
    return [int(one[SORT]["N"]) for one in page["Items"]]


def pages(ask: Asking, **more: Any) -> Iterator[Any]:  # noqa: ANN401 - as query
    """All pages of a query."""
    page = query(ask, **more)
    yield page
    while "LastEvaluatedKey" in page:
        page = query(ask, ExclusiveStartKey=page["LastEvaluatedKey"], **more)
        yield page


def ranges_of_sort_key(ask: Asking) -> bool:
    """Items above a number ascend as numbers, and descend if that is asked for."""
    put(ask, item(1213), item(11225), item(999), item(5, "feed-s1"))
    return (found(query(ask, 999)), found(query(ask, ScanIndexForward=False))) == ([1213, 11225], [11225, 1213, 999])


def pages_of_one_megabyte(ask: Asking) -> bool:
    """A page ends at 1 MB of items, also if a projection asks for less of each."""
    fill(ask)
    whole = [len(page["Items"]) for page in pages(ask)]
    keys = [len(page["Items"]) for page in pages(ask, ProjectionExpression=SORT)]
    return len(whole) > 1 and sum(whole) == ITEMS and whole == keys


def empty_page_goes_on(ask: Asking) -> bool:
    """A filter may leave a page empty, and the next page still comes."""
    fill(ask)
    filtered: dict[str, Any] = {
        "FilterExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": "path"},
        "ExpressionAttributeValues": {":p": {"S": "another"}},
    }
    return [len(page["Items"]) for page in pages(ask, **filtered)] == [0, 0]


def limit_goes_on(ask: Asking) -> bool:
    """A page of as many items as are left does not know that it is the last."""
    put(ask, item(1), item(2))
    return "LastEvaluatedKey" in query(ask, Limit=2)


def reserved_words(ask: Asking) -> bool:
    """A reserved word is no name of an attribute in an expression."""
    put(ask, item(1, timestamp="5"))
    names: dict[str, Any] = {"ProjectionExpression": "#t", "ExpressionAttributeNames": {"#t": "timestamp"}}
    reserved = refuses("ValidationException", lambda: query(ask, ProjectionExpression="timestamp"))
    return reserved and query(ask, **names)["Items"] == [{"timestamp": {"S": "5"}}]


def filter_on_key_refused(ask: Asking) -> bool:
    """A filter must not name a key."""
    return refuses("ValidationException", lambda: query(ask, FilterExpression=f"{SORT} > :t"))


def long_number_refused(ask: Asking) -> bool:
    """A number has at most 38 digits."""
    return refuses("ValidationException", lambda: put(ask, item(TOO_MANY_DIGITS)))


def wrong_items_refused(ask: Asking) -> bool:
    """An empty key, a key of another type and an item above 400 KiB are refused."""
    wrong = (
        item(1, instance=""),
        {**item(1), SORT: {"S": "1"}},
        item(1, path="p" * LARGEST_ITEM_BYTES),
    )
    return all(refuses("ValidationException", lambda one=one: put(ask, one)) for one in wrong)  # type: ignore[misc]


def conditional_put(ask: Asking) -> bool:
    """A condition that does not hold is refused with the item that is there."""
    put(ask, item(1, path="old"))
    try:
        ask.dynamodb.put_item(
            TableName=ask.place,
            Item=item(1, path="new"),
            ConditionExpression=f"attribute_not_exists({KEY})",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        code, there = error.response["Error"]["Code"], error.response.get("Item")
        return (code, there) == ("ConditionalCheckFailedException", item(1, path="old"))
    return False


def global_index_not_consistent(ask: Asking) -> bool:
    """A global index gives no consistent reads."""
    return refuses("ValidationException", lambda: query(ask, IndexName="by_t", ConsistentRead=True))


def missing_table(ask: Asking) -> bool:
    """A table that does not exist is told from an empty one."""
    none = Asking(ask.server, "there-is-none")
    return refuses("ResourceNotFoundException", lambda: query(none))
