"""Production adapters of the ports, and what both platforms share. Heavy SDKs are imported inside methods."""
