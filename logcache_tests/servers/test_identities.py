"""A user does what its policy allows, and nothing else."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from logcache_tests.servers.buckets import empty_buckets, no_tables
from logcache_tests.servers.conformance.probing import create_table
from logcache_tests.servers.identities import Identities, Policy, judged, make_user
from logcache_tests.servers.server import Server

READER: Policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::source",
            "Condition": {"StringLike": {"s3:prefix": "logs/*"}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::source/logs/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::target/cache/*"},
    ],
}


QUERIER: Policy = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*"}],
}


@pytest.fixture
def served(s3_identities: Identities) -> Identities:
    """The buckets `source`, with an object inside the reader's folder and one outside, and `target`."""
    empty_buckets(s3_identities.server, "source", "target")
    for key in ("logs/a", "others/a"):
        s3_identities.server.client("s3").put_object(Bucket="source", Key=key, Body=b"1")
    return s3_identities


@pytest.mark.servers
def test_a_user_may_do_only_what_its_policy_allows(served: Identities) -> None:
    """Actions, folders and the prefix of a listing are judged."""
    s3 = served.server.asked_by(served.user("reader", READER)).client("s3")
    allowed: list[Callable[[], object]] = [
        lambda: s3.list_objects_v2(Bucket="source", Prefix="logs/"),
        lambda: s3.get_object(Bucket="source", Key="logs/a"),
        lambda: s3.put_object(Bucket="target", Key="cache/a", Body=b"2"),
        lambda: s3.copy_object(Bucket="target", Key="cache/b", CopySource="source/logs/a"),
    ]
    refused: list[Callable[[], object]] = [
        lambda: s3.list_objects_v2(Bucket="source"),
        lambda: s3.get_object(Bucket="source", Key="others/a"),
        lambda: s3.put_object(Bucket="target", Key="a", Body=b"2"),
        lambda: s3.put_object(Bucket="target", Key="cache/c", Body=b"2", Tagging="a=b"),
        lambda: s3.copy_object(Bucket="target", Key="cache/c", CopySource="source/others/a"),
        lambda: s3.copy_object(Bucket="target", Key="c", CopySource="source/logs/a"),
        lambda: s3.get_object_tagging(Bucket="source", Key="logs/a"),
        lambda: s3.delete_object(Bucket="target", Key="cache/a"),
    ]

    for ask in allowed:
        ask()
    for ask in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            ask()


def test_a_user_of_a_table_may_do_only_what_its_policy_allows(moto_server: Server) -> None:
    """Actions are judged while that is asked for."""
    no_tables(moto_server)
    create_table(moto_server, "segments")
    querier = moto_server.asked_by(make_user(moto_server, "querier", QUERIER)).client("dynamodb")
    question = {"KeyConditionExpression": "db_prototype = :i", "ExpressionAttributeValues": {":i": {"S": "feed-s0"}}}

    with judged(moto_server):
        assert querier.query(TableName="segments", **question)["Items"] == []
        with pytest.raises(ClientError, match="not authorized to perform: dynamodb:Scan"):
            querier.scan(TableName="segments")

    assert querier.scan(TableName="segments")["Items"] == []
