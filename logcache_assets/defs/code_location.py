"""How Dagit knows the code location of a country: workspace.yaml names it, and runs of commands must name the same.

The classes of an origin are private to Dagster: it gives them to the runs that it launches itself, and nothing public
puts a run of another process on a job's page and timeline.
"""

from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from logcache_assets.domain.names import COUNTRY

_REPOSITORY = "__repository__"
"""How Dagster calls the definitions of a location."""


def location_name(country: str) -> str:
    """`logcache_assets`, or `logcache_mx` for the location of another country."""
    return "logcache_assets" if country == COUNTRY else f"logcache_{country.lower()}"


def job_origin(country: str, job: str) -> RemoteJobOrigin:
    """With this origin, Dagit shows a run on the job's page and timeline, and can execute it again."""
    location = RegisteredCodeLocationOrigin(location_name(country))
    return RemoteRepositoryOrigin(location, _REPOSITORY).get_job_origin(job)
