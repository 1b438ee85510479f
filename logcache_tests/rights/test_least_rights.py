"""A whole refresh by people who may do what deploy/iam allows them, judged by a server that knows users."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from logcache_assets.cli import adopt, copy, doctor, local, refresh, status
from logcache_assets.cli.main import run_command
from logcache_assets.connect import s3_store
from logcache_assets.domain.log_cache_map import MAP_PATH, instances_of, parse_map
from logcache_assets.errors import LogCacheError
from logcache_assets.ports import Tell
from logcache_assets.refresh.inspect_map import read_base_map
from logcache_assets.settings import Settings
from logcache_tests.conftest import silent
from logcache_tests.rights.calls import Call, calls_of_roles
from logcache_tests.rights.deployment import (
    CACHES,
    LEAST_MULTIPART_BYTES,
    RUNS,
    TABLE,
    Deployment,
    Watched,
    deployment,
    typed_by,
)
from logcache_tests.rights.policies import BESIDE, ROLES, Right, policy_of, rights_in, without
from logcache_tests.servers.fault_proxy.faults import NO_FAULTS, Faults
from logcache_tests.servers.identities import Identities, Policy
from logcache_tests.servers.server import Server

OWN_OF_ITAIPU: Policy = {
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"arn:aws:s3:::{RUNS}/*/contract-*"}
    ]
}
"""What Itaipu writes, it could write before there was a log cache."""
TAGS = "clearance=restricted"
Command = Callable[[Settings, Deployment, Tell], None]


@dataclass(frozen=True)
class Done:
    """What a whole refresh, and everything after it, came to."""

    deployed: Deployment
    watched: dict[str, Watched]
    reached: dict[str, int]
    """The t of every instance in the map of the pull request."""


@pytest.fixture(scope="module")
def deployed(
    s3_identities: Identities, dynamodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A world, and folders to copy: `many` with a small and a large object, `lost` with a large one; all have tags."""
    with deployment(s3_identities, dynamodb_server, tmp_path_factory.mktemp("rights")) as made:
        s3 = s3_identities.server.client("s3")
        for key, size in {
            "many/small": 9,
            "many/large": LEAST_MULTIPART_BYTES,
            "lost/large": LEAST_MULTIPART_BYTES,
        }.items():
            s3.put_object(Bucket=RUNS, Key=key, Body=b"x" * size, Tagging=TAGS)
        s3.put_bucket_versioning(Bucket=CACHES, VersioningConfiguration={"Status": "Enabled"})
        yield made


@pytest.fixture(scope="module")
def done(deployed: Deployment) -> Done:
    """Every command, each by whom it is for."""
    watched = {role: deployed.watch() for role in (*ROLES, "itaipu")}
    itaipu = {"Statement": [*policy_of("nightly reader")["Statement"], *OWN_OF_ITAIPU["Statement"]]}
    sabesp = deployed.sabesp_of(deployed.person({"Version": "2012-10-17", **itaipu}), watched["itaipu"])
    copier = settings_of(deployed, "copier", watched["copier"], sabesp=str(sabesp))
    refresh.run(copier, databases=(), transaction=None, dry_run=False, say=silent)
    (request,) = deployed.world.repository.open_pull_requests()
    entries = parse_map(deployed.world.repository.read(MAP_PATH, ref=request.head_sha), where="map")
    status.run(copier)
    copy_many(copier, deployed, silent)
    copy_lost(copier, watched["copier"])
    reader = settings_of(deployed, "contracts reader", watched["contracts reader"])
    read_contracts(reader, deployed, silent)
    read_documents(reader, deployed, silent)
    compute_contracts(settings_of(deployed, "nightly reader", watched["nightly reader"]), deployed, silent)
    examine(settings_of(deployed, "doctor", watched["doctor"]), deployed, silent)
    examine_by_writing(settings_of(deployed, "doctor --write", watched["doctor --write"]), deployed, silent)
    return Done(deployed, watched, {i.name: entry.last_t for i, entry in instances_of(entries)})


def settings_of(deployed: Deployment, role: str, watched: Watched, **variables: str) -> Settings:
    """The settings of a new person in a role."""
    profile = deployed.person(policy_of(*BESIDE.get(role, ()), role))
    return deployed.settings(watched, aws_profile=profile, **variables)


def copy_many(settings: Settings, _: Deployment, tell: Tell) -> None:
    """Copy a small and a large object to a folder of this person's."""
    target = f"s3://{CACHES}/cache/{settings.aws_profile}"
    copy.run(settings, f"s3://{RUNS}/many", target, dry_run=False, manifest=f"{target}.jsonl", tell=tell)


def copy_lost(settings: Settings, watched: Watched) -> None:
    """Copy a large object that vanishes meanwhile, so that its copy is given up."""
    watched.s3.faults = Faults(vanished=1, operations=frozenset({"UploadPartCopy"}))
    with pytest.raises(LogCacheError, match="vanished"):
        copy.run(settings, f"s3://{RUNS}/lost", f"s3://{CACHES}/cache/lost", dry_run=False, manifest=None, tell=silent)
    watched.s3.faults = NO_FAULTS


def show_status(settings: Settings, _: Deployment, __: Tell) -> None:
    """Type `logcache status`."""
    status.run(settings)


def examine(settings: Settings, _: Deployment, tell: Tell) -> None:
    """Ask the doctor, and tell what is found."""
    for probe in doctor.run(settings, write=False, tell=silent).probes:
        tell(f"{probe.found}; {probe.remedy}")


def examine_by_writing(settings: Settings, _: Deployment, tell: Tell) -> None:
    """Ask the doctor to write, and tell what is found."""
    for probe in doctor.run(settings, write=True, tell=silent).probes:
        tell(f"{probe.found}; {probe.remedy}")


def typed(settings: Settings, *arguments: str) -> None:
    """Type a command that reads its settings from the environment; raises LogCacheError if it fails."""
    with typed_by(settings):
        if code := run_command(list(arguments)):
            raise LogCacheError(f"exit code {code}")


def compute_contracts(settings: Settings, deployed: Deployment, _: Tell) -> None:
    """Compute contracts from the active map's caches and newer segments."""
    world, folder = deployed.world, deployed.folder / str(settings.aws_profile)
    folder.mkdir()
    base = read_base_map(world.repository)
    (folder / "map.json").write_text(world.repository.read(MAP_PATH, ref=base.sha), encoding="utf-8")
    log = ("--root", "s3://", "--index", f"dynamodb:{TABLE}", "--map", str(folder / "map.json"))
    typed(settings, "contracts", *log, "--definitions", str(world.catalog), "--out", str(folder / "contracts"))


def read_contracts(settings: Settings, deployed: Deployment, _: Tell) -> None:
    """Compare a night's contracts with themselves."""
    uris = s3_store(deployed.settings()).list_uris(f"s3://{RUNS}/")
    night = next(uri.partition("/contract-")[0] for uri in uris if "/contract-" in uri)
    typed(settings, "validate", night, night, "--definitions", str(deployed.world.catalog))


def read_documents(settings: Settings, _: Deployment, __: Tell) -> None:
    """Read every document and report."""
    reader = s3_store(settings)
    for uri in list(reader.list_uris(settings.locations.documents)):
        reader.read(uri)


@pytest.mark.servers
def test_a_refresh_needs_no_more_than_the_policies(done: Done) -> None:
    """To the t that Datomic had at the night."""
    assert done.reached == {"feed-s0": 4836, "feed-s1": 4770}


@pytest.mark.servers
def test_every_call_is_listed(done: Done) -> None:
    """The list of docs/operations.md is what each role asked, and where; Itaipu asks no more than a nightly reader."""
    listed = calls_of_roles()
    of_doctor = listed["copier"] | listed["doctor"]

    seen = {role: done.watched[role].calls for role in ROLES}

    assert seen["copier"] == listed["copier"]
    assert seen["nightly reader"] == listed["nightly reader"]
    assert seen["contracts reader"] == listed["contracts reader"]
    assert seen["doctor"] - listed["copier"] == listed["doctor"]
    assert seen["doctor --write"] - of_doctor == listed["doctor --write"]
    assert done.watched["itaipu"].calls - listed["nightly reader"] == OF_ITAIPU


OF_ITAIPU: set[Call] = {("PutObject", "runs"), ("HeadObject", "runs")}

COMMANDS: dict[str, Command] = {
    "copy": copy_many,
    "status": show_status,
    "contracts": compute_contracts,
    "validate": read_contracts,
    "documents": read_documents,
    "doctor": examine,
    "doctor --write": examine_by_writing,
}
JUDGED: list[tuple[str, Right, str]] = [
    ("copier", ("s3:ListBucket", "runs"), "copy"),
    ("copier", ("s3:ListBucket", "caches"), "copy"),
    ("copier", ("s3:GetObject", "runs"), "copy"),
    ("copier", ("s3:GetObject", "caches"), "status"),
    ("copier", ("s3:GetObject", "segments"), "doctor"),
    ("copier", ("s3:GetObjectTagging", "runs"), "copy"),
    ("copier", ("s3:PutObject", "caches"), "copy"),
    ("copier", ("s3:PutObjectTagging", "caches"), "copy"),
    ("nightly reader", ("s3:ListBucket", "caches"), "contracts"),
    ("nightly reader", ("s3:GetObject", "caches"), "contracts"),
    ("nightly reader", ("s3:GetObject", "segments"), "contracts"),
    ("contracts reader", ("s3:ListBucket", "runs"), "validate"),
    ("contracts reader", ("s3:GetObject", "runs"), "validate"),
    ("contracts reader", ("s3:ListBucket", "caches"), "documents"),
    ("contracts reader", ("s3:GetObject", "caches"), "documents"),
    ("doctor", ("s3:GetBucketVersioning", "caches"), "doctor"),
    ("doctor --write", ("s3:DeleteObjectVersion", "caches"), "doctor --write"),
]
"""Role, a right of it, and the command that fails without it."""
LACKING = {("s3:DeleteObjectVersion", "caches"): "it stays in cache/_doctor/, because nobody here may delete"}
"""Right → what is told instead of the action: that the doctor may not delete is no failure."""
NOT_JUDGED: dict[Right, str] = {
    ("dynamodb:Query", "index"): "DynamoDB Local knows no users; test_rights_of_the_index.py",
    ("s3:ListBucket", "segments"): "S3 tells what is absent only to whom may list; this server tells it to everybody",
    ("s3:GetLifecycleConfiguration", "runs"): "this server has no such rules",
    ("s3:GetLifecycleConfiguration", "caches"): "this server has no such rules",
    ("s3:GetEncryptionConfiguration", "caches"): "this server does not say",
    ("s3:AbortMultipartUpload", "caches"): "what is left of a failed copy is also removed by the bucket's own rule",
    ("s3:DeleteObject", "caches"): "asked for where versions are not kept",
}
"""Right → why no command fails here without it."""


def test_every_right_is_taken_away_once() -> None:
    """Or there is a reason."""
    for role in ROLES:
        judged_here = {right for of, right, _ in JUDGED if of == role}
        assert rights_in(policy_of(role)) - NOT_JUDGED.keys() == judged_here


@pytest.mark.servers
@pytest.mark.parametrize(
    ("role", "right", "command"), JUDGED, ids=[" ".join((role, *right)) for role, right, _ in JUDGED]
)
def test_a_missing_right_is_named(
    deployed: Deployment, capsys: pytest.CaptureFixture[str], role: str, right: Right, command: str
) -> None:
    """By its action, which is allowed again by adding it."""
    profile = deployed.person(without(policy_of(*BESIDE.get(role, ()), role), right))
    told: list[str] = []

    try:
        COMMANDS[command](deployed.settings(aws_profile=profile), deployed, told.append)
    except LogCacheError as error:
        told.append(str(error))

    printed = capsys.readouterr()
    said = "\n".join([*told, printed.out, printed.err])
    assert LACKING.get(right, right[0]) in said, said


@pytest.mark.servers
def test_caches_are_written_and_adopted_with_the_copiers_rights(deployed: Deployment, tmp_path: Path) -> None:
    """`logcache cache` and `logcache adopt` ask for no call that is not the copier's."""
    watched = deployed.watch()
    copier = settings_of(deployed, "copier", watched)
    log = ("--root", "s3://", "--index", f"dynamodb:{TABLE}", "--definitions", str(deployed.world.catalog))

    typed(copier, "cache", *log, "--map", str(tmp_path / "map.json"))
    local.break_(deployed.world.settings, "hand-written-map")
    # Dry: where an object was deleted and versions are kept, this server takes it for one that is still there.
    adopted = adopt.run(copier, databases=(), driver="local", dry_run=True, tell=silent).adopted

    assert [cache.instance for cache in adopted] == ["feed-s0", "feed-s1"]
    assert watched.calls <= calls_of_roles()["copier"]
