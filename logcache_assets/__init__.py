"""Refreshes Itaipu's log cache; the map of the code is docs/architecture.md."""
