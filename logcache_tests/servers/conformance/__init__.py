"""What each server of tests may be trusted with: probed before any test rests on it.

A check is a function that asks a server one thing and returns whether it answers as Amazon's service does. What is
expected of which server is in `expected`.
"""
