"""Recomputes the contracts of a past night and compares them with what it wrote; part of `logcache shadow`.

Nothing is written outside the driver's scratch folder. What cannot be computed or read is told of that contract.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import polars as pl

from logcache_assets.domain.contract_definitions import ContractTable, DatabaseDefinition, contract_tables
from logcache_assets.domain.figures import ContractFigures, PrototypeFigures, sum_columns
from logcache_assets.domain.instances import Instance
from logcache_assets.domain.names import raw_log_dataset
from logcache_assets.domain.segments import Segment
from logcache_assets.domain.shadow import ShadowColumn, ShadowContract, ShadowRule
from logcache_assets.domain.transactions import DatasetState, Transaction
from logcache_assets.domain.wording import count_of
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.contract_files import Table, open_table
from logcache_assets.engine.contracts.build_contracts import BuiltContract, ContractBuild, build_contracts
from logcache_assets.engine.drivers.driver import Folder
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.explain.causes import row_columns
from logcache_assets.engine.log.log_op import CachePolicy, LogSource
from logcache_assets.engine.raw.log_as_segment import WrittenSegments, write_log_as_segment
from logcache_assets.engine.storage.parquet import list_parquet
from logcache_assets.engine.storage.schemas import column_types
from logcache_assets.errors import LogCacheError

COMPUTED, SAME_COLUMNS, SAME_TYPES, SAME_ROWS, SAME_VALUES = (
    "computed",
    "same columns",
    "same types",
    "same rows",
    "same values",
)
"""The rules, each worth asking only where those before it could be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastContracts:
    """A database on some prototypes, as a night computed it."""

    definition: DatabaseDefinition
    """With the prototypes that are recomputed alone."""
    sources: tuple[LogSource, ...]
    """Their segments, up to where the night read."""
    night: Transaction
    pii_key: bytes | None
    """None if the deployment's key is not known; then columns of personal data are not compared."""
    token_key: bytes

    def compare(self, at: Runtime) -> tuple[tuple[ShadowContract, ...], str]:
        """Compare every contract of the definition.

        Returns:
            The contracts, and why they were computed from the night's raw logs instead of segments; empty if not.
        """
        out = at.driver.scratch.at(f"shadow/{self.night.id}/{self.definition.database}")
        built, why = self._each_built(self.sources, at, out.at("segments")), ""
        if all(isinstance(found, str) for found in built.values()):
            why = str(next(iter(built.values())))
            again = self._from_raw_logs(at, out.at("raw-logs"))
            built, why = (again, why) if again else (built, "")
        compared = (self._compared(table, built[table.dataset], at) for table in contract_tables(self.definition))
        return tuple(msgspec.structs.replace(c, computed_from="raw log" if why else "segments") for c in compared), why

    def _each_built(self, sources: tuple[LogSource, ...], at: Runtime, out: Folder) -> dict[str, BuiltContract | str]:
        """Dataset → its table, or why there is none; one entity that cannot be computed hides no other."""
        built = dict(self._built(self.definition, sources, at, out.at("whole")))
        if any(isinstance(found, str) for found in built.values()):
            for entity in self.definition.entities:
                alone = msgspec.structs.replace(self.definition, entities=(entity,))
                built.update(self._built(alone, sources, at, out.at(f"alone/{entity.name}")))
        return built

    def _from_raw_logs(self, at: Runtime, out: Folder) -> dict[str, BuiltContract | str] | None:
        """What `_each_built` gives from the night's raw logs; None if they do not help either."""
        try:
            written = {i: self._raw_as_segment(i, at, out.at(f"logs/{i.name}")) for i in self.definition.instances}
        except LogCacheError:
            return None
        index = WrittenSegments(written)
        sources = tuple(LogSource(instance=instance, index=index) for instance in written)
        built = self._each_built(sources, dataclasses.replace(at, store=out.store), out)
        return None if all(isinstance(found, str) for found in built.values()) else built

    def _raw_as_segment(self, instance: Instance, at: Runtime, out: Folder) -> Segment:
        dataset = self.night.datasets.get(raw_log_dataset(instance))
        uris = list_parquet(dataset.path, at.store) if dataset and dataset.path else ()
        return write_log_as_segment(instance, uris, store=at.store, out=out, read_at=self.night.started_at)

    def _built(
        self, definition: DatabaseDefinition, sources: tuple[LogSource, ...], at: Runtime, out: Folder
    ) -> Mapping[str, BuiltContract | str]:
        """Dataset → its table, or why there is none."""
        build = ContractBuild(
            definition=definition,
            sources=sources,
            pii_key=self.pii_key or self.token_key,
            policy=CachePolicy.STRICT,
        )
        try:
            found = build_contracts(
                build, store=at.store, out=out, driver=at.driver, warn=at.warn, progress=at.progress
            )
        except LogCacheError as error:
            return {table.dataset: str(error) for table in contract_tables(definition)}
        return {contract.table.dataset: contract for contract in found}

    def _compared(self, table: ContractTable, built: BuiltContract | str, at: Runtime) -> ShadowContract:
        unknown = ShadowContract(dataset=table.dataset, prototypes=self.definition.prototypes, rules=())
        if isinstance(built, str):
            return _not_compared(unknown, f"the engine could not compute it: {built}")
        unknown = msgspec.structs.replace(unknown, our_rows=built.rows)
        dataset = self.night.datasets.get(table.dataset)
        if dataset is None or dataset.state is not DatasetState.COMMITTED or not dataset.path:
            return _not_compared(unknown, f"the night has none: it is {dataset.state if dataset else 'absent'}")
        if self._unchecked(table) & set(table.key):
            return _not_compared(unknown, "its key is personal data, and the deployment's key is not known")
        try:
            night = open_table(dataset.path, at.store, key=table.key)
            folder = built.files[0].uri.rpartition("/")[0]
            ours = open_table(folder, at.driver.scratch.store, key=table.key)
            figures = self._figures(table, night, ours, at)
        except LogCacheError as error:
            return _not_compared(unknown, f"the night's table could not be compared: {error}")
        return _with_rules(unknown, night.schema, ours.schema, figures, self._unchecked(table))

    def _figures(self, table: ContractTable, night: Table, ours: Table, at: Runtime) -> ContractFigures:
        comparison = Comparison(
            yesterday=night,
            today=ours,
            key=table.key,
            row_columns=row_columns(table),
            token_key=self.token_key,
            as_multisets=True,
            expected={name: dtype for name, dtype in ours.schema.items() if name not in self._unchecked(table)},
        )
        scratch = at.driver.scratch.at(f"shadow-comparison/{self.night.id}/{table.dataset}")
        return compare_tables(comparison, at.driver, scratch).figures

    def _unchecked(self, table: ContractTable) -> frozenset[str]:
        """Columns whose hashes nobody can verify here."""
        return frozenset() if self.pii_key else frozenset(a.column for a in table.attributes if a.pii)


def _not_compared(contract: ShadowContract, why: str) -> ShadowContract:
    return msgspec.structs.replace(contract, rules=(ShadowRule(rule=COMPUTED, holds="unknown", found=why),))


def _with_rules(
    contract: ShadowContract,
    night: pl.Schema,
    ours: pl.Schema,
    figures: ContractFigures,
    unchecked: frozenset[str],
) -> ShadowContract:
    """The contract with every rule's answer, from the figures of the recomputed prototypes."""
    own = [f for prototype, f in (figures.prototypes or {}).items() if prototype in contract.prototypes]
    cells = {name: found for name, found in sum_columns(f.columns for f in own).items() if name not in unchecked}
    night_types, our_types = column_types(night), column_types(ours)
    names = [*our_types, *(name for name in night_types if name not in our_types)]
    columns = [
        ShadowColumn(
            name=name,
            night_type=night_types.get(name),
            our_type=our_types.get(name),
            changed=cells[name].changed if name in cells else 0,
            only_night=cells[name].to_null if name in cells else 0,
            only_ours=cells[name].from_null if name in cells else 0,
        )
        for name in names
    ]
    return msgspec.structs.replace(
        contract,
        night_rows=sum(f.yesterday_rows for f in own) if own else None,
        rules=tuple(_rules(figures, own, columns, unchecked)),
        columns=tuple(c for c in columns if c.night_type != c.our_type or c.changed or c.only_night or c.only_ours),
    )


def _rules(
    figures: ContractFigures,
    own: Sequence[PrototypeFigures],
    columns: Sequence[ShadowColumn],
    unchecked: frozenset[str],
) -> Iterator[ShadowRule]:
    lacking = [c.name for c in columns if c.night_type is None]
    more = [c.name for c in columns if c.our_type is None]
    told = [f"the night has no {', '.join(lacking)}"] if lacking else []
    told += [f"it also has {', '.join(more)}"] if more else []
    yield _rule(SAME_COLUMNS, "; ".join(told) or count_of(len(columns), "column"), holds=not told)
    retyped = [c for c in columns if c.night_type and c.our_type and c.night_type != c.our_type]
    types = ", ".join(f"{c.name} is {c.night_type}, ours {c.our_type}" for c in retyped)
    yield _rule(SAME_TYPES, types or "all", holds=not retyped)
    if figures.prototypes is None:
        yield ShadowRule(rule=SAME_ROWS, holds="unknown", found="the night's keys are null or repeated")
        return
    missing, added, changed = (sum(getattr(f, name) for f in own) for name in ("missing", "added", "changed"))
    rows = sum(f.yesterday_rows for f in own)
    yield _rule(
        SAME_ROWS,
        f"{rows:,} rows; {missing:,} of the night's are not ours, {added:,} of ours not the night's",
        holds=not missing and not added,
    )
    differing = [f"{c.name} in {c.changed + c.only_night + c.only_ours:,}" for c in columns if _differs(c)]
    hidden = f"; not compared without the key of personal data: {', '.join(sorted(unchecked))}" if unchecked else ""
    yield _rule(
        SAME_VALUES,
        (f"{changed:,} rows differ: {', '.join(differing) or 'in columns of other types'}" if changed else "all")
        + hidden,
        holds=not changed,
    )


def _differs(column: ShadowColumn) -> bool:
    return bool(column.changed or column.only_night or column.only_ours)


def _rule(rule: str, found: str, *, holds: bool) -> ShadowRule:
    return ShadowRule(rule=rule, holds="yes" if holds else "no", found=found)
