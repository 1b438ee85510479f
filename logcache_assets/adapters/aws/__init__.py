"""Amazon's services: S3 as the object store, DynamoDB as the segment index."""
