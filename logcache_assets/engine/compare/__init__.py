"""Compares two days of a contract by key: hashes of all rows first, then the cells of the rows that differ."""
