"""Databricks notebooks in source format: thin shells over engine/."""
