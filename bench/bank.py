"""Prepares the bank that contenders work on: its logs, a cache, and the cache in the peers' form. None of it is timed.

    DIR/size.json      the options; another size needs another folder
    DIR/map.json       the log cache map that `logcache cache` wrote
    DIR/peers/…        current facts (e, a, v) of each instance as Parquet, and cache.json, which lists them

The rest of DIR is written by generate.py.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import polars as pl
from generate import Size

BENCH = Path(__file__).parent


class Bank:
    """A generated bank with its cache.

    Args:
        folder: the folder that holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def inputs(self) -> list[str]:
        """The options that every contender takes."""
        options = {
            "--root": "buckets",
            "--index": "index.jsonl",
            "--definitions": "contracts",
            "--until": "until-end.json",
        }
        return [word for option, name in options.items() for word in (option, str(self.folder / name))]

    @property
    def map_file(self) -> Path:
        """Path of the log cache map."""
        return self.folder / "map.json"

    @property
    def peers_cache(self) -> Path:
        """Path of the JSON: instance → {last_t, log, current}, the cache in the peers' form."""
        return self.folder / "peers" / "cache.json"

    def prepare(self, size: Size) -> None:
        """Create whatever is missing.

        Raises:
            SystemExit: the folder holds a bank of another size.
        """
        asked, recorded = json.dumps(asdict(size)), self.folder / "size.json"
        if recorded.exists() and recorded.read_text("utf-8") != asked:
            raise SystemExit(f"{self.folder} holds a bank of another size, {recorded.read_text('utf-8')}: name another")
        if not recorded.exists():
            options = [word for name, value in asdict(size).items() for word in (f"--{name}", str(value))]
            _run(str(BENCH / "generate.py"), "--out", str(self.folder), *options)
            recorded.write_text(asked, encoding="utf-8")
        if not self.map_file.exists():
            inputs = ["--root", str(self.folder / "buckets"), "--index", str(self.folder / "index.jsonl")]
            cut = ["--until", str(self.folder / "until-cache.json"), "--map", str(self.map_file)]
            _run("-m", "logcache_assets.cli.main", "cache", *inputs, *cut)
        if not self.peers_cache.exists():
            self._prepare_peers()

    def _prepare_peers(self) -> None:
        entries = json.loads(self.map_file.read_text("utf-8"))
        caches = {
            f"{database}-{prototype}": self._peer_cache(f"{database}-{prototype}", entry)
            for prototype, databases in entries.items()
            for database, entry in databases.items()
        }
        self.peers_cache.write_text(json.dumps(caches, indent=2), encoding="utf-8")

    def _peer_cache(self, instance: str, entry: dict[str, object]) -> dict[str, object]:
        """Write the current facts for peers, which is what Itaipu's own materialized entities hold."""
        current = self.folder / "peers" / f"{instance}.parquet"
        current.parent.mkdir(parents=True, exist_ok=True)
        facts = pl.scan_parquet(self._files(entry["materialized_entities"]))
        facts.filter(pl.col("t_to").is_null()).select("e", "a", "v").sort("a", "e", "v").collect().write_parquet(
            current, row_group_size=262_144
        )
        return {"last_t": entry["last_t"], "log": self._files(entry["log"]), "current": str(current)}

    def _files(self, uri: object) -> str:
        """A pattern of the Parquet files of an `s3://` folder."""
        return f"{self.folder / 'buckets' / str(uri).removeprefix('s3://').rstrip('/')}/*.parquet"


def _run(*program: str) -> None:
    """Run a Python program, which prints its own errors."""
    subprocess.run([sys.executable, *program], check=True, stdout=subprocess.DEVNULL)
