"""Where tasks run: threads here or tasks of Spark, and how progress is reported."""
