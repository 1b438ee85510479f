"""At which instants refreshes are killed."""

import random

import pytest

SEED = 20180528
INSTANTS_ON_SERVERS = 5
MOST_ON_SERVERS = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many instants as `--kills` says, each a share of the time that a whole refresh takes; on S3 fewer."""
    if "instant" not in metafunc.fixturenames:
        return
    wanted = metafunc.config.getoption("--kills")
    shares = random.Random(SEED)  # noqa: S311 - a seeded choice
    chosen = [shares.random() for _ in range(max(wanted, INSTANTS_ON_SERVERS + MOST_ON_SERVERS))]
    if metafunc.definition.get_closest_marker("servers") is None:
        metafunc.parametrize("instant", chosen[:wanted])
        return
    # Those of `make test-servers` are not killed again by `make test-kills`.
    others = chosen[INSTANTS_ON_SERVERS:][: min(wanted, MOST_ON_SERVERS)]
    metafunc.parametrize("instant", others or chosen[:INSTANTS_ON_SERVERS])
