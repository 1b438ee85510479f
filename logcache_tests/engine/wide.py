"""A log of users with many attributes of several kinds, whose values change for one user on the second day."""

from collections.abc import Mapping

from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_tests.engine.app import ATTRIBUTES, Change, define, log_of
from logcache_tests.engine.avro import Datom

FIRST_T, SECOND_T = 1001, 1002
FIRST_USER, USERS = 17592186044418, 10
FIRST_ATTRIBUTE = 200
KINDS = ("string", "long", "bigdec", "ref", "instant", "keyword")
ONE = 35
"""The entity :db.cardinality/one; many is the next."""


def _attributes(width: int) -> Mapping[str, tuple[int, str, int]]:
    return {f"user/a{n}": (FIRST_ATTRIBUTE + n, KINDS[n % len(KINDS)], ONE + n % 2) for n in range(width)}


def wide_log(width: int) -> list[Datom]:
    """The log of so many attributes."""
    changes: list[Change] = [(FIRST_USER + u, "user/id", f"u{u}", FIRST_T, True) for u in range(USERS)]
    for n, name in enumerate(_attributes(width)):
        changes += [(FIRST_USER + u, name, _value(n, u), FIRST_T, True) for u in range(USERS)]
        changes += [(FIRST_USER, name, _value(n, 1), SECOND_T, True), (FIRST_USER, name, _value(n, 0), SECOND_T, False)]
    return log_of(*changes, attributes={**ATTRIBUTES, **_attributes(width)})


def wide_definition(width: int) -> DatabaseDefinition:
    """All of them in one entity contract and its snapshot, and a history of one."""
    return define(*({"attribute": name, "history": name == "user/a0"} for name in _attributes(width)))


def _value(number: int, user: int) -> str:
    """A user's value of an attribute."""
    values = {
        "string": f"text {user}",
        "keyword": f":word/w{user}",
        "long": str(user),
        "bigdec": f"{user}.50",
        "instant": f"2018-01-{user + 1:02}T00:00:00.000Z",
        "ref": str(FIRST_USER + user),
    }
    return values[KINDS[number % len(KINDS)]]
