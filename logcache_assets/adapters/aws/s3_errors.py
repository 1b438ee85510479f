"""Turns what S3 answers, or does not answer, into the object store's errors: one sentence with its remedy each.

`Unavailable` is what a later call may answer: throttling, outages, damaged answers. `Denied` is what we may not ask:
nothing is known of the object, and only a person can change that. All else is refused for good.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

from logcache_assets.adapters.aws.aws_faults import code_of
from logcache_assets.adapters.aws.s3_objects import bucket_of
from logcache_assets.adapters.object_errors import not_found
from logcache_assets.domain.plain_text import shortened
from logcache_assets.ports import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectStoreDenied,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
)

T = TypeVar("T")
_ACTIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:PutObject and s3:PutObjectTagging there, and s3:GetObject and s3:GetObjectTagging on its source",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetObjectTagging": "s3:GetObjectTagging",
    "HeadBucket": "s3:ListBucket",
    "DeleteObjects": "s3:DeleteObject",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
}
"""Operation → what a policy must allow for it."""
_LATER = {
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "OperationAborted",
    "ConditionalRequestConflict",
    "BadDigest",
    "IncompleteBody",
    "NoSuchUpload",  # also the answer to a completion that was sent again because the first one's answer was lost
}
_SIGNING_IN = ("Credential", "Token", "SSO", "Login", "Profile")
"""Words in the names of the SDK's errors about credentials."""
_OUTAGE_STATUS = 500
_DENIED_STATUS = 403
_TOO_MANY_STATUS = 429


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of S3, for the message."""

    operation: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """S3's refusal."""

    code: str
    message: str
    status: int
    region: str | None = None
    """Where S3 says that the bucket is, if it says so."""

    @property
    def may_change(self) -> bool:
        """Whether the same request may be answered later."""
        fails = self.status >= _OUTAGE_STATUS and self.code != "NotImplemented"
        return self.code in _LATER or fails or self.status == _TOO_MANY_STATUS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back for a request."""

    status: int | None
    """None if nothing came back."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    failure: str = ""
    """The client's name for what went wrong, if nothing came back."""


def error_of(question: Question, answer: Answer) -> ObjectStoreError:
    """The error for a refusal."""
    if answer.may_change:
        return no_answer(question, answer.code)
    if answer.code in {"NoSuchKey", "404", "NotFound"}:
        return not_found(question.uri)
    if answer.code in {"PreconditionFailed", "412"}:
        return _condition_error(question)
    denied = answer.status == _DENIED_STATUS or answer.code in _NOT_LET_IN or _names_a_key(answer)
    kind = ObjectStoreDenied if denied and answer.code not in _OF_THE_OBJECT else ObjectStoreWrongData
    return kind(_refusal(question, answer))


def removal_error(uri: str, fault: Mapping[str, str]) -> ObjectStoreError:
    """The error for one object of many that S3 did not remove; their answers have no status."""
    code = fault.get("Code", "")
    status = _DENIED_STATUS if code == "AccessDenied" else 0
    answer = Answer(code=code, message=fault.get("Message", ""), status=status)
    return error_of(Question(operation="DeleteObjects", uri=uri), answer)


def _names_a_key(answer: Answer) -> bool:
    """Whether it is refused by a key of KMS."""
    return answer.code.startswith("KMS.") or "kms:" in answer.message.lower()


def _condition_error(question: Question) -> ObjectStoreError:
    """The error of a condition that does not hold: that nothing lies there, or that the source is as it was listed."""
    if question.operation == "PutObject":
        return ObjectExistsError(f"an object already lies at {question.uri}")
    return ObjectChangedError(f"{question.uri} is not as it was listed; list the source again and plan a new copy")


_AGAIN = "see whether S3 answers, then run again"


def _refusal(question: Question, answer: Answer) -> str:
    bucket = bucket_of(question.uri)
    for codes, sentence in _SENTENCES.items():
        if answer.code in codes:
            region = answer.region or "the region of the bucket"
            return sentence.format(uri=question.uri, bucket=bucket, region=region)
    if _names_a_key(answer):
        return (
            f"{question.uri} is encrypted with a key that may not be used ({answer.code}); allow kms:Decrypt on the "
            "key of what is read, and kms:GenerateDataKey on the key of what is written"
        )
    if answer.status == _DENIED_STATUS:
        return _denied(question)
    refused = f"S3 refused {question.operation} of {question.uri} ({answer.code}: {shortened(answer.message)})"
    return f"{refused}; correct what it names"


_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId"})
_NOT_LET_IN = _EXPIRED | _UNKNOWN | {"RequestTimeTooSkewed"}
_OF_THE_OBJECT = frozenset({"InvalidObjectState"})
"""Refusals with the status of a denial that tell what the object is."""
_SENTENCES: Mapping[frozenset[str], str] = {
    frozenset({"NoSuchBucket"}): "there is no bucket {bucket} for {uri}; correct its name, or create it",
    _EXPIRED: "the AWS credentials expired while {uri} was asked for; renew them, then run again",
    _UNKNOWN: "AWS does not accept the credentials used for {uri}; correct or renew them",
    frozenset({"RequestTimeTooSkewed"}): "S3 refuses {uri}, because the clock of this machine is wrong; set it",
    frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "301", "IllegalLocationConstraintException"}): (
        "the bucket {bucket} of {uri} is in another region; set LOGCACHE_AWS_REGION to {region}"
    ),
    _OF_THE_OBJECT: ("{uri} is archived and cannot be read now; restore it, or use a newer nightly run"),
}
"""Codes of S3's refusals and what is said of them; source: the error responses of its API reference."""


def _denied(question: Question) -> str:
    action = _ACTIONS.get(question.operation, f"what {question.operation} needs")
    return (
        f"no permission for {question.operation} of {question.uri}: allow {action} (docs/operations.md), and the key "
        "if it is encrypted with one; a bucket of another account needs a bucket policy, and one whose requester pays "
        "is not read"
    )


@contextmanager
def asking(operation: str, uri: str) -> Iterator[None]:
    """Raise the SDK's errors in the block as the object store's."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - with the SDK, where AWS is used

    question = Question(operation, uri)
    try:
        yield
    except ClientError as error:
        if error.operation_name == "AssumeRole":
            raise ObjectStoreDenied(
                f"the role in LOGCACHE_AWS_ROLE may not be assumed to ask for {uri}; allow sts:AssumeRole on it"
            ) from error
        raise error_of(question, answer_of(error.response)) from error
    except BotoCoreError as error:
        raise sdk_error(question, error) from error
    except RuntimeError as error:
        if "expired" not in str(error):  # the SDK has no class of its own for credentials that cannot be renewed
            raise
        raise error_of(question, Answer(code="ExpiredToken", message="", status=400)) from error


def answered(ask: Callable[[], T], *, unless: Mapping[str, T]) -> T:
    """The SDK's answer, or what `unless` has for the code of a refusal; other errors of the SDK are raised."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - with the SDK, where AWS is used

    try:
        return ask()
    except ClientError as error:
        code = code_of(error)
        if code not in unless:
            raise
        return unless[code]


def texts_in(body: bytes) -> dict[str, str]:
    """Tag → text of the elements in an answer of S3; empty for the answer of somebody between, which is no XML."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - S3's own answer
    except ET.ParseError:
        return {}
    return {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}


def refusal_in(reply: Reply, texts: Mapping[str, str], *, code: str) -> Answer:
    """The refusal in an answer of S3 with these texts."""
    return Answer(
        code=code,
        message=texts.get("Message", ""),
        status=reply.status or 0,
        region=texts.get("Region") or reply.headers.get("x-amz-bucket-region"),
    )


def answer_of(response: Mapping[str, Any]) -> Answer:
    """The refusal in an error response of the SDK."""
    error, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    headers = about.get("HTTPHeaders", {})
    return Answer(
        code=str(error.get("Code", "")),
        message=str(error.get("Message", "")),
        status=int(about.get("HTTPStatusCode", 0)),
        region=error.get("Region") or headers.get("x-amz-bucket-region"),
    )


def sdk_error(question: Question, error: Exception) -> ObjectStoreError:
    """The error for a request that got no answer, or could not be made."""
    kind = type(error).__name__
    if any(word in kind for word in _SIGNING_IN):
        return ObjectStoreDenied(
            f"there are no AWS credentials for {question.uri} ({kind}); sign in, or name a profile in "
            "LOGCACHE_AWS_PROFILE"
        )
    if kind in {"NoRegionError", "InvalidRegionError"}:
        return ObjectStoreWrongData(f"no AWS region is set for {question.uri}; set LOGCACHE_AWS_REGION")
    if kind in {"ParamValidationError", "InvalidEndpoint", "UnknownServiceError"}:
        return ObjectStoreWrongData(f"{question.uri} cannot be asked for ({kind}); correct the URI")
    return no_answer(question, kind)


def no_answer(question: Question, cause: str) -> ObjectStoreUnavailable:
    """The error of a question that a later call may be answered."""
    return ObjectStoreUnavailable(f"S3 could not answer {question.operation} of {question.uri} ({cause}); {_AGAIN}")
