"""The embedded platform: twins of the outside world with real behaviour, and the demo world with its data."""
