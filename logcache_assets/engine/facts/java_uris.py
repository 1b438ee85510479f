"""The order of java.net.URI, by which Datomic's index has values of type uri."""

import re
from dataclasses import dataclass
from functools import cmp_to_key

from logcache_assets.engine.facts.value_keys import Key, text_key

_URI = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?([^#]*)(?:#(.*))?", re.DOTALL)
_PATH = re.compile(r"(?://([^/?]*))?([^?]*)(?:\?(.*))?", re.DOTALL)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_LAST_LABEL = "[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:\d{{1,3}}\.){{3}}\d{{1,3}}|\[[^\]]*\]|(?:{_LABEL}\.)+{_LAST_LABEL}\.?|{_LABEL}\.?"
_SERVER = re.compile(rf"(?:([^@]*)@)?({_HOST})(?::(\d*))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaUri:
    """The parts of a URI as java.net.URI has them; None is a part that is not there."""

    scheme: str | None
    opaque: str | None
    """What follows the scheme if that is not a path (`mailto:a@b`); the parts below are then None."""
    authority: str | None
    user: str | None
    host: str | None
    """None also for an authority that is not a server's."""
    port: int
    path: str | None
    query: str | None
    fragment: str | None


def parse_uri(text: str) -> JavaUri:
    """Split a URI into its parts; every text is one."""
    scheme, rest, fragment = _URI.fullmatch(text).groups()  # type: ignore[union-attr] # it matches every text
    if scheme and not rest.startswith("/"):
        nothing = dict.fromkeys(("authority", "user", "host", "path", "query"))
        return JavaUri(scheme=scheme, opaque=rest, port=-1, fragment=fragment, **nothing)
    authority, path, query = _PATH.fullmatch(rest).groups()  # type: ignore[union-attr]
    server = _SERVER.fullmatch(authority or "")
    user, host, port = server.groups() if server else (None, None, None)
    return JavaUri(
        scheme=scheme,
        opaque=None,
        authority=authority or None,
        user=user,
        host=host,
        port=int(port) if port else -1,
        path=path,
        query=query,
        fragment=fragment,
    )


def uri_key(text: str) -> Key:
    """URIs as java.net.URI.compareTo orders them."""
    return (cmp_to_key(_compare)(parse_uri(text)),)


def _compare(one: JavaUri, other: JavaUri) -> int:
    """-1, 0 or 1; the parts that are compared depend on both URIs, so no single key has this order."""
    left, right = _keys(one, other), _keys(other, one)
    return (left > right) - (left < right)


def _keys(uri: JavaUri, other: JavaUri) -> Key:
    """Hierarchical URIs before opaque ones; hosts are compared without case, but only if both have one."""
    scheme = _part(uri.scheme.lower() if uri.scheme is not None else None)
    if uri.opaque is not None:
        return (scheme, True, _part(uri.opaque), _part(uri.fragment))
    servers = uri.host is not None and other.host is not None
    authority = (_part(uri.user), _part((uri.host or "").lower()), uri.port) if servers else _part(uri.authority)
    return (scheme, False, authority, _part(uri.path), _part(uri.query), _part(uri.fragment))


def _part(text: str | None) -> Key:
    return (False,) if text is None else (True, text_key(text))
