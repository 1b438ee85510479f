"""S3 through faults: nothing is lost, every loss is named, nothing is there twice or with other bytes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.copy_terms import CopyTerms
from logcache_assets.adapters.aws.s3_store import S3ObjectStore
from logcache_assets.ports import (
    CopyRequest,
    FailedCopy,
    ObjectNotFoundError,
    ObjectStoreDenied,
    ObjectStoreError,
    StoredObject,
)
from logcache_tests.adapters.aws.s3_scene import OBJECTS, Scene, content_of, filled_scene
from logcache_tests.servers.buckets import empty_buckets
from logcache_tests.servers.fault_proxy.faults import Fault, Faults
from logcache_tests.servers.fault_proxy.proxy import FaultProxy, fault_proxy
from logcache_tests.servers.identities import EVERYTHING, Identities
from logcache_tests.servers.server import Credentials

pytestmark = pytest.mark.servers

READ = 60
"""So many of them are read: a busy S3 makes the SDK pause for seconds."""
DOCUMENTS = 15
MIB = 1 << 20
IN_PARTS = CopyTerms(multipart_bytes=6 * MIB, part_bytes=5 * MIB)


@pytest.fixture
def scene(s3_proxy: FaultProxy) -> Scene:
    """Objects of a kilobyte."""
    return filled_scene(s3_proxy)


def require_accounted(scene: Scene, outcomes: list[StoredObject | FailedCopy], planned: list[CopyRequest]) -> None:
    """Every request has one outcome, what is told to be copied is there, and what is there has its source's bytes."""
    told = [item.uri if isinstance(item, StoredObject) else item.request.destination_uri for item in outcomes]
    there = scene.target()

    assert sorted(told) == sorted(request.destination_uri for request in planned)
    assert {item.uri[-3:] for item in outcomes if isinstance(item, StoredObject)} <= set(there)
    assert there == {key: content_of(int(key)) for key in there}


@pytest.mark.parametrize(
    ("faults", "injected"),
    [
        pytest.param(Faults(latency_seconds=0.05), None, id="latency"),
        pytest.param(Faults(dropped_reply=0.1), Fault.DROPPED_REPLY, id="replies lost after the effect"),
        pytest.param(Faults(slow_down=0.1), Fault.SLOW_DOWN, id="busy at 10 %"),
        pytest.param(Faults(slow_down=0.3), Fault.SLOW_DOWN, id="busy at 30 %"),
        pytest.param(Faults(error_in_200=0.1), Fault.ERROR_IN_200, id="errors with status 200"),
    ],
)
def test_every_object_is_copied(scene: Scene, faults: Faults, injected: Fault | None) -> None:
    """What passes is repeated until it is done."""
    planned = scene.requests()

    with scene.proxy.injecting(faults):
        outcomes = list(scene.store.copy_all(planned))
        figures = dict(scene.proxy.injected)

    require_accounted(scene, outcomes, planned)
    assert [item for item in outcomes if isinstance(item, FailedCopy)] == []
    assert len(scene.target()) == OBJECTS
    assert set(figures) == ({injected} if injected else set())


def test_every_vanished_source_is_named(scene: Scene) -> None:
    """All others are copied."""
    planned = scene.requests()

    with scene.proxy.injecting(Faults(vanished=0.05)):
        outcomes = list(scene.store.copy_all(planned))

    require_accounted(scene, outcomes, planned)
    gone = {request.source.uri for request in planned} - {item.uri for item in scene.store.list_objects("s3://source/")}
    failed = {item.request.source.uri: item.error for item in outcomes if isinstance(item, FailedCopy)}
    assert set(failed) == gone
    assert {type(error) for error in failed.values()} == {ObjectNotFoundError}
    assert all(uri in str(error) for uri, error in failed.items())
    assert 0 < len(gone) < OBJECTS / 10
    assert len(scene.target()) == OBJECTS - len(gone)


def test_everything_at_once(scene: Scene) -> None:
    """Faults on faults lose nothing that is not named."""
    planned = scene.requests()

    with scene.proxy.injecting(Faults(slow_down=0.1, dropped_reply=0.1, error_in_200=0.1, vanished=0.03)):
        outcomes = list(scene.store.copy_all(planned))
        assert set(scene.proxy.injected) == {
            Fault.SLOW_DOWN,
            Fault.DROPPED_REPLY,
            Fault.ERROR_IN_200,
            Fault.VANISHED,
        }

    require_accounted(scene, outcomes, planned)
    lost = {item.request.destination_uri[-3:] for item in outcomes if isinstance(item, FailedCopy)}
    assert set(scene.target()) | lost == {f"{number:03}" for number in range(OBJECTS)}


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(corrupted=0.1), id="one bit is another"),
        pytest.param(Faults(truncated=0.1), id="cut short"),
        pytest.param(Faults(slow_down=0.3, dropped_reply=0.1), id="busy, replies lost"),
    ],
)
def test_no_other_bytes_are_read(scene: Scene, faults: Faults) -> None:
    """A damaged answer is asked for again; listings are whole."""
    with scene.proxy.injecting(faults):
        listed = [item.uri for item in scene.store.list_objects("s3://source/")][:READ]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(scene.store.read, listed))
        assert scene.proxy.injected

    assert listed == [f"s3://source/f/{number:03}" for number in range(READ)]
    assert found == [content_of(number) for number in range(READ)]


@pytest.mark.parametrize("faults", [Faults(dropped_reply=0.3), Faults(slow_down=0.3)], ids=["replies lost", "busy"])
def test_a_document_is_created_once(scene: Scene, faults: Faults) -> None:
    """Also when the reply to its writing is lost: the second request finds the first one's bytes."""
    uris = [f"s3://target/f/{number:03}" for number in range(DOCUMENTS)]

    with scene.proxy.injecting(faults):
        created = [scene.store.create(uri, content_of(number)) for number, uri in enumerate(uris)]

    assert [item.uri for item in created] == uris
    assert scene.target() == {f"{number:03}": content_of(number) for number in range(DOCUMENTS)}


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(error_in_200=0.3), id="errors with status 200"),
        pytest.param(Faults(slow_down=0.2), id="busy"),
        pytest.param(
            Faults(dropped_reply=0.6, operations=frozenset({"CompleteMultipartUpload"})), id="the last reply is lost"
        ),
        pytest.param(
            Faults(dropped_reply=0.3, operations=frozenset({"UploadPartCopy", "HeadObject"})),
            id="other replies are lost",
        ),
    ],
)
def test_a_large_object_is_copied_in_parts(scene: Scene, faults: Faults) -> None:
    """No unfinished upload is left over, whatever had to be sent again."""
    empty_buckets(scene.proxy.upstream, "source", "target")
    contents = {f"{number:03}": content_of(number) * 5200 for number in range(4)}
    for key, content in contents.items():
        scene.behind.put_object(Bucket="source", Key=f"f/{key}", Body=content)
    store = S3ObjectStore(AwsAccess(endpoint_url=scene.proxy.server.endpoint_url), copies=IN_PARTS)
    planned = scene.requests()

    with scene.proxy.injecting(faults):
        outcomes = list(store.copy_all(planned))
        assert scene.proxy.injected

    assert [item for item in outcomes if isinstance(item, FailedCopy)] == []
    assert scene.target() == contents
    assert "Uploads" not in scene.behind.list_multipart_uploads(Bucket="target")


def test_credentials_expire_in_the_middle(s3_identities: Identities, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every copy that was not made says so, and with other credentials exactly those are made."""
    first, second = (s3_identities.user(f"copier-{name}", EVERYTHING) for name in ("first", "second"))
    with fault_proxy(s3_identities.server, honours_if_none_match=True) as proxy:
        scene = filled_scene(proxy)
        use(first, scene.store, monkeypatch)
        planned = scene.requests()

        with proxy.injecting(Faults(expire_after=OBJECTS // 3)):
            outcomes = list(scene.store.copy_all(planned))
            use(second, scene.store, monkeypatch)
            require_accounted(scene, outcomes, planned)
            failed = [item for item in outcomes if isinstance(item, FailedCopy)]
            rest = list(scene.store.copy_all([item.request for item in failed][: OBJECTS // 3]))

    assert len(failed) == OBJECTS - OBJECTS // 3
    assert {type(item.error) for item in failed} == {ObjectStoreDenied}
    assert all("credentials expired" in str(item.error) for item in failed)
    assert all(isinstance(item, StoredObject) for item in rest)


def use(who: Credentials, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put credentials where the SDK finds them, as a person does who renews them."""
    for name, value in who.variables.items():
        monkeypatch.setenv(name, value)
    store.access.forget_credentials()


def test_a_store_that_never_answers_is_told(scene: Scene) -> None:
    """Every copy fails with its cause; nothing is half there."""
    store = S3ObjectStore(
        AwsAccess(endpoint_url=scene.proxy.server.endpoint_url, max_attempts=2), copies=CopyTerms(attempts=1)
    )
    planned = scene.requests()[:3]

    with scene.proxy.injecting(Faults(slow_down=1)):
        outcomes = list(store.copy_all(planned))

    require_accounted(scene, outcomes, planned)
    errors = [item.error for item in outcomes if isinstance(item, FailedCopy)]
    assert [type(error) for error in errors] == [type(errors[0])] * 3
    assert all(isinstance(error, ObjectStoreError) and "SLOW_DOWN" in str(error) for error in errors)
    assert scene.target() == {}
