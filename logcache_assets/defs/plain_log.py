"""A Dagster logger that prints the stages' own lines and none of Dagster's events.

It reads `dagster_meta`, which Dagster sets on every log record and does not mark as public: `dagster_event` is an event
of Dagster, `orig_message` the line as the stage wrote it. Without it every line would be printed with its run id.
"""

import logging
import sys

import dagster as dg

from logcache_assets.domain.plain_text import plain_text

NOT_RUN = "Dependencies for step "
"""How Dagster begins its line about a stage that it leaves out because an earlier one failed."""


class _PlainWords(logging.Filter):
    """Keeps lines of `context.log`.

    Dagster's own records carry an event, except those about the stages after a failed one: the command ends with the
    reason of the failure, which says more.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        meta = getattr(record, "dagster_meta", {})
        return not meta.get("dagster_event") and not str(meta.get("orig_message", "")).startswith(NOT_RUN)


@dg.logger({"indent": dg.Field(str, default_value="  ", is_required=False)})
def plain_log(context: dg.InitLoggerContext) -> logging.Logger:
    """Prints the stages' own lines of level INFO and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_PlainWords())
    handler.setFormatter(_OwnMessage(context.logger_config["indent"]))
    logger = logging.Logger("plain", level=logging.INFO)  # noqa: LOG001 - Dagster makes one per run
    logger.addHandler(handler)
    return logger


class _OwnMessage(logging.Formatter):
    """Formats a line as the stage wrote it, without run ids in front."""

    def __init__(self, indent: str) -> None:
        super().__init__()
        self._indent = indent

    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        return plain_text(f"{self._indent}{meta.get('orig_message', record.getMessage())}")
