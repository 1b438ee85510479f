"""Answers that the proxy gives itself, as the services word them."""

import json
from dataclasses import dataclass

from logcache_tests.servers.fault_proxy.faults import Fault
from logcache_tests.servers.fault_proxy.requests import Request


@dataclass(frozen=True)
class Answer:
    """Status and error of an answer."""

    status: int
    code: str
    message: str
    more: str = ""
    """Further elements of S3's body."""


_S3 = {
    Fault.EXPIRED: Answer(400, "ExpiredToken", "The provided token has expired."),
    Fault.SLOW_DOWN: Answer(503, "SlowDown", "Please reduce your request rate."),
    Fault.ERROR_IN_200: Answer(200, "InternalError", "We encountered an internal error. Please try again."),
}
_DYNAMODB = {
    Fault.EXPIRED: Answer(
        400, "com.amazon.coral.service#ExpiredTokenException", "The security token included in the request is expired"
    ),
    Fault.SLOW_DOWN: Answer(
        400,
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. "
        "Consider increasing your provisioning level with the UpdateTable API.",
    ),
}
EXISTS = Answer(
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    "<Condition>If-None-Match</Condition>",
)
"""To a copy that must not overwrite."""


def answer_of(fault: Fault, request: Request) -> Answer | None:
    """The answer to a request that the server does not see; None if it sees it."""
    return (_DYNAMODB if request.is_dynamodb else _S3).get(fault)


def answer_bytes(answer: Answer, request: Request) -> bytes:
    """An answer as it is sent; one to HEAD has no body."""
    kind, body = _json(answer) if request.is_dynamodb else _xml(answer)
    head = (
        f"HTTP/1.1 {answer.status} {answer.code.rpartition('#')[2]}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nx-amz-request-id: PROXY\r\n\r\n"
    )
    return head.encode() + (b"" if request.method == "HEAD" else body)


def _xml(answer: Answer) -> tuple[str, bytes]:
    text = f"<Error><Code>{answer.code}</Code><Message>{answer.message}</Message>{answer.more}"
    return "application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{text}</Error>'.encode()


def _json(answer: Answer) -> tuple[str, bytes]:
    return "application/x-amz-json-1.0", json.dumps({"__type": answer.code, "message": answer.message}).encode()
