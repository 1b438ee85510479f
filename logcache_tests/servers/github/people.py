"""Who may ask the stand-in, and for what: tokens with permissions, and an installed GitHub App."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

APP_ID = 4711
INSTALLATION_ID = 815
ALL_RIGHTS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "statuses": "write",
    "administration": "read",
}
"""What `docs/operations.md` asks for, and a bit more."""
_LEVELS = ("read", "write", "admin")
_LONGEST = timedelta(minutes=10)


class RefusedError(Exception):
    """The stand-in refuses; status, message and more of the answer."""

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
        self.body |= more  # type: ignore[arg-type]  # errors are a list
        self.headers: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who is signed in."""

    login: str
    rights: Mapping[str, str]
    is_app: bool = False

    def may(self, permission: str, level: str) -> bool:
        """Whether the permission is given, at this level or a higher one."""
        own = self.rights.get(permission)
        return own is not None and _LEVELS.index(own) >= _LEVELS.index(level)


@cache
def app_key() -> str:
    """The private key of the App, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@dataclass
class People:
    """Everybody whom the stand-in knows."""

    callers: dict[str, Caller] = field(default_factory=dict)
    """By token."""
    collaborators: set[str] = field(default_factory=lambda: {"ana", "bruno"})
    teams: set[str] = field(default_factory=lambda: {"data-platform"})
    app_rights: dict[str, str] = field(default_factory=lambda: dict(ALL_RIGHTS))
    is_suspended: bool = False
    expires: dict[str, datetime] = field(default_factory=dict)
    """Token of an installation → when it ends."""

    def signed_in(self, authorization: str | None) -> Caller:
        """Who sent a request; raises RefusedError."""
        kind, _, token = (authorization or "").partition(" ")
        if not token:
            raise RefusedError(401, "Requires authentication")
        caller = self.callers.get(token) if kind.lower() in {"token", "bearer"} else None
        if caller is None or self.expires.get(token, datetime.max.replace(tzinfo=UTC)) < datetime.now(UTC):
            raise RefusedError(401, "Bad credentials")
        return caller

    def installed(self, authorization: str | None, installation: str) -> tuple[str, datetime]:
        """A new token of the App's installation; raises RefusedError."""
        kind, _, token = (authorization or "").partition(" ")
        if kind != "Bearer":
            raise RefusedError(401, "A JSON web token could not be decoded")
        public = serialization.load_pem_private_key(app_key().encode(), None).public_key()
        try:
            claims = jwt.decode(token, public, algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]})  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            raise RefusedError(401, "A JSON web token could not be decoded") from error
        if claims["iss"] != str(APP_ID):
            raise RefusedError(404, "Integration not found")
        if claims["exp"] - datetime.now(UTC).timestamp() > _LONGEST.total_seconds():
            raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future")
        if installation != str(INSTALLATION_ID):
            raise RefusedError(404, "Not Found")
        if self.is_suspended:
            raise RefusedError(403, "This installation has been suspended")
        return self._new_token()

    def _new_token(self) -> tuple[str, datetime]:
        token, until = f"ghs_{len(self.callers):036d}", datetime.now(UTC) + timedelta(hours=1)
        self.callers[token] = Caller(login="logcache[bot]", rights=self.app_rights, is_app=True)
        self.expires[token] = until
        return token, until
