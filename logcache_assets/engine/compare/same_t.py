"""Same t, same table: recomputes yesterday's contracts from the candidate's caches, which must give the same tables."""

from collections.abc import Mapping

from logcache_assets.domain.figures import ContractFigures, SameT
from logcache_assets.engine.compare.compare_tables import compare_tables
from logcache_assets.engine.compare.comparison import Comparison
from logcache_assets.engine.compare.contract_files import Table, open_table
from logcache_assets.engine.contracts.build_contracts import ContractBuild, build_contracts
from logcache_assets.engine.drivers.runtime import Runtime
from logcache_assets.engine.explain.causes import row_columns


def compare_same_t(
    build: ContractBuild, yesterday: Mapping[str, Table], *, token_key: bytes, runtime: Runtime
) -> dict[str, SameT]:
    """Recompute contracts at yesterday's t and compare them with yesterday's: this tests the caches and nothing else.

    Args:
        build: yesterday's definition, the prototypes to compare, and their caches, until yesterday's t.
        yesterday: dataset → yesterday's table.
        token_key: the key for row tokens.
        runtime: where the work is done.

    Returns:
        Dataset → the result, for the datasets in `yesterday`.

    Raises:
        CacheError: a cache cannot be used, so it is not tested.
        EngineError: a log is incomplete, or a file is unreadable.
    """
    driver, out = runtime.driver, runtime.driver.scratch.at("same-t")
    built = build_contracts(
        build, store=runtime.store, out=out, driver=driver, warn=runtime.warn, progress=runtime.progress
    )
    found = {}
    for contract in built:
        name = contract.table.dataset
        if name in yesterday:
            again = open_table(out.at(name).uri, out.store)
            pair = Comparison(
                yesterday=yesterday[name],
                today=again,
                key=contract.table.key,
                row_columns=row_columns(contract.table),
                token_key=token_key,
                as_multisets=True,
            )
            figures = compare_tables(pair, driver, driver.scratch.at(f"same-t-comparison/{name}")).figures
            found[name] = _same_t(figures, build.definition.prototypes)
    return found


def _same_t(figures: ContractFigures, prototypes: tuple[str, ...]) -> SameT:
    """The result over the recomputed prototypes; rows of others do not count."""
    own = [f for prototype, f in (figures.prototypes or {}).items() if prototype in prototypes]
    differing = sum(f.missing + f.added + f.changed for f in own)
    if figures.prototypes is None:
        differing = max(1, abs(figures.today.rows - figures.yesterday.rows), figures.today.duplicate_keys)
    columns = sorted({name for f in own for name, cells in f.columns.items() if cells.equal < cells.compared})
    rows = sum(f.yesterday_rows for f in own)
    return SameT(prototypes=prototypes, rows=rows, differing=differing, columns=tuple(columns))
