"""What Dagit's Resources page shows, and what runs get from it."""

from datetime import timedelta

import dagster as dg
import pytest

from logcache_assets.catalog import load_catalog
from logcache_assets.connect import connect
from logcache_assets.definitions import build_definitions
from logcache_assets.defs.resources import PersonalDataKeyResource, configured_resources, given_resources
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.transactions import TransactionType
from logcache_assets.errors import BadInput
from logcache_assets.local_platform.world import World
from logcache_assets.ports import Ports
from logcache_assets.settings import PII_KEY_VARIABLE, Settings, load_settings
from logcache_tests.engine.expected import PII_KEY

PORTS = ("store", "segment_index", "metapod", "runner", "itaipu", "repository", "clock")


@pytest.fixture
def settings(world: World, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of a process in whose environment the world is configured."""
    monkeypatch.setenv("LOGCACHE_HOME", str(world.home))
    monkeypatch.setenv(PII_KEY_VARIABLE, PII_KEY.decode())
    return load_settings()


def test_every_resource_says_what_it_is_and_where(settings: Settings) -> None:
    """Each is a class of its own with a docstring and at least one field, so the page shows no lambda."""
    for name, resource in configured_resources(settings).items():
        assert isinstance(resource, dg.ConfigurableResource), name
        assert type(resource).__doc__, name
        assert type(resource).model_fields, name


def test_every_resource_makes_the_port_that_connect_makes(settings: Settings) -> None:
    """A run from Dagit and the command line talk to the same systems through the same adapters."""
    given = given_resources(settings, connect(settings))

    with dg.build_resources(configured_resources(settings)) as made:
        types = {name: type(getattr(made, name)) for name in PORTS}

    assert types == {name: type(given[name]) for name in PORTS}


@pytest.mark.parametrize(
    ("resource", "field", "file"),
    [
        ("pii_key", "home", ""),
        ("store", "buckets", "buckets"),
        ("store", "clock_file", "clock"),
        ("store", "faults", "faults"),
        ("segment_index", "file", "segment_index.sqlite"),
        ("metapod", "file", "metapod.sqlite"),
        ("runner", "runs", "notebook_runs"),
        ("itaipu", "log_folder", "sabesp_logs"),
        ("repository", "git_dir", "itaipu.git"),
        ("repository", "pull_requests", "pull_requests"),
        ("repository", "clock_file", "clock"),
        ("clock", "file", "clock"),
    ],
)
def test_the_page_names_the_files_of_the_world(
    settings: Settings, world: World, resource: str, field: str, file: str
) -> None:
    """A person who looks for a system on the page finds its file in the world's folder."""
    shown = configured_resources(settings)[resource]

    assert getattr(shown, field) == str(world.home / file)


def test_resources_and_connect_read_the_same_files(settings: Settings, world: World) -> None:
    """What is written through the ports of the command line is what a run from Dagit reads."""
    ports, uri = connect(settings), f"s3://{settings.permanent_bucket}/cache/written"
    world.clock.set(world.clock.now() + timedelta(days=1))
    ports.store.write(uri, b"by connect")
    main = str(ports.repository.head("main"))
    sha = ports.repository.commit(branch="other", parent=main, files={"a": "b"}, message="Write")
    request = ports.repository.propose(branch="other", title="A title", body="A body")
    since, feed = world.clock.now() - timedelta(days=30), Instance(database="feed", prototype="s0")

    with dg.build_resources(configured_resources(settings)) as made:
        assert made.clock.now() == world.clock.now()
        assert made.store.read(uri) == b"by connect"
        assert made.repository.head("other") == sha
        assert made.repository.pull_request(request.number) == request
        assert made.segment_index.newest_t(feed) == ports.segment_index.newest_t(feed) > 0
        nights = made.metapod.transactions(TransactionType.DAILY, since=since)
        assert nights == ports.metapod.transactions(TransactionType.DAILY, since=since) != ()


def test_a_run_reads_the_world_through_its_resources(settings: Settings, world: World) -> None:
    """With nothing but the environment, the first stage materializes."""
    definitions = build_definitions(settings, catalog=load_catalog(world.catalog))
    job = definitions.resolve_implicit_global_asset_job_def()

    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("nightly_transaction")])

    assert result.success


def test_no_secret_is_a_literal_field(settings: Settings) -> None:
    """The page shows literals in full, so the key is an environment variable and among no settings."""
    resources = configured_resources(settings)

    shown = repr(resources)

    assert PII_KEY.decode() not in shown
    assert isinstance(resources["pii_key"], PersonalDataKeyResource)
    assert isinstance(resources["pii_key"].key, dg.EnvVar)


def test_the_key_is_the_variables_value(settings: Settings) -> None:
    """Dagster resolves the variable when a run asks for the key."""
    resource = configured_resources(settings)["pii_key"]

    assert isinstance(resource, dg.ConfigurableResource)
    assert resource.process_config_and_initialize() == PII_KEY


def test_a_variables_name_never_becomes_a_key(settings: Settings) -> None:
    """Outside a run Dagster would hand over the variable's name as the secret: that is refused."""
    resource = configured_resources(settings)["pii_key"]

    assert isinstance(resource, PersonalDataKeyResource)
    with pytest.raises(BadInput, match="was not read from LOGCACHE_PII_KEY"):
        resource.create_resource(dg.build_init_resource_context())


def test_without_the_variable_the_worlds_own_key_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset variable would refuse the whole run, so it is asked for only where it is set."""
    monkeypatch.setenv("LOGCACHE_HOME", str(world.home))
    monkeypatch.delenv(PII_KEY_VARIABLE, raising=False)
    (world.home / "pii_key").write_text("the world's own key", encoding="utf-8")

    resource = configured_resources(load_settings())["pii_key"]

    assert isinstance(resource, dg.ConfigurableResource)
    assert resource.process_config_and_initialize() == b"the world's own key"


def test_all_ports_are_resources() -> None:
    """A new port that nobody can configure in Dagit is forgotten here first."""
    assert len(PORTS) == len(Ports.__dataclass_fields__)
