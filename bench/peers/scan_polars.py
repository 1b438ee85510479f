"""The least that anybody must do: polars reads every column of the cached log, or decodes every segment."""

import polars as pl
from source import decode_segments, read_task


def main() -> None:
    """Read everything."""
    task = read_task(__doc__)
    for log in task.logs.values():
        if log.log:
            pl.read_parquet(log.log)
        else:
            decode_segments(log, task.decoder)


if __name__ == "__main__":
    main()
