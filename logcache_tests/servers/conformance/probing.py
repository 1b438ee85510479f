"""Asks a server every check, each at a place of its own."""

from collections.abc import Callable, Iterable

from botocore.exceptions import ClientError

from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.conformance.asking import Asking
from logcache_tests.servers.conformance.dynamodb_checks import KEY, SORT
from logcache_tests.servers.conformance.expected import DYNAMODB_CHECKS, S3_CHECKS, Check
from logcache_tests.servers.server import Server


def probe_s3(server: Server) -> dict[str, bool]:
    """Check → whether the server keeps it; its buckets are gone afterwards."""
    empty_buckets(server)
    found = _probed(server, S3_CHECKS, lambda place: server.client("s3").create_bucket(Bucket=place))
    empty_buckets(server)
    return found


def probe_dynamodb(server: Server) -> dict[str, bool]:
    """Check → whether the server keeps it; its tables are gone afterwards."""
    no_tables(server)
    found = _probed(server, DYNAMODB_CHECKS, lambda place: create_table(server, place))
    no_tables(server)
    return found


def create_table(server: Server, name: str) -> None:
    """A table with the keys of the segment index, and the same keys as a global index `by_t`."""
    keys = [{"AttributeName": KEY, "KeyType": "HASH"}, {"AttributeName": SORT, "KeyType": "RANGE"}]
    server.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": KEY, "AttributeType": "S"},
            {"AttributeName": SORT, "AttributeType": "N"},
        ],
        KeySchema=keys,
        GlobalSecondaryIndexes=[{"IndexName": "by_t", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}],
        BillingMode="PAY_PER_REQUEST",
    )


def _probed(server: Server, checks: Iterable[Check], make_place: Callable[[str], object]) -> dict[str, bool]:
    found = {}
    for check in checks:
        place = f"probe-{check.__name__.replace('_', '-')}"
        make_place(place)
        found[check.__name__] = _keeps(check, Asking(server, place))
    return found


def _keeps(check: Check, ask: Asking) -> bool:
    try:
        return check(ask)
    except (ClientError, KeyError):
        # What it does not know it refuses, or leaves out of its answer.
        return False
