"""Contracts by PySpark DataFrames: one shuffle by entity, after which every step finds its rows where they are.

Spark groups texts by sorting, and a sort costs less than a shuffle: so the datoms are partitioned by entity once and
kept; pivots, windows and joins on the entity need no other exchange, and what refs lead to is broadcast.
Left out, as generated logs do not need it: what duckdb_sql.py leaves out; -0.0 in a list, which collect_set makes 0.0.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - everybody's name for it
from source import Shown, Task, read_task
from spark_datoms import (
    AFTER,
    ENTITY,
    GONE,
    MOMENT,
    OPEN,
    PARTITIONS,
    TOUCHED,
    Bank,
    facts_of,
    list_of,
    open_bank,
    own_value,
    typed,
)
from spark_session import spark_session

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition
from logcache_assets.domain.contract_entities import ContractAttribute, ContractEntity


def main() -> None:
    """Compute every contract that is asked for."""
    task = read_task(__doc__)
    with spark_session(PARTITIONS) as spark:
        for definition in task.definitions:
            compute(spark, task, definition)


def compute(spark: SparkSession, task: Task, definition: DatabaseDefinition) -> None:
    """All contracts of one database."""
    bank = open_bank(spark, task, definition)
    for entity in definition.entities:
        tables = [table for table in task.tables(definition) if table.entity == entity]
        filled = fill(bank, entity, tables)
        snapshot = any(table.kind.name == "snapshot" for table in tables)
        for table in tables:
            write(task, table, rows_of(bank, table, filled, snapshot=snapshot))
        if filled is not None:
            filled.unpersist()
    bank.datoms.unpersist()


def rows_of(bank: Bank, table: ContractTable, filled: DataFrame | None, *, snapshot: bool) -> DataFrame:
    """The rows of a dataset."""
    shown = [bank.shown(attribute) for attribute in table.attributes]
    if filled is None or (table.kind.name == "entity" and not snapshot):
        return show(bank, table, current(bank, table.entity), shown, suffix="")
    match table.kind.name:
        case "entity":
            last = filled.where("alive AND is_last").withColumn("t", F.lit(OPEN - 1))
            return show(bank, table, last, shown, suffix="_now")
        case "history":
            touched = filled.where(F.col(shown[0].name).isNotNull() & F.col("k").isNotNull())
            return show(bank, table, touched, shown, suffix="")
        case "snapshot":
            return show(bank, table, filled.where("alive"), shown, suffix="_now")


def current(bank: Bank, entity: ContractEntity) -> DataFrame:
    """Current values of every entity with a primary key: one conditional aggregation pivots all attributes."""
    shown = [bank.shown(attribute) for attribute in entity.attributes]
    ones = [column for column in shown if not column.many]
    names = [entity.primary_key, *(column.attribute for column in ones)]
    values = [
        F.expr(f"{AFTER} FILTER (WHERE name = {bank.wanted.index(name)})").alias(alias)
        for name, alias in zip(names, ["k", *(column.name for column in ones)], strict=True)
    ]
    wanted = bank.datoms.where(F.col("name").isin([bank.wanted.index(name) for name in names]))
    rows = wanted.groupBy(*ENTITY).agg(*values).where("k IS NOT NULL").withColumn("t", F.lit(OPEN - 1))
    for column in shown:
        if column.many:
            facts = facts_of(bank, column.attribute).where(f"t_to = {OPEN}").groupBy(*ENTITY)
            lists = facts.agg(list_of(own_value(column)).alias(column.name))
            rows = rows.join(lists, ENTITY, "left")
    return rows


def fill(bank: Bank, entity: ContractEntity, tables: Sequence[ContractTable]) -> DataFrame | None:
    """The changes of an entity at each t, and beside them its key and, for a snapshot, all values carried forward.

    One window serves all columns; the sort by (entity, t) that it needs is the one that the pivot left.
    """
    histories = {table.attributes[0].column for table in tables if table.kind.name == "history"}
    snapshot = any(table.kind.name == "snapshot" for table in tables)
    if not histories and not snapshot:
        return None
    shown = [bank.shown(attribute) for attribute in entity.attributes]
    columns = [column for column in shown if snapshot or column.name in histories]
    by_t = Window.partitionBy(*ENTITY).orderBy("t")
    until_now = by_t.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    key = F.when(F.col("k_change") != GONE, F.col("k_change"))
    carried = [F.last(column.name, ignorenulls=True).over(until_now).alias(f"{column.name}_now") for column in columns]
    return (
        changes(bank, entity, columns, all_ts=snapshot)
        .select(
            *MOMENT,
            "tx_instant",
            *(column.name for column in columns),
            F.last(key, ignorenulls=True).over(until_now).alias("k"),
            F.last(F.col("k_change") != GONE, ignorenulls=True).over(until_now).alias("alive"),
            F.lead("t").over(by_t).isNull().alias("is_last"),
            *(carried if snapshot else ()),
        )
        .persist()
    )


def changes(bank: Bank, entity: ContractEntity, columns: Sequence[Shown], *, all_ts: bool) -> DataFrame:
    """One row for each t that touches these columns (or anything): the value after t of what t touched."""
    ones = [column for column in columns if not column.many]
    names = [entity.primary_key, *(column.attribute for column in ones)]
    values = [
        F.expr(f"{TOUCHED} FILTER (WHERE name = {bank.wanted.index(name)})").alias(alias)
        for name, alias in zip(names, ["k_change", *(column.name for column in ones)], strict=True)
    ]
    keys = bank.datoms.where(bank.of(entity.primary_key)).select(*ENTITY).distinct()
    own = bank.datoms.join(keys.hint("shuffle_hash"), ENTITY, "left_semi")
    if not all_ts:
        wanted = [bank.wanted.index(name) for name in (entity.primary_key, *(column.attribute for column in columns))]
        own = own.where(F.col("name").isin(wanted))
    rows = own.groupBy(*MOMENT).agg(F.first("tx_instant").alias("tx_instant"), *values)
    for column in columns:
        if column.many:
            rows = rows.join(changed_lists(bank, column), MOMENT, "left")
    return rows


def changed_lists(bank: Bank, column: Shown) -> DataFrame:
    """The list after each t that touches it; empty when nothing is left."""
    touched = bank.datoms.where(bank.of(column.attribute)).select(*MOMENT).distinct().alias("q")
    facts = facts_of(bank, column.attribute).alias("f")
    during = (F.col("f.t_from") <= F.col("q.t")) & (F.col("q.t") < F.col("f.t_to"))
    same = (F.col("f.prototype") == F.col("q.prototype")) & (F.col("f.e") == F.col("q.e"))
    value = own_value(column)
    joined = touched.join(facts, same & during, "left")
    return joined.groupBy("q.prototype", "q.e", "q.t").agg(list_of(value).alias(column.name))


def show(bank: Bank, table: ContractTable, rows: DataFrame, shown: Sequence[Shown], *, suffix: str) -> DataFrame:
    """The rows as the contract shows them: typed, and refs followed as of each row's t."""
    for column in shown:
        value = F.col(f"{column.name}{suffix}")
        if column.ref:
            rows = _followed(bank, rows.withColumn(f"{column.name}_ref", value), column)
        elif column.many:
            rows = rows.withColumn(f"{column.name}_cell", F.when(F.size(value) > 0, value))
        else:
            cell = typed(F.when(value != GONE, value), column.value_type)
            rows = rows.withColumn(f"{column.name}_cell", cell)
    key = bank.shown(ContractAttribute(attribute=table.entity.primary_key))
    times = (
        [F.col("t").alias("db__t"), F.col("tx_instant").alias("db__tx_instant")] if table.kind.name != "entity" else []
    )
    cells = [F.col(f"{column.name}_cell").alias(column.name) for column in shown]
    return rows.select(typed(F.col("k"), key.value_type).alias(key.name), "prototype", *times, *cells)


def _followed(bank: Bank, rows: DataFrame, column: Shown) -> DataFrame:
    """The rows with a cell for what `<column>_ref` leads to; what it may lead to is broadcast."""
    cell, ref = f"{column.name}_cell", f"{column.name}_ref"
    targets = F.broadcast(bank.idents if column.ref == "db/ident" else _targets(bank, column))
    if not column.many:
        entity = F.when(F.col(ref) != GONE, F.col(ref)).cast("bigint")
        return _joined(rows.withColumn("ref", entity), targets, column).withColumnRenamed("shown", cell).drop("ref")
    each = rows.select(*MOMENT, F.explode(ref).alias("ref"))
    lists = _joined(each, targets, column).groupBy(*MOMENT).agg(list_of(F.col("shown")).alias(cell))
    return rows.join(lists.where(F.size(cell) > 0), MOMENT, "left")


def _joined(rows: DataFrame, targets: DataFrame, column: Shown) -> DataFrame:
    if column.ref == "db/ident":
        return rows.join(targets, ["prototype", "ref"], "left")
    r, g = rows.alias("r"), targets.alias("g")
    same = (F.col("g.prototype") == F.col("r.prototype")) & (F.col("g.e") == F.col("r.ref"))
    during = (F.col("g.t_from") <= F.col("r.t")) & (F.col("r.t") < F.col("g.t_to"))
    return r.join(g, same & during, "left").select("r.*", "g.shown")


def _targets(bank: Bank, column: Shown) -> DataFrame:
    """The values that refs lead to, each over [t_from, t_to)."""
    values = facts_of(bank, column.ref or "")
    return values.select(*ENTITY, "t_from", "t_to", typed(F.col("v"), column.value_type).alias("shown"))


def write(task: Task, table: ContractTable, rows: DataFrame) -> None:
    """One sorted file per partition: an order over all files would compute everything twice to find its ranges."""
    folder = str(task.file_of(table).parent)
    rows.select(*table.columns).sortWithinPartitions(*table.key).write.mode("overwrite").parquet(folder)


if __name__ == "__main__":
    main()
