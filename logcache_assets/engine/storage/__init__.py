"""How tables lie in storage: column schemas, Parquet files, buckets of entities, shards of rows."""
