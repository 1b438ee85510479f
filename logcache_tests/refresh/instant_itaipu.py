"""An Itaipu that computes nothing: its runs open a transaction in a world's metapod and leave datasets in any state."""

from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import override

from logcache_assets.domain.transactions import DatasetState, TransactionType
from logcache_assets.local_platform.world import World
from logcache_assets.local_platform.world_history import open_transaction
from logcache_assets.ports import EarlierTestRun, FinishedTestRun, Itaipu, ItaipuUnavailable, Tell


class KilledError(BaseException):
    """The process ends here, as by SIGKILL: nothing handles it."""


@dataclass
class InstantItaipu(Itaipu):
    """Its runs have one dataset per name, in the given state."""

    world: World
    datasets: dict[str, DatasetState]
    killed: str = ""
    """Where the refresh is killed: `unnamed` or `named`, that is before or after it wrote the transaction down."""
    begun: dict[str, str] = field(default_factory=dict)
    """Token → transaction, which the run's output names."""
    is_running: bool | None = False
    stopped: list[str] = field(default_factory=list)
    """Transactions of the runs that were stopped."""
    stopped_by: list[str | None] = field(default_factory=list)
    """The transactions by which they were."""
    is_stoppable: bool = True
    is_dying: bool = False
    """Whether the refresh is being killed."""
    fault: BaseException | None = None
    """Ends a run after it has named its transaction."""

    @override
    def test_run(
        self,
        *,
        version: str,
        dataset_prefix: str,
        tell: Tell,
        token: str | None = None,
        named: Callable[[str], None] = lambda _: None,
    ) -> FinishedTestRun:
        now = self.world.clock.now()
        transaction = open_transaction(self.world, TransactionType.CUSTOM, name="logcache", started_at=now)
        if token is not None:
            self.begun[token] = transaction
        for name, state in self.datasets.items():
            leave_dataset(self.world, transaction, name, state)
        if self.killed == "unnamed":
            raise KilledError
        named(transaction)
        if self.killed:
            self.is_dying = True
            raise KilledError
        if self.fault:
            raise self.fault
        return FinishedTestRun(transaction=transaction, aborted={})

    @override
    def find_run(self, token: str, *, version: str) -> EarlierTestRun | None:
        if token not in self.begun:
            return None
        return EarlierTestRun(transaction=self.begun[token], is_running=self.is_running, failures=())

    @override
    def stop_run(self, token: str, *, version: str, transaction: str | None, tell: Tell) -> None:
        if self.is_dying:  # who was killed stops nothing
            self.is_dying = False
            raise KilledError
        if not self.is_stoppable:
            raise ItaipuUnavailable("Run by hand: sabesp jobs stop staging logcache")
        self.stopped.append(self.begun[token])
        self.stopped_by.append(transaction)


def leave_dataset(world: World, transaction: str, name: str, state: DatasetState) -> None:
    """Register a dataset and bring it into a state."""
    metapod, now = world.metapod_store, world.clock.now()
    metapod.register_dataset(transaction, name)
    if state is DatasetState.COMMITTED:
        metapod.commit_dataset(transaction, name, path=f"s3://ephemeral/{name}", columns=(), committed_at=now)
    elif state is DatasetState.ABORTED:
        metapod.abort_dataset(transaction, name, aborted_at=now)
