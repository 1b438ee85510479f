# Databricks notebook source
# MAGIC %md
# MAGIC # What a refresh of the log cache has done on a cluster
# MAGIC
# MAGIC Parameter `request`: the URI of a document with the instances of a nightly transaction, the folders of their
# MAGIC raw datasets, and the segments of the index. They are described and compared: per instance and raw dataset its
# MAGIC files, schema, rows, last t and sums, computed from the data; per range of t between two segment ends the sum of
# MAGIC the log beside that of the segment.
# MAGIC
# MAGIC Parameter `comparison`, instead: the URI of a document with both days of a database's contracts and the log
# MAGIC between them. They are compared, and what differs is explained; yesterday is computed once more from the new
# MAGIC caches.
# MAGIC
# MAGIC The result is JSON, the URI and the SHA-256 of a document with figures; never a value of a log or a contract.

# COMMAND ----------

import json
import os
import traceback
from pathlib import Path

from logcache_assets.adapters.scratch import local_driver, stored_scratch
from logcache_assets.connect import connect
from logcache_assets.deployment_key import require_deployment_key
from logcache_assets.engine.drivers.driver import Driver
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.drivers.spark import SparkDriver
from logcache_assets.engine.raw.prove_logs import prove_each
from logcache_assets.errors import LogCacheError, Unavailable
from logcache_assets.refresh.comparison_run import answer_comparison, case_of, read_comparison
from logcache_assets.refresh.export_run import read_request, write_answer
from logcache_assets.settings import load_settings

# COMMAND ----------

dbutils.widgets.text("request", "")
dbutils.widgets.text("comparison", "")
# A cluster that others keep does not have our variables, so the notebook is given them.
dbutils.widgets.text("settings", "{}")
settings = load_settings({**os.environ, **json.loads(dbutils.widgets.get("settings"))})
ports = connect(settings)
store = ports.store

# COMMAND ----------


def export(driver: Driver) -> str:
    """Describe raw logs, and compare them with their segments."""
    request = read_request(dbutils.widgets.get("request"), store)
    found = prove_each(request.instances, store=store, driver=driver, tell=print)
    return write_answer(request, found, locations=settings.locations, store=store)


def compare(driver: Driver) -> str:
    """Compare the contracts of both days."""
    request, warnings = read_comparison(dbutils.widgets.get("comparison"), store), []
    case = case_of(request, store=store, index=ports.segment_index, key=require_deployment_key(settings))
    at = Runtime(store=store, driver=driver, warn=warnings.append, progress=print)
    return answer_comparison(request, case, at, locations=settings.locations, warnings=warnings)


# COMMAND ----------

work = compare if dbutils.widgets.get("comparison") else export
try:
    # Databricks gives every notebook a session; without one, threads do the work.
    if "spark" in globals():
        with stored_scratch(store, settings.scratch_of_runs, tell=print) as scratch:
            result = work(SparkDriver(globals()["spark"], scratch))
    else:
        with local_driver() as threads:
            result = work(threads)
except Unavailable as error:
    # Exceptions of Python's own: whatever runs notebooks counts them as failures, and shows name and words.
    raise ConnectionError(str(error)) from None
except LogCacheError as error:
    raise RuntimeError(str(error)) from None
except Exception as error:  # noqa: BLE001 - whatever it is, its words must not be shown
    # Its words may quote values of the log, and a run's page is shown to many: only its kind and place are told.
    place = traceback.extract_tb(error.__traceback__)[-1]
    raise RuntimeError(f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}") from None

# COMMAND ----------

dbutils.notebook.exit(result)
