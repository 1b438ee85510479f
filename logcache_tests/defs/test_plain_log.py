"""What a command prints while its run goes on: the stages' own lines."""

import dagster as dg
import pytest

from logcache_assets.defs.plain_log import plain_log


@dg.op
def first(context: dg.OpExecutionContext) -> int:
    """Says something and fails."""
    context.log.info("Chose a night")
    context.log.warning("Passed over another")
    context.log.debug("a detail")
    raise dg.Failure("no night is good")


@dg.op
def second(number: int) -> int:
    """Is left out because the first failed."""
    return number


@dg.job(logger_defs={"plain": plain_log})
def refresh() -> None:
    """Two stages."""
    second(first())


def test_only_the_stages_own_lines_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither Dagster's events nor its line about each stage that the failure left out."""
    result = refresh.execute_in_process(run_config={"loggers": {"plain": {}}}, raise_on_error=False)

    assert not result.success
    assert capsys.readouterr().err == "  Chose a night\n  Passed over another\n"
