"""The embedded platform: working twins of every outside system, and the demo world with its data."""
