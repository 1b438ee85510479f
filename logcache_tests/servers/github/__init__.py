"""A stand-in of GitHub's REST API over a real bare git repository, on loopback.

with served_github(bare_repository) as github:      # server.py
    github.url, github.token, github.repository     # for LOGCACHE_GITHUB_URL, _TOKEN, _REPOSITORY

Commits, trees and branches are git's own, so people may push and merge there with git. Pull requests, comments, labels
and statuses live in memory. It refuses what GitHub's published description of the API does not have
(`published`, `openapi/`), and its own answers are checked against it. `server` sends, `faults` disturbs, `people` signs
in, `endpoints_of_git`, `endpoints_of_pulls` and `endpoints_of_rules` answer, `bare` and `board` hold the state.
"""
