"""Two days compared by datacompy, which compares pandas frames in memory; its newer versions want an older polars."""

import datacompy
import pandas as pd
import pyarrow as pa
from comparing import Answer, Task, read_task, write_answer


def compare(task: Task) -> Answer:
    """Read both days, join them, and count."""
    pa.set_cpu_count(task.threads)
    days = [pd.read_parquet(day) for day in (task.yesterday, task.today)]
    found = datacompy.Compare(*days, join_columns=list(task.key))
    return Answer(
        both=len(found.intersect_rows),
        missing=len(found.df1_unq_rows),
        added=len(found.df2_unq_rows),
        changed={
            stats["column"]: int(stats["unequal_cnt"])
            for stats in found.column_stats
            if stats["column"] not in task.key
        },
    )


def main() -> None:
    """Compare and answer."""
    task = read_task(__doc__)
    write_answer(task, compare(task))


if __name__ == "__main__":
    main()
