"""The client in C: one for a process, whatever asks for it first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from logcache_assets.adapters.aws.access import AwsAccess
from logcache_assets.adapters.aws.s3_crt import CrtClient, crt_client

THREADS = 32


def test_threads_that_come_at_once_get_the_same_client() -> None:
    """Each client keeps hundreds of connections."""
    # An access that no other test has, because a process keeps what it made for one.
    access, together = AwsAccess(endpoint_url="http://127.0.0.1:9", max_attempts=94), Barrier(THREADS)

    def ask(_: int) -> CrtClient:
        together.wait()
        return crt_client(access, 256)

    with ThreadPoolExecutor(THREADS) as pool:
        clients = set(pool.map(ask, range(THREADS)))

    assert len(clients) == 1
