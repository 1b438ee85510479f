"""Databricks: runs notebooks by its Jobs API, and puts there what they need."""
