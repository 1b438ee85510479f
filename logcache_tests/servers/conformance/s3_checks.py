"""What S3 promises about conditions, listings, keys and who may ask."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from logcache_tests.servers.conformance.asking import Asking, refuses
from logcache_tests.servers.server import ACCOUNT

PAGE_KEYS = 1000
"""As many keys are in a page of a listing at most."""
ODD_KEYS = ("a b", "a+b", "a%2Fb", "é", "a=b&c", "~", "日本")
OTHERS_ACCOUNT = "210987654321"


def put_if_none_match(ask: Asking) -> bool:
    """PutObject with `If-None-Match: *` does not overwrite."""
    ask.put("a")
    return refuses("PreconditionFailed", lambda: ask.put("a", IfNoneMatch="*"))


def put_if_match(ask: Asking) -> bool:
    """PutObject with a stale If-Match is refused."""
    stale = ask.put("a", b"1")
    ask.put("a", b"2")
    return refuses("PreconditionFailed", lambda: ask.put("a", b"3", IfMatch=stale))


def copy_if_none_match(ask: Asking) -> bool:
    """CopyObject with `If-None-Match: *` does not overwrite."""
    ask.put("a")
    ask.put("b", b"precious")
    return refuses("PreconditionFailed", lambda: ask.copy("a", "b", IfNoneMatch="*")) and ask.read("b") == b"precious"


def copy_source_if_match(ask: Asking) -> bool:
    """CopyObject of a source that has changed is refused."""
    stale = ask.put("a", b"1")
    ask.put("a", b"2")
    return refuses("PreconditionFailed", lambda: ask.copy("a", "b", CopySourceIfMatch=stale))


def part_copy_source_if_match(ask: Asking) -> bool:
    """UploadPartCopy of a source that has changed is refused."""
    stale = ask.put("a", b"1")
    ask.put("a", b"2")
    upload = ask.s3.create_multipart_upload(Bucket=ask.place, Key="b")["UploadId"]
    of_part: dict[str, Any] = {"Bucket": ask.place, "Key": "b", "UploadId": upload, "PartNumber": 1}
    return refuses(
        "PreconditionFailed",
        lambda: ask.s3.upload_part_copy(**of_part, CopySource=f"{ask.place}/a", CopySourceIfMatch=stale),
    )


def complete_if_none_match(ask: Asking) -> bool:
    """CompleteMultipartUpload with `If-None-Match: *` does not overwrite."""
    upload = ask.s3.create_multipart_upload(Bucket=ask.place, Key="a")["UploadId"]
    of_upload = {"Bucket": ask.place, "Key": "a", "UploadId": upload}
    part = ask.s3.upload_part(**of_upload, PartNumber=1, Body=b"1")
    ask.put("a")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    return refuses(
        "PreconditionFailed",
        lambda: ask.s3.complete_multipart_upload(**of_upload, MultipartUpload=parts, IfNoneMatch="*"),
    )


def copy_by_version(ask: Asking) -> bool:
    """A former version can be copied and read."""
    ask.s3.put_bucket_versioning(Bucket=ask.place, VersioningConfiguration={"Status": "Enabled"})
    ask.put("a", b"1")
    version = ask.head("a")["VersionId"]
    ask.put("a", b"2")
    source = {"Bucket": ask.place, "Key": "a", "VersionId": version}
    ask.s3.copy_object(Bucket=ask.place, Key="b", CopySource=source)
    return ask.read("b") == b"1" and ask.read("a", VersionId=version) == b"1"


def copy_keeps_attributes(ask: Asking) -> bool:
    """CopyObject keeps metadata, content type and tags."""
    ask.put("a", Metadata={"m": "1"}, ContentType="application/x-own", Tagging="t=2")
    ask.copy("a", "b")
    head, tags = ask.head("b"), ask.s3.get_object_tagging(Bucket=ask.place, Key="b")["TagSet"]
    return (head["Metadata"], head["ContentType"]) == ({"m": "1"}, "application/x-own") and tags == [
        {"Key": "t", "Value": "2"}
    ]


def listing_in_pages(ask: Asking) -> bool:
    """A listing has pages of 1,000 keys in the order of their bytes; it can start after a key and stop at `/`."""
    keys = ["Z", "a/1", "a/2", "é", *(f"n{number:04}" for number in range(PAGE_KEYS))]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask.put, keys))
    pages = list(ask.s3.get_paginator("list_objects_v2").paginate(Bucket=ask.place))
    found = [entry["Key"] for page in pages for entry in page["Contents"]]
    after = ask.s3.list_objects_v2(Bucket=ask.place, StartAfter="n0998")["Contents"]
    folders = ask.s3.list_objects_v2(Bucket=ask.place, Delimiter="/", MaxKeys=2)["CommonPrefixes"]
    return (
        found == sorted(keys, key=str.encode)
        and [len(page["Contents"]) for page in pages] == [PAGE_KEYS, len(keys) - PAGE_KEYS]
        and [entry["Key"] for entry in after] == ["n0999", "é"]
        and folders == [{"Prefix": "a/"}]
    )


def odd_keys(ask: Asking) -> bool:
    """Keys with blanks, signs and letters of any script are written, copied, listed and read."""
    for number, key in enumerate(ODD_KEYS):
        ask.put(key, bytes([number]))
        ask.copy(key, f"copies/{key}")
    listed = {entry["Key"] for entry in ask.s3.list_objects_v2(Bucket=ask.place, Prefix="copies/")["Contents"]}
    return listed == {f"copies/{key}" for key in ODD_KEYS} and all(
        ask.read(f"copies/{key}") == bytes([number]) for number, key in enumerate(ODD_KEYS)
    )


def dots_in_keys(ask: Asking) -> bool:
    """A key is no path: `a/./b` is another than `a/b`."""
    ask.put("a/./b")
    return [entry["Key"] for entry in ask.s3.list_objects_v2(Bucket=ask.place)["Contents"]] == ["a/./b"]


def key_beside_folder(ask: Asking) -> bool:
    """A key may be the beginning of another: `a` beside `a/b`."""
    ask.put("a/b")
    ask.put("a")
    return ask.read("a") == b"content"


def range_of_bytes(ask: Asking) -> bool:
    """A part of an object can be read; what begins behind its end is refused."""
    ask.put("a", b"0123456789")
    return ask.read("a", Range="bytes=2-4") == b"234" and refuses(
        "InvalidRange", lambda: ask.read("a", Range="bytes=10-12")
    )


def lifecycle(ask: Asking) -> bool:
    """A lifecycle rule is read as it was written; a bucket without one says so."""
    none = refuses("NoSuchLifecycleConfiguration", lambda: ask.s3.get_bucket_lifecycle_configuration(Bucket=ask.place))
    rule = {"ID": "week", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 7}}
    if not none:
        return False
    ask.s3.put_bucket_lifecycle_configuration(Bucket=ask.place, LifecycleConfiguration={"Rules": [rule]})
    return bool(ask.s3.get_bucket_lifecycle_configuration(Bucket=ask.place)["Rules"] == [rule])


def expiration_shown(ask: Asking) -> bool:
    """HEAD tells the date on which a lifecycle rule deletes an object."""
    if not lifecycle(ask):
        return False
    ask.put("a/b")
    return "Expiration" in ask.head("a/b")


def storage_class_kept(ask: Asking) -> bool:
    """An object has the storage class that it was written with."""
    ask.put("a", StorageClass="STANDARD_IA")
    return bool(ask.head("a").get("StorageClass") == "STANDARD_IA")


def archived_refused(ask: Asking) -> bool:
    """What lies in an archive can be neither read nor copied."""
    ask.put("a", StorageClass="GLACIER")
    return refuses("InvalidObjectState", lambda: ask.read("a")) and refuses(
        "ObjectNotInActiveTierError", lambda: ask.copy("a", "b")
    )


def kms_key_kept(ask: Asking) -> bool:
    """An object has the encryption key that it was written with."""
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    ask.put("a", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    return bool(ask.head("a").get("SSEKMSKeyId") == key)


def expected_owner(ask: Asking) -> bool:
    """A bucket of another account than the expected one is refused."""
    ask.put("a", ExpectedBucketOwner=ACCOUNT)
    return refuses("AccessDenied", lambda: ask.read("a", ExpectedBucketOwner=OTHERS_ACCOUNT)) and refuses(
        "AccessDenied", lambda: ask.copy("a", "b", ExpectedSourceBucketOwner=OTHERS_ACCOUNT)
    )


def missing_bucket(ask: Asking) -> bool:
    """A bucket that does not exist is told from an empty one."""
    return refuses("NoSuchBucket", lambda: ask.s3.list_objects_v2(Bucket="there-is-none"))


def wrong_secret(ask: Asking) -> bool:
    """A wrong signature is refused."""
    wrong = ask.with_wrong_secret.s3
    return refuses("SignatureDoesNotMatch", lambda: wrong.list_objects_v2(Bucket=ask.place))
