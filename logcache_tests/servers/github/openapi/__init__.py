"""What GitHub's published description says of the endpoints that the stand-in has; MIT licence, see LICENSE.

`endpoints.json` is made by `extract`, from the npm package `@octokit/openapi` of the version that it names.
"""
