"""The programs that compute contracts, their commands, and the workloads.

A contender is a separate Python program, so that its start, imports and memory are measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bank import Bank

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The contracts to compute, and whether a cache may be used."""

    title: str
    kinds: str
    cached: bool


WORKLOADS: Mapping[str, Workload] = {
    "entity-cache": Workload(title="entity, cache + delta", kinds="entity", cached=True),
    "entity-segments": Workload(title="entity, segments alone", kinds="entity", cached=False),
    "all-cache": Workload(title="all kinds, cache + delta", kinds="entity,history,snapshot", cached=True),
    "all-segments": Workload(title="all kinds, segments alone", kinds="entity,history,snapshot", cached=False),
}

CONTENDERS: Mapping[str, str] = {
    "ours": "ours",
    "ours-spark": "ours, Spark driver",
    "duckdb": "DuckDB SQL",
    "duckdb-polars": "DuckDB SQL, polars' Avro",
    "pyspark": "PySpark DataFrames",
    "scan-polars": "scan only: polars",
    "scan-duckdb": "scan only: DuckDB",
}
"""Name on the command line → title. DuckDB's segments are decoded by our reader, or by polars' own.

Scans read every column of the same files and compute nothing.
"""

SCANS = ("scan-polars", "scan-duckdb")


def command_of(contender: str, workload: Workload, bank: Bank, out: Path) -> list[str]:
    """The command line of a contender."""
    asked = [*bank.inputs, "--kinds", workload.kinds, "--out", str(out)]
    peer_cache = ["--cache", str(bank.peers_cache)] if workload.cached else []
    our_cache = ["--map", str(bank.map_file)] if workload.cached else []
    ours = ["-m", "logcache_assets.cli.main", "contracts", *asked, *our_cache]
    match contender:
        case "ours":
            return ours
        case "ours-spark":
            return [*ours, "--driver", "spark"]
        case "duckdb":
            return [str(PEERS / "duckdb_sql.py"), *asked, *peer_cache]
        case "duckdb-polars":
            return [str(PEERS / "duckdb_sql.py"), *asked, *peer_cache, "--decoder", "polars"]
        case "pyspark":
            return [str(PEERS / "spark_dataframes.py"), *asked, *peer_cache]
        case _:
            return [str(PEERS / f"{contender.replace('-', '_')}.py"), *asked, *peer_cache]
