"""Changes to rows whose entities no new datom touches: names, definitions, excisions, prototypes.

Each is tested twice: correct tables give no faults, and tables that did not change are missed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.figures import ContractFigures
from logcache_tests.engine.app import ATTRIBUTES, ONE, A, B, define, in_txes, log_of, sources_of
from logcache_tests.engine.avro import Datom
from logcache_tests.engine.days import Day, Explaining, compare, compute_day, faults_of

EARLIER, LATER = 1003, 1005
"""The t of yesterday and of today."""
ENUM = 17592186044500
ID, NICK, NAME = (ATTRIBUTES[name][0] for name in ("user/id", "user/nick", "user/name"))
NAMED = define({"attribute": "user/name", "history": True})
OF_TWO, OF_ONE = (define({"attribute": "user/name", "history": True}, prototypes=p) for p in (["s0", "s1"], ["s0"]))
IN_STATE = define({"attribute": "user/state", "ref": "db/ident", "history": True})
DOTTED, HYPHENED = (define({"attribute": name, "history": True}) for name in ("user/na.me", "user/na-me"))
TWINS = {**ATTRIBUTES, "user/na.me": (88, "string", ONE), "user/na-me": (89, "string", ONE)}
"""Two attributes that give the same column name."""
PEOPLE = [
    (A, "user/id", "a", 1001, True),
    (B, "user/id", "b", 1001, True),
    (B, "user/name", "Bob", 1001, True),
    (A, "user/nick", "Nick", 1001, True),
]


def renaming(*names: tuple[int, str, str]) -> list[Datom]:
    """Datoms that rename entities at the later t: (entity, old name, new name)."""
    asserted = [(entity, 10, f":{now}", LATER, True) for entity, _, now in names]
    return [*asserted, *((entity, 10, f":{was}", LATER, False) for entity, was, _ in names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened between two days."""

    definition: DatabaseDefinition
    """Yesterday's."""
    logs: tuple[list[Datom], ...]
    """Yesterday's log of each prototype, from the beginning."""
    left: list[Datom] | None = None
    """Today's log of the first prototype, if it differs."""
    defined: DatabaseDefinition | None = None
    """Today's definition, if it differs."""

    def days(self, store: FolderObjectStore) -> tuple[Day, Day]:
        """Both days with correct contracts."""
        yesterday = day(self.definition, self.logs, EARLIER, store)
        logs = self.logs if self.left is None else (self.left,)
        definition = self.defined or self.definition
        return yesterday, day(definition, logs[: len(definition.prototypes)], LATER, store)

    def compared(self, yesterday: Day, today: Day, store: FolderObjectStore) -> dict[str, ContractFigures]:
        """Compare both days; the re-extraction is known."""
        excised = frozenset(self.definition.instances) if self.left is not None else frozenset()
        return compare(yesterday, today, store, Explaining(reextracted=excised))


def day(definition: DatabaseDefinition, logs: tuple[list[Datom], ...], until_t: int, store: FolderObjectStore) -> Day:
    """The contracts of a database at a t."""
    sources = [replace(source, until_t=until_t) for source in sources_of(definition, store, logs)]
    return compute_day(definition, sources, store)


def of(*changes: tuple[int, str, str, int, bool], schema: list[Datom] | None = None) -> list[Datom]:
    """A log of the users with these changes, and a tx at each day's t."""
    last = (A, "user/age", "7", LATER, True), (A, "user/age", "6", EARLIER, True), (A, "user/age", "6", LATER, False)
    return log_of(*PEOPLE, *changes, *last, attributes=TWINS, schema_changes=schema or [])


def excising_b() -> Change:
    """An excision of user b, to which nobody refers."""
    log = of()
    return Change(definition=NAMED, logs=(log,), left=in_txes([d for d in log if d[0] != B]))


def naming_first() -> Change:
    """The enum that A refers to gets its first name today."""
    log = of((A, "user/state", str(ENUM), 1001, True), schema=[(ENUM, 10, ":state/on", LATER, True)])
    return Change(definition=IN_STATE, logs=(log,))


def naming_again() -> Change:
    """The enum lost its name before yesterday and gets another today."""
    names = [(1001, ":state/on", True), (1002, ":state/on", False), (LATER, ":state/off", True)]
    schema: list[Datom] = [(ENUM, 10, name, t, added) for t, name, added in names]
    return Change(definition=IN_STATE, logs=(of((A, "user/state", str(ENUM), 1001, True), schema=schema),))


def redefining() -> Change:
    """The column shows another attribute today."""
    log = of((A, "user/na.me", "old", 1001, True), (B, "user/na-me", "new", 1002, True))
    return Change(definition=DOTTED, logs=(log,), defined=HYPHENED)


def dropping_a_prototype() -> Change:
    """Today's definition has only s0."""
    return Change(definition=OF_TWO, logs=(of(), of()), defined=OF_ONE)


CHANGES: dict[str, Callable[[], Change]] = {
    "an excision": excising_b,
    "the first name of an ident": naming_first,
    "a new name of a forgotten ident": naming_again,
    "names exchanged between two attributes": lambda: Change(
        definition=NAMED,
        logs=(of(schema=renaming((NAME, "user/name", "user/nick"), (NICK, "user/nick", "user/name"))),),
    ),
    "the primary key's name gone": lambda: Change(
        definition=NAMED, logs=(of(schema=renaming((ID, "user/id", "user/uid"))),)
    ),
    "the primary key's name given to another attribute": lambda: Change(
        definition=NAMED, logs=(of(schema=renaming((ID, "user/id", "user/nick"), (NICK, "user/nick", "user/id"))),)
    ),
    "another attribute in a column": redefining,
    "a prototype dropped": dropping_a_prototype,
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_reaches_is_explained(name: str, store: FolderObjectStore) -> None:
    """The expected tables differ, without faults."""
    change = CHANGES[name]()

    found = change.compared(*change.days(store), store)

    assert list(faults_of(found)) == []
    assert sum(figures.differing for figures in found.values()) > 0


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_should_have_reached_is_missed(name: str, store: FolderObjectStore) -> None:
    """If today's tables are still yesterday's, the rows are missed and none is unexplained."""
    change = CHANGES[name]()
    yesterday, today = change.days(store)
    kept = {dataset: yesterday.tables.get(dataset, table) for dataset, table in today.tables.items()}

    found = change.compared(yesterday, replace(today, tables=kept), store)

    stale = {dataset for dataset in kept if not yesterday.frame(dataset).equals(today.frame(dataset))}
    assert {dataset for dataset, figures in found.items() if figures.reasons.get("missed")} == stale
    assert all("unexplained" not in figures.reasons for figures in found.values())
