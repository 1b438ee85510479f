"""One database's datoms as a Spark DataFrame, partitioned by entity; typed values, facts with their intervals.

What contracts are made of them, and why so, is spark_dataframes.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - everybody's name for it
from source import CARDINALITY, IDENT, VALUE_TYPE, InstanceLog, Names, Shown, Task, read_names, shown_column

from logcache_assets.domain.contract_definitions import DatabaseDefinition
from logcache_assets.domain.contract_entities import ContractAttribute

PARTITIONS = 8
OPEN = 2**63 - 1
GONE = "\x01"
"""Stands for `retracted at this t` among texts, where null means `untouched at this t`."""
ENTITY = ["prototype", "e"]
MOMENT = ["prototype", "e", "t"]
AFTER = "max_by(CASE WHEN added THEN v END, 2 * t + CAST(added AS INT))"
"""The value after a group's last t: its assertion, for an update asserts and retracts; null when it only retracts."""
TOUCHED = f"max_by(CASE WHEN added THEN v ELSE '{GONE}' END, added)"
"""The same of one t, where a retraction shows."""
SPARK_TYPES = {
    "long": "bigint",
    "ref": "bigint",
    "boolean": "boolean",
    "instant": "timestamp",
    "double": "double",
    "float": "double",
    "bigdec": "decimal(38, 9)",
    "bigint": "decimal(38, 0)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """One database while its contracts are computed."""

    datoms: DataFrame
    """prototype, e, a, v, t, added, tx_instant, and `name`: the attribute's number in `wanted`, null for all others."""
    wanted: Sequence[str]
    idents: DataFrame
    """prototype, ref, shown."""
    names: Sequence[Names]

    def of(self, attribute: str) -> Column:
        """Whether a datom is of this attribute."""
        return F.col("name") == self.wanted.index(attribute)

    def shown(self, attribute: ContractAttribute) -> Shown:
        """How an attribute is shown."""
        return shown_column(attribute, self.names)


def open_bank(spark: SparkSession, task: Task, definition: DatabaseDefinition) -> Bank:
    """Read the logs of all instances and keep them partitioned by entity."""
    logs, history = task.logs_of(definition), task.kinds != {"entity"}
    raw = reduce(DataFrame.unionByName, (read_log(spark, log, history=history) for log in logs))
    raw = raw.repartition(PARTITIONS, *ENTITY).persist()
    about = (
        raw.where(F.col("a").isin(IDENT, VALUE_TYPE, CARDINALITY)).groupBy(*ENTITY, "a").agg(F.expr(AFTER).alias("v"))
    )
    found = [tuple(row) for row in about.where("v IS NOT NULL").collect()]
    names = [read_names((e, a, v) for prototype, e, a, v in found if prototype == log.prototype) for log in logs]
    wanted = sorted(
        {entity.primary_key for entity in definition.entities}
        | {name for entity in definition.entities for a in entity.attributes for name in (a.attribute, a.ref) if name}
    )
    idents = [(log.prototype, e, name) for log, its in zip(logs, names, strict=True) for e, name in its.idents.items()]
    return Bank(
        datoms=raw.withColumn("name", _number_of(wanted, logs, names)),
        wanted=wanted,
        idents=spark.createDataFrame(idents, "prototype string, ref bigint, shown string"),
        names=names,
    )


def read_log(spark: SparkSession, log: InstanceLog, *, history: bool) -> DataFrame:
    """The datoms of one instance. With a cache, entity contracts start from its current facts, asserted at t 0."""
    columns = ["e", "a", "v", "t", "added", "tx_instant"]
    parts = []
    if log.segments:
        within = F.col("t").between(log.after_t + 1, log.until_t)
        parts.append(spark.read.format("avro").load(list(log.segments)).select(columns).where(within))
    if log.log and history:
        parts.append(spark.read.parquet(log.log).select(columns))
    elif log.current:
        state = spark.read.parquet(log.current).select("e", "a", "v", F.lit(0).cast("bigint").alias("t"))
        parts.append(state.select("*", F.lit(True).alias("added"), F.lit(None).cast("timestamp").alias("tx_instant")))
    return reduce(DataFrame.unionByName, parts).withColumn("prototype", F.lit(log.prototype))


def _number_of(wanted: Sequence[str], logs: Sequence[InstanceLog], names: Sequence[Names]) -> Column:
    """The number of a datom's attribute; ids differ between instances."""
    places: dict[tuple[int, int], list[str]] = {}
    for log, its in zip(logs, names, strict=True):
        for number, name in enumerate(wanted):
            if name in its.attributes:
                places.setdefault((its.attributes[name], number), []).append(log.prototype)
    number = F.lit(None).cast("int")
    for (a, its_number), found in places.items():
        here = F.col("a") == a
        if len(found) < len(logs):
            here &= F.col("prototype").isin(found)
        number = F.when(here, its_number).otherwise(number)
    return number


def typed(text: Column, value_type: str) -> Column:
    """A canonical text as its column type."""
    match value_type:
        case "keyword":
            return F.replace(F.translate(F.substr(text, F.lit(2)), "-.", "__"), F.lit("/"), F.lit("__"))
        case "bytes":
            return F.unbase64(text)
    return text.cast(SPARK_TYPES[value_type]) if value_type in SPARK_TYPES else text


def own_value(column: Shown) -> Column:
    """A value of the attribute itself: of a ref the entity that it leads to."""
    return typed(F.col("v"), "ref" if column.ref else column.value_type)


def list_of(value: Column) -> Column:
    """The distinct values of a group, ascending."""
    return F.array_sort(F.collect_set(value))


def facts_of(bank: Bank, attribute: str) -> DataFrame:
    """Each (e, v) of an attribute over [t_from, t_to)."""
    following = F.lead("t", 1, OPEN).over(Window.partitionBy(*ENTITY, "v").orderBy("t"))
    facts = bank.datoms.where(bank.of(attribute)).withColumn("t_to", following)
    return facts.where("added").select(*ENTITY, "v", F.col("t").alias("t_from"), "t_to")
