"""LogOp: the cached log of an instance, and the newer segments that continue it."""
