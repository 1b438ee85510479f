"""Each refusal of S3 is one sentence with its remedy; what a later call may answer is told apart."""

import pytest

from logcache_assets.adapters.aws.s3_errors import Answer, Question, answer_of, asking, error_of, sdk_error
from logcache_assets.errors import Unavailable
from logcache_assets.ports import (
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectStoreDenied,
    ObjectStoreError,
    ObjectStoreUnavailable,
    ObjectStoreWrongData,
)

URI = "s3://ephemeral/raw/1.parquet"
GET, PUT, COPY, LIST = (Question(name, URI) for name in ("GetObject", "PutObject", "CopyObject", "ListObjectsV2"))


def answer(code: str, status: int = 400, message: str = "", region: str | None = None) -> Answer:
    """A refusal."""
    return Answer(code=code, message=message, status=status, region=region)


@pytest.mark.parametrize(
    ("question", "refusal", "says"),
    [
        pytest.param(GET, answer("NoSuchBucket", 404), "there is no bucket ephemeral .* create it", id="no bucket"),
        pytest.param(GET, answer("AccessDenied", 403), "allow s3:GetObject", id="may not read"),
        pytest.param(LIST, answer("AccessDenied", 403), "allow s3:ListBucket", id="may not list"),
        pytest.param(PUT, answer("AccessDenied", 403), "allow s3:PutObject", id="may not write"),
        pytest.param(COPY, answer("AccessDenied", 403), "s3:GetObjectTagging on its source", id="may not copy"),
        pytest.param(Question("HeadObject", URI), answer("403", 403), "allow s3:GetObject", id="a HEAD has no code"),
        pytest.param(GET, answer("ExpiredToken"), "credentials expired .* renew them", id="expired credentials"),
        pytest.param(GET, answer("InvalidAccessKeyId", 403), "does not accept the credentials", id="unknown key"),
        pytest.param(GET, answer("SignatureDoesNotMatch", 403), "does not accept the credentials", id="wrong secret"),
        pytest.param(GET, answer("RequestTimeTooSkewed", 403), "the clock of this machine is wrong", id="clock"),
        pytest.param(
            GET,
            answer("AuthorizationHeaderMalformed", region="sa-east-1"),
            "set LOGCACHE_AWS_REGION to sa-east-1",
            id="another region",
        ),
        pytest.param(GET, answer("PermanentRedirect", 301), "set LOGCACHE_AWS_REGION to the region", id="a redirect"),
        pytest.param(COPY, answer("InvalidObjectState", 403), "is archived .* restore it", id="Glacier"),
        pytest.param(GET, answer("KMS.DisabledException"), "allow kms:Decrypt", id="a key that is off"),
        pytest.param(
            GET,
            answer("AccessDenied", 403, "User is not authorized to perform: kms:Decrypt on the resource"),
            "allow kms:Decrypt",
            id="a key that may not be used",
        ),
        pytest.param(PUT, answer("EntityTooLarge", 400, "too large"), "EntityTooLarge: too large", id="anything else"),
    ],
)
def test_a_refusal_says_what_to_do(question: Question, refusal: Answer, says: str) -> None:
    """Nothing is repeated, and the object is named."""
    error = error_of(question, refusal)

    assert not (isinstance(error, Unavailable) and error.is_passing)
    with pytest.raises(ObjectStoreError, match=says):
        raise error
    assert URI in str(error)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (answer("AccessDenied", 403), ObjectStoreDenied),
        (answer("ExpiredToken"), ObjectStoreDenied),
        (answer("RequestTimeTooSkewed", 403), ObjectStoreDenied),
        (answer("KMS.DisabledException"), ObjectStoreDenied),
        (answer("NoSuchBucket", 404), ObjectStoreWrongData),
        (answer("InvalidObjectState", 403), ObjectStoreWrongData),
    ],
)
def test_what_may_not_be_asked_is_no_wrong_data(refusal: Answer, kind: type[ObjectStoreError]) -> None:
    """A reader would go on without a cache that it may not read, as if that were damaged."""
    assert type(error_of(GET, refusal)) is kind


@pytest.mark.parametrize(
    "refusal",
    [
        answer("SlowDown", 503),
        answer("InternalError", 500),
        answer("InternalError", 200),
        answer("RequestTimeout", 400),
        answer("Throttling", 429),
        answer("ConditionalRequestConflict", 409),
        answer("502", 502),
        answer("NoSuchUpload", 404),
    ],
)
def test_what_may_be_answered_later_is_unavailable(refusal: Answer) -> None:
    """Throttling and outages, also those told in an answer that began with 200."""
    assert isinstance(error_of(GET, refusal), ObjectStoreUnavailable)


def test_what_a_server_cannot_do_is_refused_for_good() -> None:
    """Although its status is that of an outage."""
    assert isinstance(error_of(GET, answer("NotImplemented", 501)), ObjectStoreWrongData)


def test_conditions_and_absence_have_their_own_errors() -> None:
    """A write finds something, a copy finds another source, a read finds nothing."""
    assert isinstance(error_of(PUT, answer("PreconditionFailed", 412)), ObjectExistsError)
    assert isinstance(error_of(COPY, answer("PreconditionFailed", 412)), ObjectChangedError)
    assert isinstance(error_of(GET, answer("NoSuchKey", 404)), ObjectNotFoundError)
    assert isinstance(error_of(Question("HeadObject", URI), answer("404", 404)), ObjectNotFoundError)


def test_an_answer_is_read_from_the_sdk() -> None:
    """Code, status, and the region of a redirect's header."""
    response = {
        "Error": {"Code": "301", "Message": "Moved Permanently"},
        "ResponseMetadata": {"HTTPStatusCode": 301, "HTTPHeaders": {"x-amz-bucket-region": "sa-east-1"}},
    }

    assert answer_of(response) == answer("301", 301, "Moved Permanently", "sa-east-1")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("NoCredentialsError", "there are no AWS credentials .* sign in"),
        ("UnauthorizedSSOTokenError", "there are no AWS credentials"),
        ("ProfileNotFound", "LOGCACHE_AWS_PROFILE"),
        ("NoRegionError", "set LOGCACHE_AWS_REGION"),
        ("ParamValidationError", "correct the URI"),
    ],
)
def test_a_request_that_cannot_be_made_says_why(name: str, says: str) -> None:
    """By the SDK's own exceptions; asking again would not help."""
    with pytest.raises((ObjectStoreWrongData, ObjectStoreDenied), match=says):
        raise sdk_error(GET, type(name, (Exception,), {})())


@pytest.mark.parametrize("name", ["EndpointConnectionError", "ReadTimeoutError", "FlexibleChecksumError"])
def test_a_lost_or_damaged_answer_is_unavailable(name: str) -> None:
    """The next one may be whole."""
    assert isinstance(sdk_error(GET, type(name, (Exception,), {})()), ObjectStoreUnavailable)


def test_credentials_that_cannot_be_renewed_are_expired() -> None:
    """The SDK says so by an error without a class of its own; other errors of Python stay what they are."""
    says = "the credentials were refreshed, but the refreshed credentials are still expired"
    with pytest.raises(ObjectStoreDenied, match="renew them"), asking("GetObject", URI):
        raise RuntimeError(says)
    with pytest.raises(RuntimeError, match="another"), asking("GetObject", URI):
        raise RuntimeError("another")
