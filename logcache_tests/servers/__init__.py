"""Servers of S3 and DynamoDB for tests: how they start, what each may be trusted with, and faults between."""
