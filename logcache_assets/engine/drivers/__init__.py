"""Runs tasks in local threads or on Spark, and reports progress."""
