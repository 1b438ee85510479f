"""Tables: LogOp, facts, contracts, export description; polars on what an object store gives, no network of its own."""
