"""Two days compared by DuckDB: one full outer join, one count for each column. To DuckDB, NaN is equal to NaN."""

import duckdb
from comparing import Answer, Task, read_task, write_answer


def compare(task: Task) -> Answer:
    """One SQL statement."""
    database = duckdb.connect(config={"threads": task.threads, "temp_directory": str(task.out.parent / ".spill")})
    database.execute("SET enable_progress_bar = false")
    days = {"y": f"'{task.yesterday}/*.parquet'", "t": f"'{task.today}/*.parquet'"}
    found = database.execute(f"DESCRIBE SELECT * FROM {days['t']}").fetchall()
    columns = [name for name, *_ in found if name not in task.key]
    missing, added = f"t.{task.key[0]} IS NULL", f"y.{task.key[0]} IS NULL"
    both = f"NOT ({missing}) AND NOT ({added})"
    conditions = [both, missing, added, *(f"{both} AND y.{name} IS DISTINCT FROM t.{name}" for name in columns)]
    counts = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
    joined = f"{days['y']} y FULL JOIN {days['t']} t USING ({', '.join(task.key)})"
    figures = database.execute(f"SELECT {counts} FROM {joined}").fetchall()[0]
    changed = dict(zip(columns, figures[3:], strict=True))
    return Answer(both=figures[0], missing=figures[1], added=figures[2], changed=changed)


def main() -> None:
    """Compare and answer."""
    task = read_task(__doc__)
    write_answer(task, compare(task))


if __name__ == "__main__":
    main()
