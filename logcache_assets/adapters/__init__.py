"""Production adapters of ports.py; heavy SDKs are imported inside the methods that need them."""
