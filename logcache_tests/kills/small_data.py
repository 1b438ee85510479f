"""A data folder with one small database: ten users who change their names twice. A refresh of it costs little."""

import json
from collections.abc import Iterator
from pathlib import Path

from logcache_assets.domain.contract_definitions import definition_path
from logcache_tests.engine.avro import TX_BASE, TX_INSTANT, Datom, avro_bytes, instant_ms, instant_text

ENDS = (1005, 1010, 1105, 1110, 1205, 1210)
"""The last t of each segment."""
CUTOFFS = {"old": 1010, "night": 1110, "end": 1210}
USERS = tuple(range(17592186044418, 17592186044428))
NAME, ID = 72, 73
DEFINITION = """\
database: app
prototypes: [s0]
entities:
  - name: users
    primary_key: user/id
    snapshot: true
    attributes: [{attribute: user/name, history: true}]
"""


def write_small_data(folder: Path) -> None:
    """Write segments, index, definition and cut-offs."""
    (folder / "contracts").mkdir(parents=True)
    (folder / definition_path("app")).write_text(DEFINITION, encoding="utf-8")
    (folder / "cutoffs.json").write_text(json.dumps({"app-s0": CUTOFFS}), encoding="utf-8")
    datoms, lines = list(small_log()), []
    for before, end in zip((0, *ENDS), ENDS, strict=False):
        part = [datom for datom in datoms if before < datom[3] <= end]
        key = f"logs/1/s3/s0/app/00000000-0000-4000-8000-{end:012}-{before}-{end}.avro"
        file = folder / "buckets" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(avro_bytes(part))
        item = {
            "db_prototype": "app-s0",
            "database": "app",
            "prototype": "s0",
            "path": f"s3://{key}",
            "initial_t": part[0][3],
            "last_batch_t": before,
            "last_t": end,
            "requested_range": f"[{part[0][3]} {end + 1})",
            "timestamp": instant_ms(end) + 1000,
        }
        lines.append(json.dumps(item) + "\n")
    (folder / "index.jsonl").write_text("".join(lines), encoding="utf-8")


def small_log() -> Iterator[Datom]:
    """The schema at t 1000, a user per t from 1001, and two rounds of new names."""
    yield from in_tx(1000, *(_attribute(NAME, ":user/name") + _attribute(ID, ":user/id")))
    for number, user in enumerate(USERS, start=1):
        yield from in_tx(1000 + number, (user, ID, f"u{number}", True), (user, NAME, f"Name {number}", True))
    for start, former, name in ((1100, "Name", "Other"), (1200, "Other", "Third")):
        for number, user in enumerate(USERS, start=1):
            change = ((user, NAME, f"{name} {number}", True), (user, NAME, f"{former} {number}", False))
            yield from in_tx(start + number, *change)


def _attribute(entity: int, ident: str) -> list[tuple[int, int, str, bool]]:
    return [(entity, 10, ident, True), (entity, 40, "23", True), (entity, 41, "35", True)]


def in_tx(t: int, *changes: tuple[int, int, str, bool]) -> Iterator[Datom]:
    """The datoms of one tx, its instant first."""
    yield (TX_BASE + t, TX_INSTANT, instant_text(t), t, True)
    yield from ((e, a, v, t, added) for e, a, v, added in changes)
