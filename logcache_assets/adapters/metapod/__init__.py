"""metapod, the metadata service, over GraphQL."""
