"""Random logs of one instance: whatever may happen to a schema, to names, keys, refs and values, often or hardly ever.

Beside sound changes they hold several values where the schema says one, datoms that change nothing, retractions under
another text, updates to a value of the same text, and entities that lose their name or key.
"""

from collections.abc import Callable, Sequence
from random import Random

from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_tests.engine.app import MANY, ONE, SCHEMA_T, TYPES, define, in_txes
from logcache_tests.engine.avro import TX_BASE, Datom
from logcache_tests.engine.facts.test_index_order import ORDERS
from logcache_tests.engine.oracle.cells import fits

USERS = (17592186044418, 17592186044420, 2305864999446250524, 17592186044424)
TARGETS = (17592186044430, 17592186044431, 17592186044432)
"""Entities with a code, mostly; users refer to them."""
ENUMS = (17592186044500, 17592186044501)
ENUM_NAMES = (":state/on", ":state/off-line", ":state.of/gone")
CODE, WORD, STATE, STATES = 90, 91, 92, 93
VALUES = {100 + n: kind for n, kind in enumerate(kind for kind in ORDERS if kind not in {"fn", "ref"})}
"""Attribute → type: one of each type."""
LINKS = {120: "user/friend", 121: "user/friends"}
KEY = 72
ALL = {
    KEY: ("user/id", "string", ONE),
    CODE: ("code/no", "long", ONE),
    WORD: ("code/word", "keyword", ONE),
    STATE: ("user/state", "ref", ONE),
    STATES: ("user/states", "ref", MANY),
    120: ("user/friend", "ref", ONE),
    121: ("user/friends", "ref", MANY),
    **{a: (f"user/{kind}", kind, ONE if a % 2 else MANY) for a, kind in VALUES.items()},
}
POOLS: dict[int, Sequence[str]] = {
    KEY: ["a", "Z", "", "é"],
    CODE: ["7", "-1", "10"],
    WORD: ORDERS["keyword"],
    STATE: [*map(str, ENUMS), "36", "99"],
    STATES: [*map(str, ENUMS), "36"],
    120: [*map(str, TARGETS), "99"],
    121: [*map(str, TARGETS), "99"],
    **{a: [text for text in ORDERS[kind] if fits(text, kind)] for a, kind in VALUES.items()},
}
DEFINITION: DatabaseDefinition = define(
    {"attribute": "user/state", "ref": "db/ident", "history": True},
    {"attribute": "user/states", "ref": "db/ident", "pii": True},
    {"attribute": "user/friend", "ref": "code/no", "history": True},
    {"attribute": "user/friends", "ref": "code/word", "history": True},
    {"attribute": "user/nobody", "ref": "code/no"},
    *({"attribute": f"user/{kind}", "history": a % 3 == 0, "pii": a % 4 == 1} for a, kind in VALUES.items()),
)
"""`user/nobody` is an attribute that no instance has, unless another one is renamed to it."""


class RandomLog:
    """A log while it grows; `rng` decides everything."""

    def __init__(self, rng: Random, *, txes: int, double_keys: bool) -> None:
        self.rng, self.double_keys = rng, double_keys
        self.datoms: list[Datom] = []
        self.held: dict[tuple[int, int], list[str]] = {}
        self.t = SCHEMA_T
        self._begin()
        for _ in range(txes):
            self.t += rng.randint(1, 3)
            self.tx: set[tuple[int, int, str]] = set()
            for _ in range(rng.randint(1, 6)):
                rng.choices(CHANGES, WEIGHTS)[0](self)
        self.log = in_txes(self.datoms)

    def _begin(self) -> None:
        self.tx = set()
        for a, (name, kind, cardinality) in ALL.items():
            for attribute, text in ((10, f":{name}"), (40, str(TYPES[kind])), (41, str(cardinality))):
                self.add(a, attribute, text)
        for enum, name in zip(ENUMS, ENUM_NAMES, strict=False):
            self.add(enum, 10, name)
        self.t += 1
        for user, key in zip(USERS, POOLS[KEY], strict=False):
            self.add(user, KEY, key)
        for target in TARGETS[:2]:
            self.add(target, CODE, str(target % 10))

    def add(self, e: int, a: int, text: str) -> None:
        """Assert, if the tx has no word on this yet."""
        if (e, a, text) not in self.tx:
            self.datoms.append((e, a, text, self.t, True))
            self.tx.add((e, a, text))
            self.held.setdefault((e, a), [])
            if text not in self.held[e, a]:
                self.held[e, a].append(text)

    def retract(self, e: int, a: int, text: str) -> None:
        """Retract, if the tx has no word on this yet."""
        if (e, a, text) not in self.tx:
            self.datoms.append((e, a, text, self.t, False))
            self.tx.add((e, a, text))
            if text in self.held.get((e, a), []):
                self.held[e, a].remove(text)

    def is_many(self, a: int) -> bool:
        """Whether the attribute has cardinality many now."""
        return self.held[a, 41] == [str(MANY)]

    def place(self) -> tuple[int, int, str]:
        """An entity, an attribute and a value that may meet."""
        a = self.rng.choice([*VALUES, STATE, STATES, 120, 121, CODE, WORD, CODE, WORD, 120, 121, STATE])
        of_targets = a in {CODE, WORD}
        entities = TARGETS if of_targets else (*USERS, TX_BASE + SCHEMA_T)
        return self.rng.choice(entities), a, self.rng.choice(POOLS[a])


def _set(log: RandomLog) -> None:
    """Assert; of cardinality one, retract what was there."""
    e, a, text = log.place()
    before = [] if log.is_many(a) else [v for v in log.held.get((e, a), []) if v != text]
    log.add(e, a, text)
    for value in before:
        log.retract(e, a, value)


def _add(log: RandomLog) -> None:
    """Assert beside what is there, or again, whatever the cardinality."""
    log.add(*log.place())


def _retract(log: RandomLog) -> None:
    """Retract what is there."""
    e, a, _ = log.place()
    for text in list(log.held.get((e, a), []))[: log.rng.randint(1, 2)]:
        log.retract(e, a, text)


def _retract_anything(log: RandomLog) -> None:
    """Retract a text that may never have been there."""
    log.retract(*log.place())


def _same_text(log: RandomLog) -> None:
    """Update a value to another one that has the same text."""
    e, a, text = log.place()
    if (e, a, text) not in log.tx:
        log.add(e, a, text)
        log.datoms.append((e, a, text, log.t, False))


def _retract_entity(log: RandomLog) -> None:
    """Retract all of an entity, the key too."""
    e = log.rng.choice([*USERS, *TARGETS])
    for (entity, a), texts in list(log.held.items()):
        for text in list(texts) if entity == e else ():
            log.retract(e, a, text)


def _change_key(log: RandomLog) -> None:
    """Give a user another key, or none; a key may move from one user to another in one tx."""
    e, key = log.rng.choice(USERS), log.rng.choice([*POOLS[KEY], None])
    holders = [user for user in USERS if key in log.held.get((user, KEY), []) and user != e]
    if holders and not log.double_keys and any((user, KEY, key) in log.tx for user in holders):
        return
    own = [text for text in log.held.get((e, KEY), []) if text != key]
    if key is not None:
        log.add(e, KEY, key)
    for text in own:
        log.retract(e, KEY, text)
    for user in holders if not log.double_keys or log.rng.random() < 1 / 2 else ():
        log.retract(user, KEY, key or "")


def _rename(log: RandomLog) -> None:
    """Swap two names, give an enum a name, or take it away."""
    kind = log.rng.randrange(4)
    if kind == 0:
        one, other = log.rng.sample(log.rng.choice([list(VALUES), [*LINKS, STATE, STATES]]), 2)
    else:
        one, other = log.rng.sample([*ENUMS, TARGETS[0]], 2)
    first, second = (list(log.held.get((e, 10), [])) for e in (one, other))
    if kind in {0, 1}:
        for e, before, after in ((one, first, second), (other, second, first)):
            for name in after:
                log.add(e, 10, name)
            for name in before:
                log.retract(e, 10, name)
        return
    free = [name for name in ENUM_NAMES if not any(name in names for (_, a), names in log.held.items() if a == 10)]
    if kind == 2 and free:
        log.add(one, 10, free[0])
    for name in first:
        log.retract(one, 10, name)


def _change_cardinality(log: RandomLog) -> None:
    """Turn one into many, or many into one, whatever entities hold."""
    a = log.rng.choice([*VALUES, STATE, STATES, 120, 121, CODE, WORD])
    before, after = (str(MANY), str(ONE)) if log.is_many(a) else (str(ONE), str(MANY))
    if a in {CODE, WORD} and after == str(MANY):
        return  # a ref must lead to cardinality one
    log.add(a, 41, after)
    log.retract(a, 41, before)


CHANGES: tuple[Callable[[RandomLog], None], ...] = (
    _set,
    _add,
    _retract,
    _retract_anything,
    _same_text,
    _retract_entity,
    _change_key,
    _rename,
    _change_cardinality,
)
WEIGHTS = (10, 5, 4, 2, 2, 1, 3, 2, 3)
