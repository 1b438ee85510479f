"""What Dagit shows of a refusal: a sentence with the cause first, and every problem as a row of a table.

A stage that refuses raises `failure_of(error)`. Dagster adds one stack trace to it, and nothing below the step runs.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import dagster as dg

from logcache_assets.domain.documents import RejectedTransaction
from logcache_assets.domain.problems import Problem
from logcache_assets.domain.refusals import Row, rows_of
from logcache_assets.errors import LogCacheError
from logcache_assets.runbook_file import load_runbook

LEFT_OUT_DATABASES = "databases"
"""Names, in the metadata of a failure, the databases that a refresh left out."""
SHOWN_ROWS = 50
"""How many rows a table of Dagit shows; the report has all of them."""

Shown = Mapping[str, dg.MetadataValue[Any]]


def failure_of(error: LogCacheError, shown: Shown | None = None) -> dg.Failure:
    """The failure of a step, without retries. Raise it `from None`, or Dagit shows a second stack trace.

    What a library said before is left out: Dagster would store it, and it may quote values.

    Args:
        error: its message is the sentence, its problems are the rows.
        shown: links and tables that help to find the cause.
    """
    table = {"problems": problems_table(error.problems)} if error.problems else {}
    metadata = {**table, **(shown or {}), **runbook_section(str(error))}
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=False)


def runbook_section(message: str) -> Shown:
    """The section of the runbook about a message; nothing if there is none."""
    answer = load_runbook().answer_to(message)
    return {"runbook": dg.MetadataValue.md(f"**{answer.heading}**\n\n{answer.text}")} if answer else {}


def problems_table(problems: Iterable[Problem]) -> dg.MetadataValue[Any]:
    """One row per problem."""
    rows = [_record(row) for row in islice(rows_of(problems), SHOWN_ROWS)]
    return dg.MetadataValue.table(
        rows, schema=_schema("database", "subject", "rule", "found", "expected", "what to do")
    )


def _record(row: Row) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "database": row.database,
            "subject": row.subject,
            "rule": row.rule,
            "found": row.found,
            "expected": row.expected,
            "what to do": row.remedy,
        }
    )


def rejected_table(rejected: Iterable[RejectedTransaction]) -> dg.MetadataValue[Any]:
    """The transactions that were not chosen, one row each."""
    rows = [
        dg.TableRecord(
            {
                "transaction": each.transaction,
                "type": each.type,
                "started": f"{each.started_at:%Y-%m-%d %H:%M} UTC",
                "reasons": "; ".join(each.reasons),
            }
        )
        for each in islice(rejected, SHOWN_ROWS)
    ]
    return dg.MetadataValue.table(rows, schema=_schema("transaction", "type", "started", "reasons"))


def _schema(*columns: str) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(column) for column in columns])
