"""Raw datasets: writes the log and the materialized entities of an instance, and describes them from their data."""
