"""An HTTP proxy on loopback between a client and a server of S3 or DynamoDB, which injects faults and counts.

It also supplies the one promise of S3 that no server of tests keeps: `If-None-Match: *` of CopyObject.
"""
