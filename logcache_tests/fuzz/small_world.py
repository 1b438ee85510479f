"""A database of three users in files: segments, a cache with its manifest, index, map, definitions, rules."""

import json
import shutil
from pathlib import Path

import polars as pl

from logcache_assets.adapters.folder_store import FolderObjectStore
from logcache_assets.adapters.system_clock import SystemClock
from logcache_assets.cli.main import run_command
from logcache_assets.domain.index_items import render_index_item
from logcache_assets.domain.log_cache_map import render_map, with_entries
from logcache_tests.engine.app import A, B, define, log_of
from logcache_tests.engine.generated import source_of, write_segments
from logcache_tests.engine.world import OWN_BUCKET, write_cache

ATTRIBUTES: list[dict[str, object]] = [
    {"attribute": "user/name", "history": True},
    {"attribute": "user/tags"},
    {"attribute": "user/age"},
]
RULES = """rules:
  - {contract: "contract-app/*", tolerance: 1.0e-9}
allow:
  - {contract: contract-app/users, column: user__name, finding: unexplained,
     owner: team, reason: known, expires: 2999-01-01}
"""
CHANGES = [
    (e, "user/id", f"u{e}", t, True) for e, t in ((A, 1001), (B, 1002), (A + 2, 1003))
] + [(e, "user/name", f"Name {n}", 1004 + n, True) for n, e in enumerate((A, B, A + 2))] + [
    (A, "user/age", "30", 1010, True),
    (B, "user/tags", "x", 1011, True),
    (B, "user/tags", "y", 1012, True),
    (A, "user/name", "Other", 1013, True),
    (A, "user/name", "Name 0", 1013, False),
]  # fmt: skip


def build(home: Path) -> None:
    """Write the world."""
    store = FolderObjectStore(home / "buckets", SystemClock())
    store.create_bucket(OWN_BUCKET)
    (instance,) = define(*ATTRIBUTES).instances
    segments = write_segments(log_of(*CHANGES), [1003, 1006, 1011, 1013], store, instance=instance)
    source = source_of(*segments)
    entry = write_cache(source, store, folder="caches", last_t=1006)
    (home / "map.json").write_text(render_map(with_entries({}, {instance: entry})), encoding="utf-8")
    lines = (render_index_item(segment) + "\n" for segment in segments)
    (home / "index.jsonl").write_text("".join(lines), encoding="utf-8")
    (home / "until.json").write_text(json.dumps({instance.name: 1013}), encoding="utf-8")
    (home / "contracts").mkdir()
    entity = {"name": "users", "primary_key": "user/id", "snapshot": True, "attributes": ATTRIBUTES}
    text = json.dumps({"database": "app", "prototypes": ["s0"], "entities": [entity]}, indent=2)
    (home / "contracts" / "app.yaml").write_text(text, encoding="utf-8")
    (home / "rules.yaml").write_text(RULES, encoding="utf-8")


def compute(home: Path, out: Path) -> int:
    """`logcache contracts` on the world; returns the exit code."""
    shutil.rmtree(out, ignore_errors=True)
    paths = {"--root": "buckets", "--index": "index.jsonl", "--definitions": "contracts", "--map": "map.json"}
    options = [part for option, name in paths.items() for part in (option, str(home / name))]
    return run_command(["contracts", *options, "--until", str(home / "until.json"), "--out", str(out)])


def validate(home: Path, yesterday: Path, today: Path) -> int:
    """`logcache validate` of two days, by the world's rules; returns the exit code."""
    options = ["--definitions", str(home / "contracts"), "--rules", str(home / "rules.yaml")]
    return run_command(["validate", str(yesterday), str(today), *options])


def tables(out: Path) -> dict[str, list[tuple[object, ...]]]:
    """Dataset → its rows, in any order."""
    folders = sorted({file.parent for file in out.rglob("*.parquet")})
    return {folder.name: sorted(pl.read_parquet(folder).rows(), key=repr) for folder in folders}


def files_of(home: Path, kind: str) -> list[Path]:
    """The files of one kind."""
    found = {
        "map": [home / "map.json"],
        "until": [home / "until.json"],
        "index": [home / "index.jsonl"],
        "definition": [home / "contracts" / "app.yaml"],
        "rules": [home / "rules.yaml"],
        "manifest": sorted((home / "buckets" / OWN_BUCKET).rglob("manifest.json")),
        "cache": sorted((home / "buckets" / OWN_BUCKET).rglob("*.parquet")),
        "segment": sorted((home / "buckets").rglob("*.avro")),
    }
    return found[kind]
