"""The local platform's `sabesp` executable: it has the bank's command line and log lines, and computes datasets.

    sabesp --aurora-stack=STACK jobs itaipu staging NAME IN/ OUT/ MACHINES --itaipu=SHA --filter-by-prefix PREFIX
    sabesp --aurora-stack=STACK jobs stop staging NAME

The second ends what the first began under that name, also if it was killed: the process, and every dataset that it left
unfinished. In production LOGCACHE_SABESP names the bank's own executable; this one only knows the local world.
"""

import argparse
import signal
import sys
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from logcache_assets.domain.transactions import TransactionType
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.log.log_op import CachePolicy
from logcache_assets.errors import BadInput, LogCacheError
from logcache_assets.local_platform.aurora_jobs import AuroraJobs
from logcache_assets.local_platform.itaipu_run import ItaipuRun, abort_unfinished, check_out
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import open_transaction
from logcache_assets.settings import load_settings

NODE_TYPE = "m4.2xlarge"


def build_parser() -> argparse.ArgumentParser:
    """The command line of the two jobs that are supported."""
    parser = argparse.ArgumentParser(prog="sabesp", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--aurora-stack", required=True)
    jobs = (
        parser.add_subparsers(dest="group", required=True).add_parser("jobs").add_subparsers(dest="job", required=True)
    )
    stop = jobs.add_parser("stop")
    stop.add_argument("environment", choices=["staging"])
    stop.add_argument("name", type=_name)
    itaipu = jobs.add_parser("itaipu")
    itaipu.add_argument("environment", choices=["staging"])
    itaipu.add_argument("name", type=_name)
    itaipu.add_argument("in_uri", metavar="IN/")
    itaipu.add_argument("out_uri", metavar="OUT/")
    itaipu.add_argument("machines", type=int)
    itaipu.add_argument("--itaipu", required=True, metavar="SHA")
    itaipu.add_argument("--filter-by-prefix", required=True, metavar="PREFIX")
    return parser


def _name(text: str) -> str:
    """A job's name, which is a folder's, too."""
    if not text or "/" in text or text.startswith("."):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a job")
    return text


class _Console:
    """Prints log lines in the real format, with the world's time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def say(self, line: str) -> None:
        now = self._world.clock.now()
        sys.stdout.write(f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03d} {line}\n")
        sys.stdout.flush()


def run(options: argparse.Namespace, world: World) -> int:
    """Scale up, run Itaipu, commit datasets; returns the exit code."""
    console = _Console(world)
    now = world.clock.now()
    check_out(world.repository, options.itaipu)
    console.say(f"Scaling up the cluster {options.machines} {NODE_TYPE} nodes")
    for line in _scale_up(options.name, now):
        console.say(line)
    transaction = open_transaction(world, TransactionType.CUSTOM, name=options.name, started_at=now)
    console.say(
        f"Running Itaipu with the following args: {options.in_uri} {options.out_uri} --transaction {transaction} "
        f"--version {options.itaipu} --filter-by-prefix {options.filter_by_prefix} --skip-placeholder-ops"
    )
    ItaipuRun(
        world=world,
        transaction=transaction,
        version=options.itaipu,
        out_uri=options.out_uri.replace("s3a://", "s3://"),
        prefixes=(options.filter_by_prefix,),
        policy=CachePolicy.STRICT,
        tell=console.say,
    ).compute()
    return 0


def stop(options: argparse.Namespace, world: World) -> int:
    """End the jobs of a name, abort what they left unfinished, and scale down; returns the exit code."""
    console = _Console(world)
    ended = AuroraJobs(world.files.aurora_jobs).end(options.name)
    console.say(f"killed {count_of(ended, 'task')} of itaipu-{options.name}")
    aborted = 0
    for transaction in world.metapod_store.find_transactions(types=[TransactionType.CUSTOM]):
        if transaction.name == options.name:
            aborted += abort_unfinished(world, transaction.id)
    console.say(f"aborted {count_of(aborted, 'dataset')}")
    console.say(f"Scaling down the cluster of {options.name} to 0 nodes")
    return 0


def _scale_up(name: str, now: datetime) -> tuple[str, str]:
    task = f"scale-ec2-itaipu-{name}"
    task_id = f"jobs-staging-{task}-0-{uuid.uuid5(uuid.NAMESPACE_URL, task + now.isoformat())}"
    start, end = now - timedelta(seconds=20), now - timedelta(seconds=10)
    return (
        f"checking job aurora/jobs/staging/{task} status.",
        (
            f"task {task} id: {task_id} finished with total_time: 0:00:10 status: FINISHED "
            f"end_time: {end:%Y-%m-%d %H:%M:%S} start_time: {start:%Y-%m-%d %H:%M:%S}"
        ),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the console script. Exit codes: 0 the job ran, 1 refused with a reason, 2 wrong usage."""
    options = build_parser().parse_args(argv)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        world = World(load_settings())
        world.require()
        if options.job == "stop":
            return stop(options, world)
        if not options.out_uri.endswith("/") or not options.in_uri.endswith("/"):
            raise BadInput("IN/ and OUT/ are buckets and end with a slash, for example s3a://bucket/")
        with AuroraJobs(world.files.aurora_jobs).running(options.name):
            return run(options, world)
    except LogCacheError as error:
        sys.stderr.write(f"sabesp: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
