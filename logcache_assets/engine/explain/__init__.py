"""Explains differing rows: what the log expects of them, why they may differ, and where they lie in the log."""
