"""Two days compared by plain polars: one inner join, one count for each column, on the streaming engine.

To polars, NaN is equal to NaN.
"""

import polars as pl
from comparing import Answer, Task, read_task, write_answer


def compare(task: Task) -> Answer:
    """One query; keys are unique, so that rows that were not joined are the rest of a day's rows."""
    yesterday, today = pl.scan_parquet(task.yesterday / "*.parquet"), pl.scan_parquet(task.today / "*.parquet")
    columns = [name for name in today.collect_schema().names() if name not in task.key]
    joined = yesterday.join(today, on=list(task.key), how="inner", suffix=" today")
    changed = joined.select(
        pl.len().alias("both"), *(pl.col(name).ne_missing(pl.col(f"{name} today")).sum() for name in columns)
    )
    lengths = [day.select(pl.len()) for day in (yesterday, today)]
    counts, *rows = pl.collect_all([changed, *lengths], engine="streaming")
    both = counts["both"].item()
    return Answer(
        both=both,
        missing=rows[0].item() - both,
        added=rows[1].item() - both,
        changed={name: counts[name].item() for name in columns},
    )


def main() -> None:
    """Compare and answer."""
    task = read_task(__doc__)
    write_answer(task, compare(task))


if __name__ == "__main__":
    main()
