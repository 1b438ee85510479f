"""What the words of the report mean, for readers who meet it for the first time."""

from collections.abc import Mapping

from logcache_assets.domain.figures import Reason

REASON_MEANINGS: Mapping[Reason, str] = {
    "new-transaction": "A transaction after yesterday's t touched the row's entity.",
    "referred-entity": "A transaction after yesterday's t touched an entity that the row refers to.",
    "renamed-ident": "The name of an enum value or an attribute that the row shows was changed.",
    "excised": "Personal data was deleted from the history: values are gone, none is new.",
    "definition-changed": "The contract's definition, or the type of an attribute, is another than yesterday.",
    "unexplained": "A fault: the row differs, and nothing in the log or the definition says why.",
    "missed": "A fault: the log changed the row, and today's table does not show it.",
}
"""In the order of summary.REASONS."""

TERMS: Mapping[str, str] = {
    "t": "A database's own clock: every transaction of an instance has the next t.",
    "instance": "One database on one prototype (shard), such as feed-s0.",
    "yesterday, today": "The contracts of the nightly run, and the same contracts computed with what is validated.",
    "rows compared": "Keys that either day has.",
    "found": "Keys of yesterday that are there today.",
    "differing": "Rows that are added, missing, or changed. A row counts once, by its strongest reason.",
    "explained": "Rows whose difference has a reason, of all rows that differ or should.",
    "same t": "The contract recomputed at yesterday's t from the candidate's caches; it must be exactly yesterday's.",
    "pattern": "Rows that differ in the same way on one prototype, so that their common cause can be seen.",
    "token": "Stands for one row and shows none of its values. The command logcache reveal TOKEN finds the row, "
    "where the data is and for whoever holds the key.",
}
