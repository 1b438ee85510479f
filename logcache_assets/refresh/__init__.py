"""What a refresh does, step by step, without Dagster: choose, describe, copy, commit, test, judge, publish."""
