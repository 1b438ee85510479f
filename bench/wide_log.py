"""Generates the log of a database with many attributes and few entities: two days of it, in two segments.

    DIR/buckets/nu-spark-datomic-logs/1/s3/s0/wide/<uuid>-<last_batch_t>-<last_t>.avro
    DIR/index.jsonl, DIR/contracts/wide.yaml
    DIR/yesterday.json, DIR/today.json     the last t of each day

Every entity has a value of every attribute; on the second day some entities get other values of some attributes.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from avro import TX_BASE, encode_rows
from generate import BUCKET, Piece, SegmentFiles
from history import CARDINALITY, FIRST_T, IDENT, INSTANT, MANY_VALUES, ONE, USER, VALUE_TYPE
from ledger import FIRST_ATTRIBUTE, START_MS, TYPES

from logcache_assets.domain.index_items import render_index_item
from logcache_assets.domain.instances import Instance

WIDE = Instance(database="wide", prototype="s0")
DATASET = f"contract-{WIDE.database}/things"
"""The entity contract."""
DAY_MS = 86_400_000
KINDS = ("string", "long", "bigdec", "ref", "instant", "keyword", "boolean", "double")
"""The value types, in turn."""
MANY_EVERY, PII_EVERY, HISTORY_EVERY, CHANGED_EVERY = 10, 20, 100, 5
"""Of so many attributes one has cardinality many, is personal data, has a history, changes on the second day."""
CHANGED_ENTITIES = 3
ENUM = USER - 1
"""The entity to which all refs lead."""

Row = tuple[int, int, str, bool]
"""(e, a, v, added)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How wide the contract is, and how many rows it has."""

    columns: int
    """Columns of the entity contract, primary key and prototype among them."""
    rows: int = 10

    @property
    def attributes(self) -> range:
        """The numbers of the attributes beside the primary key."""
        return range(self.columns - 2)


def write_wide(out: Path, shape: Shape) -> None:
    """Write log, index, definition and both cuts below a new folder."""
    key = f"1/s3/{WIDE.prototype}/{WIDE.database}"
    folder = out / "buckets" / BUCKET / key
    folder.mkdir(parents=True)
    names = random.Random(shape.columns)  # noqa: S311 # a name, no secret
    files = SegmentFiles(instance=WIDE, folder=folder, key=key, codec="deflate", names=names)
    days = {"yesterday": [*_schema(shape)], "today": [*_second_day(shape)]}
    for number, (day, rows) in enumerate(days.items()):
        t = FIRST_T + number
        _write_day(files, number=number, t=t, rows=rows)
        (out / f"{day}.json").write_text(json.dumps({WIDE.name: t}), encoding="utf-8")
    files.close()
    (out / "index.jsonl").write_text("".join(f"{render_index_item(s)}\n" for s in files.finished), encoding="utf-8")
    (out / "contracts").mkdir()
    (out / "contracts" / f"{WIDE.database}.yaml").write_text("\n".join(_definition(shape)) + "\n", encoding="utf-8")


def _write_day(files: SegmentFiles, *, number: int, t: int, rows: list[Row]) -> None:
    instant_ms = START_MS + number * DAY_MS
    dated = [(TX_BASE + t, INSTANT, f"2018-01-0{number + 1}T00:00:00.000Z", True), *rows]
    datoms = pl.DataFrame(dated, schema=["e", "a", "v", "added"], orient="row")
    txs = pl.DataFrame({"t": [t], "instant_ms": [instant_ms]})
    encoded = encode_rows(datoms.with_columns(tx_row=pl.lit(0, pl.UInt32)), txs)
    piece = Piece(segment=number, rows=(0, len(datoms)), first_t=t, last_t=t, last_instant_ms=instant_ms)
    files.write(piece, encoded.block(0, len(datoms), files.codec))


def _schema(shape: Shape) -> Iterator[Row]:
    """All attributes, one ident, and all entities."""
    yield ENUM, IDENT, ":state/open", True
    yield from _attribute(0, "thing/id", "string", ONE)
    for number in shape.attributes:
        yield from _attribute(number + 1, _name(number), _kind(number), MANY_VALUES if _is_many(number) else ONE)
    for row in range(shape.rows):
        yield USER + row, FIRST_ATTRIBUTE, f"thing {row}", True
        for number in shape.attributes:
            yield USER + row, FIRST_ATTRIBUTE + 1 + number, _value(number, row), True


def _attribute(place: int, name: str, kind: str, cardinality: int) -> Iterator[Row]:
    e = FIRST_ATTRIBUTE + place
    values = ((IDENT, f":{name}"), (VALUE_TYPE, str(TYPES[kind])), (CARDINALITY, str(cardinality)))
    yield from ((e, a, v, True) for a, v in values)


def _second_day(shape: Shape) -> Iterator[Row]:
    """Some entities get the values that entities beyond the last one would have."""
    for row in range(min(CHANGED_ENTITIES, shape.rows)):
        for number in shape.attributes[::CHANGED_EVERY]:
            was, is_now = _value(number, row), _value(number, row + shape.rows)
            if was != is_now:
                yield USER + row, FIRST_ATTRIBUTE + 1 + number, is_now, True
                yield USER + row, FIRST_ATTRIBUTE + 1 + number, was, False


def _name(number: int) -> str:
    return f"thing/a{number}"


def _kind(number: int) -> str:
    return KINDS[number % len(KINDS)]


def _is_many(number: int) -> bool:
    return number % MANY_EVERY == MANY_EVERY - 1


def _value(number: int, row: int) -> str:
    values = {
        "string": f"text {number} of {row}",
        "keyword": f":word/w{row}",
        "long": str(number + row),
        "bigdec": f"{number + row}.50",
        "double": f"{row}.5",
        "boolean": "true" if row % 2 else "false",
        "instant": f"2018-01-{row % 28 + 1:02}T00:00:00.000Z",
        "ref": str(ENUM),
    }
    return values[_kind(number)]


def _definition(shape: Shape) -> Iterator[str]:
    yield f"database: {WIDE.database}"
    yield f"prototypes: [{WIDE.prototype}]"
    yield "entities:"
    yield "  - name: things"
    yield "    primary_key: thing/id"
    yield "    snapshot: true"
    yield "    attributes:"
    for number in shape.attributes:
        ref = ", ref: db/ident" if _kind(number) == "ref" else ""
        pii = ", pii: true" if number % PII_EVERY == 0 else ""
        history = ", history: true" if number % HISTORY_EVERY == 0 else ""
        yield f"      - {{attribute: {_name(number)}{ref}{pii}{history}}}"
