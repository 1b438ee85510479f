"""What the probes share: clients of a server, and whether an answer is a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from logcache_tests.servers.server import Credentials, Server


@dataclass(frozen=True)
class Asking:
    """A server, and a place of the probe's own on it."""

    server: Server
    place: str
    """Name of a bucket or a table that nobody else uses."""

    @property
    def s3(self) -> Any:  # noqa: ANN401 - as Server.client
        """Adds and verifies no checksums by itself."""
        plain: Mapping[str, Any] = {
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
        return self.server.client("s3", **plain)

    @property
    def dynamodb(self) -> Any:  # noqa: ANN401 - as Server.client
        """A client."""
        return self.server.client("dynamodb")

    @property
    def with_wrong_secret(self) -> "Asking":
        """The same user, whose secret is another."""
        user = self.server.credentials.access_key
        wrong = Credentials(access_key=user, secret_key="not-the-secret")  # noqa: S106 - that is the point
        return Asking(self.server.asked_by(wrong), self.place)

    def put(self, key: str, content: bytes = b"content", **more: Any) -> str:  # noqa: ANN401 - boto3's own arguments
        """Write an object; returns its etag."""
        return str(self.s3.put_object(Bucket=self.place, Key=key, Body=content, **more)["ETag"])

    def head(self, key: str, **more: str) -> Any:  # noqa: ANN401 - as Server.client
        """Ask for an object's attributes."""
        return self.s3.head_object(Bucket=self.place, Key=key, **more)

    def copy(self, source: str, key: str, **more: str) -> Any:  # noqa: ANN401 - as Server.client
        """Copy an object."""
        return self.s3.copy_object(
            Bucket=self.place, Key=key, CopySource={"Bucket": self.place, "Key": source}, **more
        )["CopyObjectResult"]

    def read(self, key: str, **more: str) -> bytes:
        """An object's bytes."""
        return bytes(self.s3.get_object(Bucket=self.place, Key=key, **more)["Body"].read())


def refuses(code: str, ask: Callable[[], object]) -> bool:
    """Whether a request is refused, for this reason: a code, or the status of an answer without a body."""
    try:
        ask()
    except ClientError as error:
        return str(error.response["Error"]["Code"]) == code
    return False
