# Databricks notebook source
# MAGIC %md
# MAGIC # Describe the raw logs of a nightly transaction
# MAGIC
# MAGIC Parameter `request`: JSON `{"transaction": …, "instances": [{"instance", "log", "materialized_entities"}, …]}`,
# MAGIC the last two being folders of Parquet. The result is a JSON list with, per instance and raw dataset, its files,
# MAGIC schema, rows, last t computed from the data and fingerprint; never a value of the log.

# COMMAND ----------

import json

import msgspec

from logcache_assets.engine.raw import describe_raw_datasets
from logcache_assets.errors import LogCacheError
from logcache_assets.platforms import connect
from logcache_assets.settings import load_settings

# COMMAND ----------

request = json.loads(dbutils.widgets.get("request"))
store = connect(load_settings()).store

# COMMAND ----------

described = []
for wanted in request["instances"]:
    try:
        logs = describe_raw_datasets(
            wanted["instance"], log_uri=wanted["log"], entities_uri=wanted["materialized_entities"], store=store
        )
    except LogCacheError as error:
        raise SystemExit(f"{wanted['instance']}: {error}") from None
    print(f"{logs.instance}: {logs.log.rows} datoms up to t {logs.log.last_t}")
    described.append(logs)

# COMMAND ----------

dbutils.notebook.exit(msgspec.json.encode(described).decode())
