"""The command line: `logcache`; each command imports what it needs when it runs."""
