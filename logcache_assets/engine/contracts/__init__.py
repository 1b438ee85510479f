"""Computes contract tables from facts, one bucket at a time."""
