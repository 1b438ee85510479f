"""Computes tables with polars: LogOp, facts, contracts, comparisons. Reads and writes only through an object store."""
