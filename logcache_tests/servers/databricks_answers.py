"""What the stand-in of Databricks is asked and how it refuses, as the REST API does it."""

import email.parser
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

_Body = TypeVar("_Body")


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, *, is_oauth: bool = False) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.is_oauth = status, code, message, is_oauth

    @property
    def body(self) -> dict[str, str]:
        """The body of the answer; a sign-in is refused in OAuth's own form."""
        if self.is_oauth:
            return {"error": self.code, "error_description": self.message}
        return {"error_code": self.code, "message": self.message}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    def body(self, shape: type[_Body]) -> _Body:
        """The JSON body; a field that the documentation does not have is refused."""
        try:
            return msgspec.json.decode(self.content, type=shape)
        except msgspec.DecodeError as error:
            raise ApiError(
                400, "MALFORMED_REQUEST", f"Invalid JSON given in the body of the request - {error}"
            ) from error

    def form(self) -> dict[str, bytes]:
        """The fields of a multipart body."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.parser.BytesParser().parsebytes(head + self.content)
        if not message.is_multipart():
            raise ApiError(400, "MALFORMED_REQUEST", "The request is no multipart form")
        parts: Any = message.get_payload()
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True) or b"" for part in parts
        }

    def required(self, name: str) -> str:
        """A parameter of the query."""
        if name not in self.query:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Missing required field: {name}")
        return self.query[name]


def as_json(answer: object) -> bytes:
    """The body of an answer."""
    return json.dumps(answer).encode()
