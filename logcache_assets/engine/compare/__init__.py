"""Compares two days of a contract by key: hashes of all rows, then the cells of the rows that differ."""
