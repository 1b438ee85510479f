"""Explains rows that differ: what the log says of them, why they may differ, and which t they come from."""
