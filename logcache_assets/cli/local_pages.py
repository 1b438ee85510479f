"""The process beside `logcache local ui` that serves reports and pull requests of the local world.

It ends when its standard input does.
"""

import sys

from logcache_assets.connect import connect
from logcache_assets.local_platform.pages import Pages, open_server, serve_while_open
from logcache_assets.local_platform.pull_request_files import PullRequestFiles
from logcache_assets.local_platform.world_files import WorldFiles
from logcache_assets.settings import load_settings


def main() -> None:
    """Serve the pages of the world that the environment names."""
    settings = load_settings()
    pages = Pages(
        store=connect(settings).store,
        bucket=settings.permanent_bucket,
        pull_requests=PullRequestFiles(WorldFiles(settings.home_folder).pull_requests),
    )
    try:
        server = open_server(pages, port=settings.pages_port)
    except OSError as error:
        sys.stderr.write(f"Reports are not served: port {settings.pages_port} cannot be opened ({error.strerror}).\n")
        return
    serve_while_open(server)


if __name__ == "__main__":
    main()
