"""Writes the data folder of a local world with any number of databases: copies of the demo's, of two instances each.

A copy has its own name and segments and the same datoms, so a world of copies costs what so many databases of the
demo's size cost.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from logcache_assets.local_platform.demo_data import PACKAGED

ORIGINALS = ("customers", "double-entry", "feed")


def write_data(folder: Path, *, databases: int) -> None:
    """Write a data folder for `logcache local reset --data`; the first three databases are the demo's own."""
    items = [json.loads(line) for line in (PACKAGED / "index.jsonl").read_text("utf-8").splitlines()]
    cutoffs = json.loads((PACKAGED / "cutoffs.json").read_text("utf-8"))
    written: list[dict[str, str]] = []
    cuts: dict[str, dict[str, int]] = {}
    (folder / "contracts").mkdir(parents=True)
    shutil.copyfile(PACKAGED / "validation.yaml", folder / "validation.yaml")
    for original, name in _names(databases):
        definition = (PACKAGED / "contracts" / f"{original}.yaml").read_text("utf-8")
        renamed = definition.replace(f"database: {original}", f"database: {name}", 1)
        (folder / "contracts" / f"{name}.yaml").write_text(renamed, encoding="utf-8")
        written += [_copied(item, name, folder) for item in items if item["database"] == original]
        cuts |= {f"{name}-{p}": c for i, c in cutoffs.items() for o, _, p in [i.rpartition("-")] if o == original}
    (folder / "index.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in written), encoding="utf-8")
    (folder / "cutoffs.json").write_text(json.dumps(cuts), encoding="utf-8")


def _names(databases: int) -> Iterator[tuple[str, str]]:
    """Each database's original and its own name."""
    for number in range(databases):
        copy, original = divmod(number, len(ORIGINALS))
        yield ORIGINALS[original], f"{ORIGINALS[original]}-copy{copy}" if copy else ORIGINALS[original]


def _copied(item: dict[str, str], name: str, folder: Path) -> dict[str, str]:
    """The index item of a copy, whose segment is written."""
    path = item["path"].replace(f"/{item['database']}/", f"/{name}/")
    file = folder / "buckets" / path.removeprefix("s3://")
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PACKAGED / "buckets" / item["path"].removeprefix("s3://"), file)
    return item | {"database": name, "db_prototype": f"{name}-{item['prototype']}", "path": path}
