"""The address at which a browser finds an object, for people who read a pull request."""

from urllib.parse import quote

CONSOLE = "https://console.aws.amazon.com/s3/object/{bucket}?prefix={key}"
"""Amazon's own page of an object, for whom may read it."""
LOOPBACK = "127.0.0.1"


def report_link(uri: str, template: str) -> str:
    """The address of an object.

    Args:
        uri: `s3://bucket/key`.
        template: an address with {bucket} and {key} in it.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return template.replace("{bucket}", quote(bucket)).replace("{key}", quote(key))


def local_template(port: int) -> str:
    """Where `logcache local ui` serves a report."""
    return f"http://{LOOPBACK}:{port}/{{bucket}}/{{key}}"


def local_pull_request(number: int, *, port: int) -> str:
    """Where `logcache local ui` serves a pull request of the local world."""
    return f"http://{LOOPBACK}:{port}/pull_requests/{number}"
