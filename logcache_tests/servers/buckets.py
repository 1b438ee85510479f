"""Empty buckets and tables for a test on a server that others have used."""

from typing import Any

from logcache_tests.servers.server import Server


def empty_buckets(server: Server, *names: str, versioned: bool = False) -> None:
    """Leave the server with these buckets alone, all of them empty."""
    s3 = server.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        _remove(s3, bucket["Name"])
    for name in names:
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _remove(s3: Any, bucket: str) -> None:  # noqa: ANN401 - as Server.client
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    # moto does not say that there is another page.
    while objects := _versions(s3.list_object_versions(Bucket=bucket)):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=bucket)


def _versions(page: Any) -> list[dict[str, str]]:  # noqa: ANN401 - boto3's answer
    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]


def no_tables(server: Server) -> None:
    """Leave the server without tables."""
    dynamodb = server.client("dynamodb")
    for page in dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            dynamodb.delete_table(TableName=name)
