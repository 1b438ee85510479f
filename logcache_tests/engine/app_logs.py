"""Random logs of the invented database, with every kind of value and change of real logs.

They hold only what Datomic accepts: updates assert first, a change without effect leaves no datom, and a cardinality
becomes one only while no entity has several values.
"""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from logcache_assets.domain.instances import parse_instance
from logcache_tests.engine.app import MANY, ONE, SCHEMA_T, TYPES, define, schema_datoms
from logcache_tests.engine.avro import TX_BASE
from logcache_tests.engine.generated import InventedLog

APP_S0 = parse_instance("app-s0")
ENUM = 17592186044500
USERS = (17592186044418, 17592186044420, 2305864999446250524)
"""Users in both of two buckets, so that moved keys change buckets."""
ATTRIBUTES = {
    "user/id": (72, "string", ONE),
    "user/name": (73, "string", ONE),
    "user/tags": (74, "string", MANY),
    "user/friend": (75, "ref", ONE),
    "user/friends": (76, "ref", MANY),
    "user/limit": (77, "bigdec", ONE),
    "user/limits": (78, "bigdec", MANY),
    "user/score": (79, "double", ONE),
    "user/age": (80, "long", ONE),
    "user/born": (81, "instant", ONE),
    "user/state": (82, "ref", ONE),
    "user/keys": (83, "bytes", MANY),
}
REFS = [*(str(user) for user in USERS), "99", str(TX_BASE + SCHEMA_T), str(ENUM)]
VALUES = {
    72: ["a", "b", ""],
    73: ["Ana", "", "a\u0000b"],
    74: ["x", "y", "ü😀"],
    75: REFS,
    76: REFS,
    77: ["1.0", "1.00", "-2.5"],
    78: ["1.0", "2.50", "10"],
    79: ["NaN", "-0.0", "1.0E-320", "Infinity"],
    80: ["7", "-9223372036854775808"],
    81: ["0001-01-01T00:00:00.000Z", "+10000-01-01T00:00:00.000Z", "2018-01-01T00:00:00.123Z"],
    82: [str(ENUM), "36"],
    83: ["", "5Q=="],
}
DEFINITION = define(
    {"attribute": "user/name", "history": True, "pii": True},
    {"attribute": "user/tags", "history": True},
    {"attribute": "user/friend", "ref": "user/id", "history": True},
    {"attribute": "user/friends", "ref": "user/id"},
    {"attribute": "user/limit"},
    {"attribute": "user/limits"},
    {"attribute": "user/score", "history": True},
    {"attribute": "user/age"},
    {"attribute": "user/born"},
    {"attribute": "user/state", "ref": "db/ident", "history": True},
    {"attribute": "user/keys"},
)
assert {kind for _, kind, _ in ATTRIBUTES.values()} <= set(TYPES)

Change = tuple[int, int, str | None]


@st.composite
def app_logs(draw: st.DrawFn) -> InventedLog:
    """The schema, three users, then a few txes on a few entities; t increases and is not dense."""
    ones = {entity for entity, _, cardinality in ATTRIBUTES.values() if cardinality == ONE}
    log = InventedLog(one_valued={*ones, 10, 40, 41, 50})
    log.transact(SCHEMA_T, [*((e, a, v) for e, a, v, _, _ in schema_datoms(ATTRIBUTES)), (ENUM, 10, ":state/on")])
    t = SCHEMA_T + 1
    log.transact(t, [(user, 72, key) for user, key in zip(USERS, "abc", strict=True)])
    for make in draw(st.lists(st.sampled_from([_data, _data, _data, _data, _schema]), min_size=2, max_size=12)):
        changes = make(draw, log)
        t += draw(st.integers(1, 3))
        log.transact(t, changes)
    return log


def _data(draw: st.DrawFn, log: InventedLog) -> Sequence[Change]:
    """A tx that changes users; older txes may be users too."""
    entities = [*USERS, TX_BASE + log.ts[-1]]
    drawn = draw(
        st.lists(st.tuples(st.sampled_from(entities), st.sampled_from(sorted(VALUES))), min_size=1, max_size=8)
    )
    return [(e, a, draw(st.sampled_from([*VALUES[a], None]))) for e, a in drawn]


def _schema(draw: st.DrawFn, log: InventedLog) -> Sequence[Change]:
    """A tx that renames an enum, or changes the schema of an attribute."""
    return draw(st.sampled_from(_SCHEMA_CHANGES))(log)


def _rename_enum(log: InventedLog) -> Sequence[Change]:
    name = ":state/off" if (ENUM, 10, ":state/on") in log.open else ":state/on"
    return [(ENUM, 10, name)]


def _forget_enum(_: InventedLog) -> Sequence[Change]:
    return [(ENUM, 10, None)]


def _change_cardinality(log: InventedLog) -> Sequence[Change]:
    """Change the cardinality of the tags, in either direction."""
    tags = ATTRIBUTES["user/tags"][0]
    holders = [e for e, a, _ in log.open if a == tags]
    if tags in log.one_valued:
        log.one_valued.discard(tags)
    elif len(holders) == len(set(holders)):
        log.one_valued.add(tags)
    return [(tags, 41, str(ONE if tags in log.one_valued else MANY))]


_SCHEMA_CHANGES: tuple[Callable[[InventedLog], Sequence[Change]], ...] = (
    _rename_enum,
    _forget_enum,
    _change_cardinality,
)
