"""Contracts computed row by row in plain Python, by the rules alone: what random logs are compared with."""
