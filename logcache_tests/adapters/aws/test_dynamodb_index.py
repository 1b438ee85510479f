"""The segment index in DynamoDB: pages, malformed items, configured names, and one sentence for every refusal.

What every index promises is in test_segment_index.py.
"""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.dynamodb_index import DynamoDbSegmentIndex
from logcache_assets.adapters.aws.segment_table import SegmentTable
from logcache_assets.adapters.repeated_reads import RepeatedReads
from logcache_assets.domain.segments import extraction_of
from logcache_assets.ports import SegmentIndexUnavailable, SegmentIndexWrongData
from logcache_tests.adapters.dynamodb_tables import access_to, filled_table, make_table, put, stored, written
from logcache_tests.adapters.scripted_aws import Answer, refusal, scripted_aws
from logcache_tests.adapters.test_segment_index import FEED, FIRST, SECOND, THIRD
from logcache_tests.servers.server import Server

ONCE = RepeatedReads(attempts=1)
TWICE = RepeatedReads(attempts=2, first_pause_seconds=0)
LONG_AGO = FIRST.extracted_at - timedelta(days=1)
KEY = {"db_prototype": {"S": "feed-s0"}, "last_t": {"N": "1213"}}


def index_of(access: AwsAccess, *, reads: RepeatedReads = ONCE, name: str = "segments") -> DynamoDbSegmentIndex:
    """An index over a table that may not exist."""
    return DynamoDbSegmentIndex(SegmentTable(access=access, name=name), reads)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        pytest.param("last_batch_t", "0", "last_batch_t is '0', expected `int`, got `str`", id="a number as text"),
        pytest.param("last_batch_t", 0.5, "last_batch_t is '0.5', expected `int`, got `float`", id="a fraction"),
        pytest.param("initial_t", None, "initial_t is 'None'", id="null"),
        pytest.param("initial_t", ..., "it has no initial_t", id="missing"),
        pytest.param("timestamp", -1, "timestamp is '-1'", id="negative"),
        pytest.param("timestamp", 1_515_157_601, "timestamp is '1515157601'", id="seconds"),
        pytest.param("path", 7, "path is '7'", id="path no text"),
        pytest.param("path", "/local/file.avro", "path is '/local/file.avro'", id="path no URI"),
        pytest.param("database", "food", "database and prototype make 'food-s0'", id="another database than the key's"),
        pytest.param("last_batch_t", 1213, "covers no range of t", id="an empty range"),
    ],
)
def test_a_malformed_item_is_named(moto_server: Server, field: str, value: object, told: str) -> None:
    """The error names table, item and field; the good items beside it are not answered alone."""
    table = filled_table(moto_server, [SECOND])
    put(moto_server, table, [stored(FIRST, **{field: value})])

    with pytest.raises(SegmentIndexWrongData) as refused:
        DynamoDbSegmentIndex(table).segments(FEED)

    assert f"DynamoDB table {table.name}, item feed-s0 / last_t 1213: " in str(refused.value)
    assert told in str(refused.value)
    assert str(refused.value).endswith("; correct that index item")


@pytest.mark.parametrize("value", ["yesterday", None, ..., 1_515_157_601], ids=["text", "null", "missing", "seconds"])
def test_a_malformed_timestamp_is_not_taken_for_an_old_one(moto_server: Server, value: object) -> None:
    """A cache must not pass for fresh because nobody could read when its segment was extracted."""
    table = filled_table(moto_server, [SECOND])
    put(moto_server, table, [stored(FIRST, timestamp=value)])

    with pytest.raises(SegmentIndexWrongData, match=r"item feed-s0 / last_t 1213: .*timestamp"):
        DynamoDbSegmentIndex(table).extracted_since(FEED, before_t=FIRST.last_t, since=FIRST.extracted_at)


@pytest.mark.parametrize("value", ["0", None, ...], ids=["text", "null", "missing"])
def test_a_malformed_begin_is_not_taken_for_a_late_one(moto_server: Server, value: object) -> None:
    """Nor because nobody could read where the segment begins."""
    table = filled_table(moto_server, [SECOND])
    put(moto_server, table, [stored(FIRST, last_batch_t=value)])

    with pytest.raises(SegmentIndexWrongData, match=r"item feed-s0 / last_t 1213: .*last_batch_t"):
        DynamoDbSegmentIndex(table).extracted_since(FEED, before_t=FIRST.last_t, since=FIRST.extracted_at)


def test_attributes_that_no_item_has_are_ignored(moto_server: Server) -> None:
    """The extractor may write down more about a segment than is documented."""
    table = make_table(moto_server)
    put(moto_server, table, [{**stored(FIRST), "extractor": {"M": {"host": {"S": "a"}}}, "ttl": {"N": "1.5"}}])
    index = DynamoDbSegmentIndex(table)

    assert index.segments(FEED) == (FIRST,)
    assert index.extracted_since(FEED, before_t=1, since=LONG_AGO) == (extraction_of(FIRST),)


def test_keys_may_have_other_names(moto_server: Server) -> None:
    """The settings name the keys; an error calls them as the table does."""
    table = filled_table(moto_server, [FIRST, SECOND], partition_key="dbPrototype", sort_key="lastT")
    index = DynamoDbSegmentIndex(table)

    assert index.segments(FEED, after_t=FIRST.last_t) == (SECOND,)
    assert index.newest_t(FEED) == SECOND.last_t
    assert len(index.extracted_since(FEED, before_t=SECOND.last_t, since=LONG_AGO)) == 2
    put(moto_server, table, [stored(THIRD, path=7)])
    with pytest.raises(SegmentIndexWrongData, match=r"item feed-s0 / lastT 11300: path is '7'"):
        index.segments(FEED)


QUESTIONS: dict[str, Callable[[DynamoDbSegmentIndex], object]] = {
    "all segments": lambda index: index.segments(FEED),
    "newer segments": lambda index: index.segments(FEED, after_t=1),
    "the newest t": lambda index: index.newest_t(FEED),
    "new extractions": lambda index: index.extracted_since(FEED, before_t=1, since=LONG_AGO),
}
TEXT_KEY = {**stored(FIRST), "last_t": {"S": "95599N"}}


@pytest.mark.servers
@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_a_sort_key_of_text_is_refused(dynamodb_server: Server, ask: Callable[[DynamoDbSegmentIndex], object]) -> None:
    """`95599N` sorts behind `100000`, so no range of such a table means anything; table, key and field are named."""
    table = make_table(dynamodb_server, sort_type="S")
    put(dynamodb_server, table, [TEXT_KEY])

    with pytest.raises(
        SegmentIndexWrongData, match=rf"table {table.name}, item feed-s0 / last_t '95599N': last_t is '95599N', expec"
    ):
        ask(DynamoDbSegmentIndex(table, ONCE))


@pytest.mark.parametrize("ask", [QUESTIONS["all segments"], QUESTIONS["the newest t"]], ids=["all", "the newest"])
def test_a_t_that_is_text_is_refused(moto_server: Server, ask: Callable[[DynamoDbSegmentIndex], object]) -> None:
    """Also by a server that compares texts with numbers."""
    table = make_table(moto_server, sort_type="S")
    put(moto_server, table, [TEXT_KEY])

    with pytest.raises(SegmentIndexWrongData, match=rf"table {table.name}, item feed-s0 / last_t '95599N': last_t is"):
        ask(DynamoDbSegmentIndex(table, ONCE))


@pytest.mark.servers
def test_an_empty_table_with_keys_of_text_is_refused_for_ranges(dynamodb_server: Server) -> None:
    """Before there is an item that could be named."""
    table = make_table(dynamodb_server, sort_type="S")

    with pytest.raises(SegmentIndexWrongData, match=rf"DynamoDB table {table.name} .*the number last_t"):
        DynamoDbSegmentIndex(table, ONCE).segments(FEED, after_t=1)


def test_a_t_as_text_names_table_key_and_field() -> None:
    """What a server would have to answer for it to be read."""
    item = {**stored(FIRST), "last_t": {"S": "95599N"}}
    with scripted_aws(Answer(body={"Items": [item], "Count": 1})) as server:
        index = index_of(server.access())

        with pytest.raises(
            SegmentIndexWrongData,
            match=r"DynamoDB table segments, item feed-s0 / last_t '95599N': last_t is '95599N', expected `int`",
        ):
            index.newest_t(FEED)


@pytest.mark.parametrize("text", ["1213", "1213.0", "1.213E3", "1213.000"])
def test_whole_numbers_are_read_however_they_are_written(text: str) -> None:
    """A number's text is the server's choice."""
    item = {**stored(FIRST), "last_t": {"N": text}}
    with scripted_aws(Answer(body={"Items": [item], "Count": 1})) as server:
        assert index_of(server.access()).segments(FEED) == (FIRST,)


def test_pages_are_followed_also_when_they_are_empty() -> None:
    """A filter may drop a whole page; what is on the next one still counts."""
    empty = Answer(body={"Items": [], "Count": 0, "ScannedCount": 900, "LastEvaluatedKey": KEY})
    last = Answer(body={"Items": [stored(SECOND)], "Count": 1, "ScannedCount": 1})

    with scripted_aws(empty, last) as server:
        found = index_of(server.access()).extracted_since(FEED, before_t=SECOND.last_t, since=LONG_AGO)

    assert found == (extraction_of(SECOND),)
    assert [request.get("ExclusiveStartKey") for request in server.requests] == [None, KEY]
    assert all(request["ConsistentRead"] is True for request in server.requests)


def test_pages_without_an_end_are_refused() -> None:
    """A server that gives the same page again would be asked for ever."""
    page = Answer(body={"Items": [], "Count": 0, "LastEvaluatedKey": KEY})

    with scripted_aws(page) as server, pytest.raises(SegmentIndexWrongData, match="pages of feed-s0 do not end"):
        index_of(server.access()).segments(FEED)


def test_a_log_of_megabytes_is_read_whole(moto_server: Server) -> None:
    """An answer has 1 MB of items at most; 3 MB are three pages or more, and none of their items is lost."""
    chain = [
        replace(FIRST, path=f"s3://logs/{t:04}/{'x' * 4400}.avro", initial_t=t, last_batch_t=t - 1, last_t=t)
        for t in range(1, 701)
    ]
    table = make_table(moto_server)
    client = moto_server.client("dynamodb")
    for first in range(0, len(chain), 25):
        puts = [{"PutRequest": {"Item": stored(segment)}} for segment in chain[first : first + 25]]
        client.batch_write_item(RequestItems={table.name: puts})
    index = DynamoDbSegmentIndex(table)

    assert index.segments(FEED) == tuple(chain)
    assert index.segments(FEED, after_t=690) == tuple(chain[690:])
    assert index.newest_t(FEED) == 700
    assert index.extracted_since(FEED, before_t=700, since=FIRST.extracted_at) == ()
    assert len(index.extracted_since(FEED, before_t=700, since=LONG_AGO)) == 700


THROTTLED = refusal("ProvisionedThroughputExceededException", "The level of configured throughput was exceeded")
BROKEN = refusal("InternalServerError", "Internal server error", status=500)
FOUND = Answer(body={"Items": [stored(FIRST)], "Count": 1})


@pytest.mark.parametrize("trouble", [THROTTLED, BROKEN], ids=["throttled", "a fault of the server"])
def test_a_busy_table_is_asked_again(trouble: Answer) -> None:
    """The SDK repeats a request, and the port repeats what the SDK gave up."""
    with scripted_aws(trouble, FOUND) as by_sdk:
        assert index_of(by_sdk.access(max_attempts=2)).segments(FEED) == (FIRST,)
    with scripted_aws(trouble, FOUND) as by_port:
        assert index_of(by_port.access(), reads=TWICE).segments(FEED) == (FIRST,)


REFUSALS = {
    "throttled": (THROTTLED, SegmentIndexUnavailable, r"too many requests \(ProvisionedThroughputExceededException\)"),
    "a fault of the server": (BROKEN, SegmentIndexUnavailable, "InternalServerError: Internal server error; run again"),
    "no JSON": (Answer(body=b"<html>Sign in</html>"), SegmentIndexUnavailable, "cannot be read|no list of items"),
    "another service": (Answer(body={}), SegmentIndexUnavailable, "no list of items.*check the endpoint"),
    "no permission": (
        refusal("AccessDeniedException", "User: arn:aws:sts::1:assumed-role/x is not authorized"),
        SegmentIndexWrongData,
        r"dynamodb:Query is not allowed \(User: arn:aws:.*assumed-role/x is not authorized\); allow dynamodb:Query",
    ),
    "expired": (
        refusal("ExpiredTokenException", "The security token included in the request is expired"),
        SegmentIndexUnavailable,
        "the AWS credentials have expired.*; sign in again",
    ),
    "unknown": (
        refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
        SegmentIndexWrongData,
        "the AWS credentials are not known",
    ),
    "wrong keys": (
        refusal("ValidationException", "Condition parameter type does not match schema type"),
        SegmentIndexWrongData,
        "does not match schema type.*string db_prototype.*number last_t: correct LOGCACHE_SEGMENT_PARTITION_KEY",
    ),
    "no such index": (
        refusal("ValidationException", "The table does not have the specified index: by_end"),
        SegmentIndexWrongData,
        "specified index: by_end.*LOGCACHE_SEGMENT_TABLE_INDEX",
    ),
    "a wrong key or clock": (
        refusal("InvalidSignatureException", "The Canonical String should have been 'x-amz-security-token:topsecret'"),
        SegmentIndexWrongData,
        "signature is refused.*correct the secret key, or set this computer's clock",
    ),
}


@pytest.mark.parametrize(("answer", "kind", "told"), REFUSALS.values(), ids=REFUSALS)
def test_each_refusal_is_one_sentence(answer: Answer, kind: type[Exception], told: str) -> None:
    """It names the table, what is wrong and what to do; a session token that a server repeats is in none."""
    with (
        scripted_aws(answer) as server,
        pytest.raises(kind, match=rf"^DynamoDB table segments.*(?:{told})") as refused,
    ):
        index_of(server.access()).newest_t(FEED)

    assert "\n" not in str(refused.value)
    assert "topsecret" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_new_credentials_are_taken_when_the_old_ones_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code server lives for weeks; whoever signs in again need not start it again."""
    expired, _, _ = REFUSALS["expired"]
    with scripted_aws(expired, FOUND) as server:
        index = index_of(server.access())
        with pytest.raises(SegmentIndexUnavailable):
            index.newest_t(FEED)

        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "signedinagain")

        assert index.newest_t(FEED) == FIRST.last_t
        assert ["signedinagain" in sent for sent in server.authorizations] == [False, True]


def test_a_table_that_does_not_exist_names_region_and_settings(moto_server: Server) -> None:
    """A wrong region looks the same: there is no such table."""
    index = index_of(access_to(moto_server), name="absent")

    with pytest.raises(
        SegmentIndexWrongData,
        match=r"^DynamoDB table absent: there is none in us-east-1; correct LOGCACHE_SEGMENT_TABLE, LOGCACHE_AWS",
    ):
        index.segments(FEED)


def test_an_index_of_the_table_is_asked_without_consistency() -> None:
    """DynamoDB refuses consistent reads of a global index."""
    with scripted_aws(FOUND) as server:
        table = SegmentTable(access=server.access(), name="segments", index="by_end")

        assert DynamoDbSegmentIndex(table, ONCE).segments(FEED) == (FIRST,)

    assert server.requests[0]["IndexName"] == "by_end"
    assert "ConsistentRead" not in server.requests[0]


NOBODY = "http://127.0.0.1:9"
UNREACHED: Mapping[str, tuple[dict[str, Any], dict[str, str], type[Exception], str]] = {
    "nobody listens": ({}, {}, SegmentIndexUnavailable, "Could not connect.*; check the network"),
    "no credentials": (
        {},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        SegmentIndexUnavailable,
        "no AWS credentials were found; sign in",
    ),
    "no credentials for a role": (
        {"role_arn": "arn:aws:iam::123456789012:role/reader"},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        SegmentIndexUnavailable,
        "no AWS credentials were found; sign in",
    ),
    "half of the credentials": (
        {},
        {"AWS_SECRET_ACCESS_KEY": ""},
        SegmentIndexWrongData,
        "credentials are incomplete .*; complete them",
    ),
    "no such profile": ({"profile": "nobody"}, {}, SegmentIndexWrongData, "nobody.*correct LOGCACHE_AWS_PROFILE"),
    "no region": ({"region": None}, {"AWS_REGION": ""}, SegmentIndexWrongData, "no AWS region is known; set LOGCACHE"),
    "no name of a region": ({"region": "us east"}, {}, SegmentIndexWrongData, "us east.*correct LOGCACHE_AWS_REGION"),
}


@pytest.mark.parametrize(("given", "variables", "kind", "told"), UNREACHED.values(), ids=UNREACHED)
def test_what_never_reaches_a_server_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    variables: dict[str, str],
    kind: type[Exception],
    told: str,
) -> None:
    """Network, credentials, profile and region."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    # A number of attempts of its own: clients are kept by what they are made of, credentials included.
    access = AwsAccess(**{"region": "us-east-1", "endpoint_url": NOBODY, "max_attempts": 1, "verify": told, **given})

    with pytest.raises(kind, match=told) as refused:
        index_of(access).newest_t(FEED)

    assert "\n" not in str(refused.value)


def test_a_password_in_the_endpoint_is_not_told() -> None:
    """Neither by errors nor by what is pickled."""
    index = index_of(AwsAccess(region="us-east-1", endpoint_url="http://user:opensesame@127.0.0.1:9", max_attempts=1))

    with pytest.raises(SegmentIndexUnavailable) as refused:
        index.newest_t(FEED)

    assert "opensesame" not in str(refused.value)


def test_credentials_do_not_travel(monkeypatch: pytest.MonkeyPatch, moto_server: Server) -> None:
    """A pickled index holds where the table is; a worker takes credentials from its own environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret-of-this-test")
    index = DynamoDbSegmentIndex(filled_table(moto_server, [FIRST]))

    sent = pickle.dumps((index, index.segments(FEED)))

    assert b"planted-secret" not in sent
    assert "planted-secret" not in repr(index)
    assert pickle.loads(sent)[0] == index  # noqa: S301 - sent by ourselves


def test_values_are_written_as_dynamodb_writes_them() -> None:
    """Numbers are text."""
    assert (written(1213), written("x"), written(None)) == ({"N": "1213"}, {"S": "x"}, {"NULL": True})
