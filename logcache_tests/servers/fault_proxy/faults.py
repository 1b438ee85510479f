"""Which fault a request meets: a pure choice, the same in every run whatever the order in which requests come."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum, auto

from logcache_tests.servers.fault_proxy.requests import Request


class Fault(StrEnum):
    """What can happen to a request."""

    EXPIRED = auto()
    """The credentials have expired; the server does not see the request."""
    SLOW_DOWN = auto()
    """The service is busy: 503 SlowDown, or DynamoDB's 400; the server does not see the request."""
    VANISHED = auto()
    """The source of a copy is deleted just before."""
    ERROR_IN_200 = auto()
    """A copy is answered with status 200 and an error in the body; the server does not see the request."""
    DROPPED_REPLY = auto()
    """The server does it, the client's connection is closed without an answer."""
    TRUNCATED = auto()
    """Of a body that is read only the first half comes."""
    CORRUPTED = auto()
    """One bit of an object's bytes, or of items, is another."""


COPIES = frozenset({"CopyObject", "UploadPartCopy", "CompleteMultipartUpload"})
"""Operations that S3 may answer with an error in a 200."""
_FROM_SOURCE = frozenset({"CopyObject", "UploadPartCopy"})
_HIT_ONLY = {
    Fault.VANISHED: _FROM_SOURCE,
    Fault.ERROR_IN_200: COPIES,
    Fault.TRUNCATED: frozenset({"GetObject", "ListObjectsV2", "Query"}),
    Fault.CORRUPTED: frozenset({"GetObject", "Query"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How many requests meet which fault; shares are from 0 to 1, of the requests that can meet it."""

    seed: int = 0
    latency_seconds: float = 0
    """Added to each answer."""
    slow_down: float = 0
    vanished: float = 0
    """Share of the sources, not of the requests."""
    error_in_200: float = 0
    dropped_reply: float = 0
    truncated: float = 0
    corrupted: float = 0
    expire_after: int | None = None
    """How many requests credentials are good for."""
    operations: frozenset[str] | None = None
    """Only these meet faults; None for all."""


NO_FAULTS = Faults()


def choose_fault(faults: Faults, request: Request, *, attempt: int, with_credential: int) -> Fault | None:
    """The fault that a request meets; at most one.

    Args:
        faults: the shares.
        request: what is asked.
        attempt: how often this very request came before; a repetition has another fate.
        with_credential: how many requests came before with the same credentials.
    """
    if faults.expire_after is not None and with_credential >= faults.expire_after:
        return Fault.EXPIRED
    if faults.operations is not None and request.operation not in faults.operations:
        return None
    return next((fault for fault in Fault if _is_hit(fault, faults, request, attempt)), None)


def _is_hit(fault: Fault, faults: Faults, request: Request, attempt: int) -> bool:
    share: float = getattr(faults, fault.value, 0)
    if not share or request.operation not in _HIT_ONLY.get(fault, {request.operation}):
        return False
    fate = "/".join(request.source) if fault is Fault.VANISHED else f"{attempt} {request.identity}"
    return draw(f"{faults.seed} {fault} {fate}") < share


def draw(text: str) -> float:
    """A number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / (1 << 56)
