"""The answers of a real Datomic, and a comparison of every cell and type with a contract's Parquet file.

The engine is not used: expected cells are canonical texts, actual cells are read with pyarrow.
"""

import base64
import gzip
import hashlib
import hmac
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from logcache_assets.domain.contract_definitions import ContractTable

EXPECTED = Path(__file__).parent.parent / "datomic" / "expected"
PII_KEY = b"the key of the tests"
EXACT = Context(prec=400)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Cell: TypeAlias = "bool | int | str | bytes | Decimal | tuple[Cell, ...] | None"


@cache
def expected_types(cut: str) -> dict[str, dict[str, str | None]]:
    """Dataset → column → Arrow type; None where no instance has the attribute."""
    types: dict[str, dict[str, str | None]] = json.loads((EXPECTED / cut / "columns.json").read_text("utf-8"))
    return types


@cache
def expected_counts(cut: str, instance: str) -> dict[str, int]:
    """Datomic's counts of the raw log."""
    counts: dict[str, int] = json.loads((EXPECTED / cut / f"raw-{instance}" / "log.count.json").read_text("utf-8"))
    return counts


def united(contents: Iterable[bytes]) -> bytes:
    """The Parquet files of a dataset, joined into one."""
    buffer = BytesIO()
    pq.write_table(pa.concat_tables(pq.read_table(BytesIO(content)) for content in contents), buffer)
    return buffer.getvalue()


def find_differences(table: ContractTable, parquet: bytes, cut: str) -> Iterator[str]:
    """Yield a short sentence per difference between a contract's file and Datomic's answer."""
    types = expected_types(cut)[table.dataset]
    pii = {attribute.column for attribute in table.attributes if attribute.pii}
    wanted_types = {name: _column_type(kind, hashed=name in pii) for name, kind in types.items()}
    actual = pq.read_table(BytesIO(parquet))
    found_types = {field.name: _type_name(field.type) for field in actual.schema}
    if list(found_types.items()) != list(wanted_types.items()):
        yield f"{table.dataset}: columns are {found_types}, expected {wanted_types}"
        return
    wanted = Counter(_expected_rows(table.dataset, cut, wanted_types, pii))
    found = Counter(zip(*(_cells(actual.column(name)) for name in wanted_types), strict=True))
    for rows, what in ((wanted - found, "missing"), (found - wanted, "not expected")):
        if rows:
            yield f"{table.dataset}: {rows.total()} rows {what}, for example {next(iter(rows))}"


def _column_type(kind: str | None, *, hashed: bool) -> str:
    if kind is None:
        return "string"
    if hashed:
        return "list<string>" if kind.startswith("list<") else "string"
    return kind


def _expected_rows(dataset: str, cut: str, types: dict[str, str], pii: set[str]) -> Iterator[tuple[Cell, ...]]:
    with gzip.open(EXPECTED / cut / f"{dataset}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            row = json.loads(line)
            yield tuple(_expected_cell(row[n], kind, hashed=n in pii) for n, kind in types.items())


def _expected_cell(text: str | list[str] | None, kind: str, *, hashed: bool) -> Cell:
    if text is None:
        return None
    if isinstance(text, list):
        cells = [_expected_cell(element, kind[5:-1], hashed=hashed) for element in text]
        return tuple(sorted(cells, key=str)) if hashed else tuple(cells)
    if hashed:
        return hmac.new(PII_KEY, text.encode(), hashlib.sha256).hexdigest()
    return _value(text, kind)


def _value(text: str, kind: str) -> Cell:
    parse = VALUES.get(kind.partition("[")[0].partition("(")[0])
    return parse(text) if parse else text


def _double(number: float) -> str:
    """A double as text that is equal for equal values: NaN equals NaN, -0.0 differs from 0.0."""
    return "NaN" if math.isnan(number) else number.hex()


VALUES: dict[str, Callable[[str], Cell]] = {
    "int64": int,
    "bool": {"true": True, "false": False}.__getitem__,
    "double": lambda text: _double(float(text)),
    "binary": lambda text: base64.b64decode(text, validate=True),
    "decimal128": lambda text: EXACT.normalize(Decimal(text)),
    "timestamp": lambda text: (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1),
}


def _cells(column: pa.ChunkedArray) -> list[Cell]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return [None if value is None else int(value) for value in column.cast(pa.int64()).to_pylist()]
    return [_actual_cell(value) for value in column.to_pylist()]


def _actual_cell(value: object) -> Cell:
    match value:
        case list():
            return tuple(_actual_cell(element) for element in value)
        case float():
            return _double(value)
        case Decimal():
            return EXACT.normalize(value)
        case None | bool() | int() | str() | bytes():
            return value
    raise AssertionError(type(value))


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return f"list<{_type_name(kind.value_type)}>"
    return str(kind).removeprefix("large_")
