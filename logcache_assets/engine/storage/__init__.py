"""How tables are stored: column schemas, Parquet files, buckets of entities, shards of rows."""
