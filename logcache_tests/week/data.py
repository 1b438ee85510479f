"""A data folder with three small databases, whose logs grow by two segments a day for two weeks."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from logcache_assets.domain.contract_definitions import definition_path
from logcache_tests.engine.avro import TX_BASE, TX_INSTANT, Datom, avro_bytes

DATABASES = ("accounts", "bills", "cards")
FIRST_DAY = datetime(2026, 3, 1, 10, tzinfo=UTC)
"""When the first datoms were written."""
DAYS = 15
OLD, NIGHT, END = 1, 2, 3
"""The days after which the first cache, the first night and the first day's delivery end."""
USERS = 12
EXCISED = 3
"""The number of the user of accounts who is excised, about whom nothing is written after the first day."""
NAME, ID = 72, 73
DEFINITION = """\
database: {}
prototypes: [s0]
entities:
  - name: users
    primary_key: user/id
    snapshot: true
    attributes: [{{attribute: user/name, history: true}}]
"""


def write_week_data(folder: Path) -> None:
    """Write segments, index, definitions, cut-offs, and what is extracted again after the excision."""
    (folder / "contracts").mkdir(parents=True)
    lines, again = [], []
    for database in DATABASES:
        (folder / definition_path(database)).write_text(DEFINITION.format(database), encoding="utf-8")
        for day in range(DAYS):
            lines += [_segment(folder, database, day, half) for half in (0, 1)]
    again = [_segment(folder / "reextraction", "accounts", 0, half, excised=EXCISED) for half in (0, 1)]
    cutoffs = {"old": _end(OLD, 1), "night": _end(NIGHT, 1), "end": _end(END, 1)}
    (folder / "cutoffs.json").write_text(
        json.dumps({f"{database}-s0": cutoffs for database in DATABASES}), encoding="utf-8"
    )
    (folder / "index.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "reextraction" / "index.jsonl").write_text("".join(again), encoding="utf-8")


def _end(day: int, half: int) -> int:
    """The last t of half a day's segment."""
    return 1000 + 100 * day + USERS // (2 - half)


def _segment(folder: Path, database: str, day: int, half: int, *, excised: int = 0) -> str:
    """Write the segment of half a day; returns its index item."""
    end = _end(day, half)
    before = _end(day, 0) if half else _end(day - 1, 1) if day else 0
    datoms = [datom for datom in _datoms(day, excised) if before < datom[3] <= end]
    kind = "2" if excised else "1"
    key = f"logs/1/s3/s0/{database}/{kind}0000000-0000-4000-8000-{end:012}-{before}-{end}.avro"
    file = folder / "buckets" / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(avro_bytes(datoms))
    item = {
        "db_prototype": f"{database}-s0",
        "database": database,
        "prototype": "s0",
        "path": f"s3://{key}",
        "initial_t": datoms[0][3],
        "last_batch_t": before,
        "last_t": end,
        "requested_range": f"[{datoms[0][3]} {end + 1})",
        "timestamp": int((_instant(end) + timedelta(minutes=1)).timestamp() * 1000),
    }
    return json.dumps(item) + "\n"


def _datoms(day: int, excised: int) -> Iterator[Datom]:
    """What is written on a day: users on the first one, then a new name of half of them."""
    t = 1000 + 100 * day
    if day == 0:
        yield from _in_tx(t, *_attribute(NAME, ":user/name"), *_attribute(ID, ":user/id"))
    for number in range(1, USERS + 1):
        at, user = t + number, 17592186044417 + number
        if day == 0:
            facts = [] if number == excised else [(user, ID, f"u{number}", True), (user, NAME, _name(number, 0), True)]
            yield from _in_tx(at, *facts)
        elif number != EXCISED:
            yield from _in_tx(at, (user, NAME, _name(number, day), True), (user, NAME, _name(number, day - 1), False))


def _name(number: int, day: int) -> str:
    return f"Name {day} of {number}"


def _attribute(entity: int, ident: str) -> list[tuple[int, int, str, bool]]:
    return [(entity, 10, ident, True), (entity, 40, "23", True), (entity, 41, "35", True)]


def _in_tx(t: int, *changes: tuple[int, int, str, bool]) -> Iterator[Datom]:
    """The datoms of one tx, its instant first."""
    yield (TX_BASE + t, TX_INSTANT, f"{_instant(t):%Y-%m-%dT%H:%M:%S}.000Z", t, True)
    yield from ((e, a, v, t, added) for e, a, v, added in changes)


def _instant(t: int) -> datetime:
    """When the tx at t was made: at ten in the morning of its day, and some seconds later."""
    day, second = divmod(t - 1000, 100)
    return FIRST_DAY + timedelta(days=day, seconds=second)
