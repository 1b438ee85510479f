"""The contracts of one instance, row by row, from a list of datoms: the rules of docs/contracts.md in plain Python."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from logcache_assets.domain.contract_definitions import IDENT_REF, DatabaseDefinition
from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity
from logcache_tests.engine.avro import TX_BASE, Datom
from logcache_tests.engine.oracle.calendar_days import milliseconds
from logcache_tests.engine.oracle.cells import Cell, cell, first_of_index, hashed, listed, listed_hashes

Row = tuple[Cell, ...]
IDENT, VALUE_TYPE, CARDINALITY, TX_INSTANT = 10, 40, 41, 50
MANY = "36"
BOOTSTRAP = json.loads(resources.files("logcache_assets.engine.facts").joinpath("bootstrap.json").read_text("utf-8"))
"""What Datomic's bootstrap entities are called; a log does not hold it."""


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute of the schema."""

    id: int
    value_type: str
    many: bool


class Oracle:
    """Answers what contracts show, as of the last t of a log.

    Args:
        datoms: the whole log of one instance.
        definition: the definition; all rows have its first prototype.
        key: the key of personal data.
    """

    def __init__(self, datoms: Sequence[Datom], definition: DatabaseDefinition, key: bytes) -> None:
        self.definition, self.key = definition, key
        self.ts = sorted({t for _, _, _, t, _ in datoms})
        self.told: dict[tuple[int, int], dict[str, list[tuple[int, bool]]]] = defaultdict(lambda: defaultdict(list))
        self.touched: dict[int, set[int]] = defaultdict(set)
        for e, a, v, t, added in datoms:
            self.told[e, a][v].append((t, added))
            self.touched[e].add(t)
        self.names = {e: name for name, e in reversed(BOOTSTRAP["idents"].items())}
        self.names |= {e: v for e, a in list(self.told) if a == IDENT for v in self._idents_of(e)[:1]}
        self.schema = dict(self._read_schema())

    @property
    def last_t(self) -> int:
        """The t of the build."""
        return self.ts[-1]

    def held(self, e: int, a: int, t: int) -> list[str]:
        """The texts that hold after t: of each, the last word is an assertion, which comes last in its t."""
        words = {v: [word for word in told if word[0] <= t] for v, told in self.told.get((e, a), {}).items()}
        return [v for v, told in words.items() if told and max(told)[1]]

    def _idents_of(self, e: int) -> list[str]:
        """Names by namespace and name: of several, the first of the index is the name."""
        return sorted(self.held(e, IDENT, self.last_t), key=lambda name: name.split("/", 1))

    def _read_schema(self) -> Iterator[tuple[str, Known]]:
        types = {e: name for name, e in BOOTSTRAP["idents"].items()}
        for name, found in BOOTSTRAP["attributes"].items():
            many = found["cardinality"].endswith("many")
            yield name.removeprefix(":"), Known(found["id"], found["valueType"].rpartition("/")[2], many)
        for e, a in list(self.told):
            if a == VALUE_TYPE and e in self.names and self.held(e, a, self.last_t):
                (kind,) = self.held(e, a, self.last_t)
                many = self.held(e, CARDINALITY, self.last_t) == [MANY]
                yield self.names[e].removeprefix(":"), Known(e, types[int(kind)].rpartition("/")[2], many)

    def rows(self) -> dict[str, list[Row]]:
        """Dataset, without the database → its rows, as in the contract's columns, in any order."""
        found: dict[str, list[Row]] = {}
        for entity in self.definition.entities:
            found[entity.name] = [row[:2] + row[4:] for row in self._entity_rows(entity, self.last_t)]
            found[f"{entity.name}-snapshot"] = list(self._snapshot(entity))
            for attribute in entity.attributes:
                if attribute.history:
                    name = attribute.attribute.replace("/", "-").replace(".", "-")
                    found[f"{name}-history"] = list(self._history(entity, attribute))
        return found

    def _entity_rows(self, entity: ContractEntity, t: int, *, only: int | None = None) -> Iterator[Row]:
        for e in list(self.touched) if only is None else [only]:
            key = self._key(entity, e, t)
            if key is not None:
                shown = (self.shows(attribute, e, t) for attribute in entity.attributes)
                yield (cell(key, self._key_type(entity)), self._prototype, t, self._instant(t), *shown)

    def _snapshot(self, entity: ContractEntity) -> Iterator[Row]:
        for e, ts in list(self.touched.items()):
            for t in sorted(ts):
                yield from self._entity_rows(entity, t, only=e)

    def _history(self, entity: ContractEntity, attribute: ContractAttribute) -> Iterator[Row]:
        known = self.schema.get(attribute.attribute)
        if known is None:
            return
        for e, a in list(self.told):
            if a != known.id:
                continue
            for t in sorted({t for told in self.told[e, a].values() for t, _ in told}):
                key = self._last_key(entity, e, t)
                if key is not None:
                    shown = self.shows(attribute, e, t)
                    yield (cell(key, self._key_type(entity)), self._prototype, t, self._instant(t), shown)

    @property
    def _prototype(self) -> str:
        return self.definition.prototypes[0]

    def _key_type(self, entity: ContractEntity) -> str:
        return self.schema[entity.primary_key].value_type

    def _instant(self, t: int) -> int:
        return milliseconds(self.held(TX_BASE + t, TX_INSTANT, self.last_t)[0])

    def _key(self, entity: ContractEntity, e: int, t: int) -> str | None:
        known = self.schema.get(entity.primary_key)
        return None if known is None else first_of_index(self.held(e, known.id, t), known.value_type)

    def _last_key(self, entity: ContractEntity, e: int, t: int) -> str | None:
        """The key after the last t, up to this one, after which there was one."""
        keys = [self._key(entity, e, when) for when in sorted(self.touched[e]) if when <= t]
        return next((key for key in reversed(keys) if key is not None), None)

    def shows(self, attribute: ContractAttribute, e: int, t: int) -> Cell:
        """The cell of an entity after t."""
        known = self.schema.get(attribute.attribute)
        if known is None:
            return None
        texts = self.held(e, known.id, t)
        if not known.many:
            first = first_of_index(texts, known.value_type)
            texts = [] if first is None else [first]
        if attribute.ref:
            texts = [shown for text in texts if (shown := self._followed(attribute.ref, int(text), t)) is not None]
        value_type = self._shown_type(attribute, known)
        if attribute.pii:
            found = listed_hashes(texts, value_type, self.key)
            return found if known.many else (hashed(texts[0], value_type, self.key) if texts else None)
        return listed(texts, value_type) if known.many else (cell(texts[0], value_type) if texts else None)

    def _shown_type(self, attribute: ContractAttribute, own: Known) -> str:
        if attribute.ref == IDENT_REF:
            return "keyword"
        target = self.schema.get(attribute.ref or "")
        return target.value_type if target else own.value_type

    def _followed(self, ref: str, target: int, t: int) -> str | None:
        if ref == IDENT_REF:
            return self.names.get(target)
        known = self.schema.get(ref)
        return None if known is None else first_of_index(self.held(target, known.id, t), known.value_type)
