"""One module per stage, in the order of the lineage: read, decide, act, report."""
