"""The least that anybody must do: DuckDB reads every column of the cached log; it has no reader for segments."""

import duckdb
from source import THREADS, read_task


def main() -> None:
    """Read everything; the greatest value of a column needs all of them."""
    database = duckdb.connect(config={"threads": THREADS})
    for log in read_task(__doc__).logs.values():
        if not log.log:
            raise SystemExit("DuckDB reads no Avro; scan segments with polars")
        database.execute(f"SELECT max(COLUMNS(*)) FROM '{log.log}'").fetchall()


if __name__ == "__main__":
    main()
