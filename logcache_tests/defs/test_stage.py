"""What all stages share: a refusal is stored as its sentence."""

import dagster as dg

from logcache_assets.defs.stage import refusals_fail_the_asset
from logcache_assets.errors import BadInput

VALUE = "a personal number"


@dg.op
def refuses() -> None:
    """Refuses a file, as a reader does whose library quoted a value."""
    with refusals_fail_the_asset():
        try:
            int(VALUE)
        except ValueError as error:
            raise BadInput("x.parquet is damaged \x1b[31m(ValueError)") from error


@dg.job
def reading() -> None:
    """One stage."""
    refuses()


def test_the_words_of_a_library_are_not_stored() -> None:
    """Dagster stores the failure with its causes; ours has none, and its sentence is plain text."""
    result = reading.execute_in_process(raise_on_error=False)

    (failed,) = (event for event in result.all_events if event.is_step_failure)
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == "x.parquet is damaged (ValueError)"
    assert VALUE not in "".join(dg.serialize_value(event) for event in result.all_events)
