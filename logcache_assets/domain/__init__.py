"""Values, rules, plans and verdicts: pure functions without I/O, Dagster or polars."""
