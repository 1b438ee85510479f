"""What buckets on S3 say of themselves, and what the doctor makes of it."""

import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_bucket_facts import S3BucketFacts
from logcache_assets.adapters.aws.s3_buckets import BucketTerms
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect
from logcache_assets.domain.health import NOT_SAID, Mark
from logcache_assets.local_platform.world import World
from logcache_assets.ports import ObjectStoreDenied, ObjectStoreUnavailable, ObjectStoreWrongData
from logcache_assets.refresh.doctor import Doctor
from logcache_tests.adapters.dynamodb_tables import access_to
from logcache_tests.adapters.scripted_aws import Answer, scripted_aws
from logcache_tests.servers.server import Server
from logcache_tests.worlds import settings_at

_NUMBERS = itertools.count()
ACCOUNT = "123456789012"
"""Of moto's buckets."""
WEEK = {"Days": 7}
"""An expiration."""


@pytest.fixture
def bucket(moto_server: Server) -> str:
    """A new bucket."""
    name = f"facts-{next(_NUMBERS)}"
    moto_server.client("s3").create_bucket(Bucket=name)
    return name


def facts_of(server: Server, **terms: BucketTerms) -> S3BucketFacts:
    """The facts of a server's buckets."""
    return S3BucketFacts(access_to(server), terms)


def test_a_bucket_says_the_time(moto_server: Server, bucket: str) -> None:
    """The Date of its answer, in UTC."""
    shown = facts_of(moto_server).reach(bucket)

    assert shown is not None
    assert abs(datetime.now(UTC) - shown) < timedelta(minutes=1)


def test_versioning_is_as_it_was_set(moto_server: Server, bucket: str) -> None:
    """A new bucket keeps none."""
    facts, client = facts_of(moto_server), moto_server.client("s3")

    assert facts.versioning(bucket) == "off"
    for state in ("Enabled", "Suspended"):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})
        assert facts.versioning(bucket) == state


def test_encryption_is_as_it_was_set(moto_server: Server, bucket: str) -> None:
    """With its key, if it has one of its own."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "a-key"}}
    configuration = {"Rules": [rule]}

    moto_server.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)

    assert facts_of(moto_server).encryption(bucket) == "aws:kms with key a-key"


@pytest.mark.parametrize("versioned", [False, True])
def test_what_is_written_is_deleted_again(moto_server: Server, bucket: str, *, versioned: bool) -> None:
    """No version of it stays either."""
    client = moto_server.client("s3")
    if versioned:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    assert facts_of(moto_server).try_writing(bucket)

    left = client.list_object_versions(Bucket=bucket)
    assert left.get("Versions", []) == left.get("DeleteMarkers", []) == []


def test_what_may_not_be_deleted_stays() -> None:
    """A bucket whose objects nobody may delete is as it should be."""
    denied = Answer(status=403, body=b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    content = Answer(body=b"written by `logcache doctor --write`\n")

    with scripted_aws(Answer(body=b""), content, denied) as server:
        assert not S3BucketFacts(server.access()).try_writing("bucket")


def test_other_bytes_than_were_written_are_refused() -> None:
    """Such a store keeps no cache."""
    with (
        scripted_aws(Answer(body=b""), Answer(body=b"others")) as server,
        pytest.raises(ObjectStoreWrongData, match="is read as other bytes than were written"),
    ):
        S3BucketFacts(server.access()).try_writing("bucket")


Ask = Callable[[S3BucketFacts], object]
DENIED = {
    "s3:ListBucket": lambda facts: facts.reach("bucket"),
    "s3:GetBucketVersioning": lambda facts: facts.versioning("bucket"),
    "s3:GetEncryptionConfiguration": lambda facts: facts.encryption("bucket"),
    "s3:PutObject": lambda facts: facts.try_writing("bucket"),
}


@pytest.mark.parametrize(("action", "ask"), DENIED.items(), ids=DENIED)
def test_a_missing_permission_is_named(action: str, ask: Ask) -> None:
    """Each fact has its own action."""
    denied = Answer(status=403, body=b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")

    with scripted_aws(denied) as server, pytest.raises(ObjectStoreDenied, match=f"allow {action}"):
        ask(S3BucketFacts(server.access()))


def test_a_server_may_have_no_such_question() -> None:
    """That is no failure of the bucket, and no proof either."""
    unknown = Answer(status=501, body=b"<Error><Code>NotImplemented</Code><Message>no</Message></Error>")

    with scripted_aws(unknown) as server:
        facts = S3BucketFacts(server.access())

        assert facts.versioning("bucket") == facts.encryption("bucket") == NOT_SAID


@pytest.mark.servers
def test_a_server_that_keeps_its_promises_is_understood(versitygw_server: Server) -> None:
    """Every fact of a bucket of versitygw is one of the answers that we know."""
    name = f"facts-{next(_NUMBERS)}"
    versitygw_server.client("s3").create_bucket(Bucket=name)
    facts = facts_of(versitygw_server)

    assert facts.reach(name) is not None
    assert facts.versioning(name) in {"off", "Enabled", "Suspended", NOT_SAID}
    assert facts.encryption(name) in {"none", NOT_SAID}
    assert facts.try_writing(name)


def test_a_bucket_that_is_not_there_is_refused(moto_server: Server) -> None:
    """By its name."""
    with pytest.raises(ObjectStoreWrongData, match="there is no bucket absent; correct its name, or create it"):
        facts_of(moto_server).reach("absent")


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    """Nothing is known of the bucket."""
    with scripted_aws(Answer(status=503, body=b"")) as server, pytest.raises(ObjectStoreUnavailable):
        S3BucketFacts(server.access()).versioning("bucket")


@dataclasses.dataclass(frozen=True)
class Deployment:
    """Two sound buckets on S3; everything else is a local world."""

    world: World
    server: Server
    runs: str
    caches: str

    def change(self, method: str, **arguments: Any) -> None:  # noqa: ANN401 - as the SDK takes them
        """Call the SDK."""
        getattr(self.server.client("s3"), method)(**arguments)

    def expire(self, bucket: str, *, prefix: str) -> None:
        """Let a bucket's objects below a prefix expire."""
        rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": WEEK}
        self.change("put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})

    def unwell(
        self, *, ahead: timedelta = timedelta(), owners: bool = True, access: AwsAccess | None = None
    ) -> dict[tuple[str, str], Mark]:
        """What the doctor finds wrong with buckets and clock; `access` is to a server that tells other facts."""
        accounts = {"ephemeral_account": ACCOUNT, "permanent_account": ACCOUNT} if owners else {}
        own = settings_at(
            self.world.home, store="s3", ephemeral_bucket=self.runs, permanent_bucket=self.caches, **accounts
        )
        store = S3ObjectStore(access_to(self.server))
        terms = {self.caches: BucketTerms(account=own.permanent_account)}
        doctor = Doctor(
            ports=dataclasses.replace(connect(self.world.settings), store=store),
            buckets=S3BucketFacts(access or access_to(self.server), terms),
            settings=own,
            catalog=lambda: load_catalog(self.world.catalog),
            find_key=lambda: b"a key",
            sabesp=Path("/nowhere"),
            now=lambda: datetime.now(UTC) + ahead,
        )
        found = {(each.system, each.check): each.finding.mark for each in doctor.examine(write=True)}
        asked = {key: mark for key, mark in found.items() if key[0].startswith("bucket") or key[0] == "clock"}
        return {key: mark for key, mark in asked.items() if mark is not Mark.OK}


@pytest.fixture
def deployment(feed_world: World, moto_server: Server) -> Deployment:
    """A sound deployment."""
    names = [f"{what}-{next(_NUMBERS)}" for what in ("runs", "caches")]
    found = Deployment(feed_world, moto_server, *names)
    for name in names:
        found.change("create_bucket", Bucket=name)
    found.expire(found.runs, prefix="")
    found.change("put_bucket_versioning", Bucket=found.caches, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    encryption = {"Rules": [rule]}
    found.change("put_bucket_encryption", Bucket=found.caches, ServerSideEncryptionConfiguration=encryption)
    return found


def test_sound_buckets_are_well(deployment: Deployment) -> None:
    """And a deployment that names no owners is warned."""
    assert deployment.unwell() == {}
    assert set(deployment.unwell(owners=False).values()) == {Mark.WARNING}


BREAKS: dict[str, tuple[Callable[[Deployment], object], tuple[str, str], Mark]] = {
    "caches expire": (lambda d: d.expire(d.caches, prefix="cache/"), ("caches", "lifecycle"), Mark.FAILED),
    "runs never expire": (
        lambda d: d.change("delete_bucket_lifecycle", Bucket=d.runs),
        ("runs", "lifecycle"),
        Mark.FAILED,
    ),
    "no versions": (
        lambda d: d.change("put_bucket_versioning", Bucket=d.caches, VersioningConfiguration={"Status": "Suspended"}),
        ("caches", "versioning"),
        Mark.WARNING,
    ),
    "no encryption": (
        lambda d: d.change("delete_bucket_encryption", Bucket=d.caches),
        ("caches", "encryption"),
        Mark.FAILED,
    ),
}


@pytest.mark.parametrize(("act", "shown", "mark"), BREAKS.values(), ids=BREAKS)
def test_what_is_broken_is_shown_and_nothing_else(
    deployment: Deployment, act: Callable[[Deployment], object], shown: tuple[str, str], mark: Mark
) -> None:
    """Of the bucket that it is about."""
    act(deployment)

    ((system, check), found) = next(iter(deployment.unwell().items()))

    assert (system.split()[1].partition("-")[0], check, found) == (*shown, mark)
    assert len(deployment.unwell()) == 1


def test_buckets_of_another_account_are_shown(deployment: Deployment) -> None:
    """S3 refuses every request that names another owner."""
    denied = Answer(status=403, body=b"")

    with scripted_aws(denied) as server:
        found = deployment.unwell(access=server.access())

    assert {bucket.split()[1] for bucket, check in found if check == "owner"} == {deployment.runs, deployment.caches}
    assert set(found.values()) == {Mark.FAILED}


def test_a_wrong_clock_is_shown(deployment: Deployment) -> None:
    """Whatever the local world's date is."""
    assert deployment.unwell(ahead=timedelta(minutes=10)) == {("clock", "skew"): Mark.FAILED}
