"""Contract tables, computed from facts one bucket at a time."""
