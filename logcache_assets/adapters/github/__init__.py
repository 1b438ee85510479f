"""The itaipu repository on GitHub, or on a GitHub Enterprise Server.

`access` says where it is and who asks, `api` asks one question (`questions`), `rate_limits` and `faults` say what a
refusal means, `answers` has the shapes of answers. `git_objects` has files and commits, `pull_requests` what its name
says, `repository` puts them together as the port, and `facts` is what the doctor asks. PyGithub signs in and sends; it
is imported inside functions.
"""
