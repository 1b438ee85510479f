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

from logcache_assets.connect import connect
from logcache_assets.engine.drivers.driver import Folder, LocalDriver
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.engine.raw.describe_raw import DescribeTask
from logcache_assets.errors import LogCacheError
from logcache_assets.settings import load_settings

# COMMAND ----------

request = json.loads(dbutils.widgets.get("request"))
settings = load_settings()
store = connect(settings).store
scratch = Folder(store, settings.locations.scratch)
# Databricks gives every notebook a session; without one, threads do the work.
driver = SparkDriver(globals()["spark"], scratch) if "spark" in globals() else LocalDriver(scratch)

# COMMAND ----------

described = {}
try:
    for logs in driver.run([DescribeTask(**wanted, store=store) for wanted in request["instances"]]):
        print(f"{logs.instance}: {logs.log.rows} datoms up to t {logs.log.last_t}")
        described[logs.instance] = logs
except LogCacheError as error:
    raise SystemExit(str(error)) from None

# COMMAND ----------

dbutils.notebook.exit(msgspec.json.encode([described[wanted["instance"]] for wanted in request["instances"]]).decode())
