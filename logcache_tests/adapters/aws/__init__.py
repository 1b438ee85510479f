"""Adapters of Amazon's services."""
