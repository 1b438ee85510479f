"""The meanings of the report's words, which the page prints for new readers."""

from collections.abc import Mapping

from logcache_assets.domain.figures import Reason

REASON_MEANINGS: Mapping[Reason, str] = {
    "new-transaction": "A transaction after yesterday's t touched the row's entity.",
    "referred-entity": "A transaction after yesterday's t touched an entity that the row refers to.",
    "renamed-ident": "The name of an enum value or an attribute that the row shows was changed.",
    "excised": "Personal data was deleted from the history, so values are gone; none is new.",
    "definition-changed": "The contract's definition, or the type of an attribute, changed since yesterday.",
    "unexplained": "A fault: the row differs, and nothing in the log or the definition says why.",
    "missed": "A fault: the log changed the row, and today's table does not show it.",
}
"""In the order of summary.REASONS."""

TERMS: Mapping[str, str] = {
    "t": "A database's own clock: it grows with every transaction of an instance.",
    "instance": "One database on one prototype (shard), such as feed-s0.",
    "yesterday, today": "The contracts of the nightly run, and the contracts that are validated.",
    "rows compared": "Keys that exist on either day.",
    "found": "Keys of yesterday that still exist today.",
    "differing": "Rows that were added, are missing, or changed. A row counts once, under its strongest reason.",
    "explained": "Share of the rows that differ, or should differ, whose difference has a reason.",
    "same t": "The contract recomputed at yesterday's t from the candidate's caches; it must equal yesterday's.",
    "pattern": "Rows that differ in the same way on one prototype, so that their common cause can be seen.",
    "token": "Names one row without showing its values. The command logcache reveal TOKEN finds the row; it needs the "
    "data and the key of personal data.",
}
