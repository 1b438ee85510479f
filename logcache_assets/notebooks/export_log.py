# Databricks notebook source
# MAGIC %md
# MAGIC # Describe the raw logs of a nightly transaction, and compare them with their segments
# MAGIC
# MAGIC Parameter `request`: the URI of a document with the instances, the folders of their raw datasets, and the
# MAGIC segments of the index. The result is JSON, the URI and the SHA-256 of a document: per instance and raw dataset
# MAGIC its files, schema, rows, last t and sums, computed from the data; per range of t between two segment ends the
# MAGIC sum of the log beside that of the segment; never a value of the log.

# COMMAND ----------

from logcache_assets.connect import connect
from logcache_assets.engine.drivers.driver import Folder, LocalDriver
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.engine.raw.prove_logs import prove_logs
from logcache_assets.errors import LogCacheError
from logcache_assets.refresh.export_run import read_request, write_answer
from logcache_assets.settings import load_settings

# COMMAND ----------

settings = load_settings()
store = connect(settings).store
scratch = Folder(store, settings.locations.scratch)
# Databricks gives every notebook a session; without one, threads do the work.
driver = SparkDriver(globals()["spark"], scratch) if "spark" in globals() else LocalDriver(scratch)

# COMMAND ----------

try:
    request = read_request(dbutils.widgets.get("request"), store)
    found = prove_logs(request.instances, store=store, driver=driver, tell=print)
    result = write_answer(request, found, locations=settings.locations, store=store)
except LogCacheError as error:
    raise SystemExit(str(error)) from None

# COMMAND ----------

dbutils.notebook.exit(result)
