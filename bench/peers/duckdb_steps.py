"""The SQL of each step from datoms to a contract, for one instance; DuckDB's dialect.

Tables of instance n: `recent_n` (what the current facts are folded from), `datoms_n` (the whole log), `idents_n`.
How they are made, and in which order the steps run, is duckdb_sql.py. Numbers in comments are CPU seconds for the
2.5 million datoms of one instance, to be compared with each other only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from source import Names, Shown

OPEN = 2**63 - 1
"""The end of a fact that still holds."""
GONE = "chr(1)"
"""Stands for `retracted at this t` among texts, where null means `untouched at this t`."""

AFTER = "arg_max_null(CASE WHEN added THEN v END, 2 * t + added::INT)"
"""The value after a group's last t: its assertion, for an update asserts and retracts; null when it only retracts."""

SQL_TYPES = {
    "long": "BIGINT",
    "ref": "BIGINT",
    "boolean": "BOOLEAN",
    "instant": "TIMESTAMPTZ",
    "double": "DOUBLE",
    "float": "DOUBLE",
    "bigdec": "DECIMAL(38, 9)",
    "bigint": "DECIMAL(38, 0)",
    "bytes": "BLOB",
}


def typed(text: str, value_type: str) -> str:
    """An expression of a canonical text as an expression of its column type."""
    match value_type:
        case "keyword":
            return f"replace(translate(substr({text}, 2), '-.', '__'), '/', '__')"
        case "bytes":
            return f"from_base64({text})"
    return f"{text}::{SQL_TYPES[value_type]}" if value_type in SQL_TYPES else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """One entity's contracts of one instance."""

    n: int
    prototype: str
    names: Names
    key: Shown
    shown: Sequence[Shown]

    def id_of(self, attribute: str) -> int:
        """The entity of an attribute; of one that the log does not have, an id that no datom has."""
        return self.names.attributes.get(attribute, -1)

    def entity(self) -> str:
        """Current values: one conditional aggregation pivots all attributes at once.

        0.36; a table of all current facts and a join per attribute 0.24 + 0.13, but with every text written once more;
        the fold of each (e, a) before the pivot 0.52, by row_number 0.77, of each (e, a, v) 0.71. Lists alone need the
        last one, and they are short.
        """
        ones = [c for c in self.shown if not c.many]
        ids = ", ".join(str(self.id_of(c.attribute)) for c in (self.key, *ones))
        values = "".join(f", {AFTER} FILTER (a = {self.id_of(c.attribute)}) AS {c.name}" for c in ones)
        pivoted = (
            f"SELECT e, {AFTER} FILTER (a = {self.id_of(self.key.attribute)}) AS k{values} "
            f"FROM recent_{self.n} WHERE a IN ({ids}) GROUP BY e HAVING k IS NOT NULL"
        )
        joins = "".join(f" {self._current_join(c)}" for c in self.shown)
        cells = "".join(f", {self._cell(c)} AS {c.name}" for c in self.shown)
        return (
            f"SELECT {typed('p.k', self.key.value_type)} AS {self.key.name}, '{self.prototype}' AS prototype{cells} "
            f"FROM ({pivoted}) p{joins}"
        )

    def _cell(self, column: Shown) -> str:
        if column.many or column.ref:
            return f"j_{column.name}.shown"
        return typed(f"p.{column.name}", column.value_type)

    def _current_join(self, column: Shown) -> str:
        alias, own = f"j_{column.name}", f"p.{column.name}::BIGINT"
        if column.many:
            return f"LEFT JOIN ({self._current_lists(column)}) {alias} ON {alias}.e = p.e"
        if column.ref == "db/ident":
            return f"LEFT JOIN idents_{self.n} {alias} ON {alias}.e = {own}"
        return f"LEFT JOIN ({self._current_target(column)}) {alias} ON {alias}.e = {own}" if column.ref else ""

    def _current_target(self, column: Shown) -> str:
        return (
            f"SELECT e, {typed(AFTER, column.value_type)} AS shown FROM recent_{self.n} "
            f"WHERE a = {self.id_of(column.ref or '')} GROUP BY e"
        )

    def _current_lists(self, column: Shown) -> str:
        facts = (
            f"SELECT e, v FROM recent_{self.n} WHERE a = {self.id_of(column.attribute)} "
            "GROUP BY e, v HAVING arg_max(added, t)"
        )
        match column.ref:
            case None:
                found = f"SELECT e, {typed('v', column.value_type)} AS x FROM ({facts})"
            case "db/ident":
                found = f"SELECT f.e, i.shown AS x FROM ({facts}) f JOIN idents_{self.n} i ON i.e = f.v::BIGINT"
            case _:
                target = self._current_target(column)
                found = f"SELECT f.e, i.shown AS x FROM ({facts}) f JOIN ({target}) i ON i.e = f.v::BIGINT"
        return f"SELECT e, list_sort(list(DISTINCT x)) AS shown FROM ({found}) WHERE x IS NOT NULL GROUP BY e"

    def _changes(self, columns: Sequence[Shown], *, all_ts: bool) -> str:
        """One row for each (e, t) that touches these columns (or anything): the value after t of what t touched.

        A change of cardinality one says its value itself, so nothing is folded; lists come from `_changed_lists`.
        """
        ones = [c for c in columns if not c.many]
        key_id = self.id_of(self.key.attribute)
        touched = f"arg_max(CASE WHEN added THEN v ELSE {GONE} END, added::INT) FILTER (a = %d)"
        values = "".join(f", {touched % self.id_of(c.attribute)} AS {c.name}" for c in ones)
        lists = [c for c in columns if c.many]
        ids = ", ".join(str(self.id_of(c.attribute)) for c in (self.key, *columns))
        only = "" if all_ts else f"WHERE a IN ({ids})"
        found = (
            f"SELECT e, t, any_value(tx_instant) AS tx_instant, {touched % key_id} AS k{values} FROM datoms_{self.n} "
            f"SEMI JOIN (SELECT e FROM datoms_{self.n} WHERE a = {key_id}) USING (e) {only} GROUP BY e, t"
        )
        joins = "".join(f" LEFT JOIN ({self._changed_lists(c)}) l_{c.name} USING (e, t)" for c in lists)
        cells = "".join(f", l_{c.name}.x AS {c.name}" for c in lists)
        return f"SELECT f.*{cells} FROM ({found}) f{joins}"

    def _changed_lists(self, column: Shown) -> str:
        """The list after each t that touches it; empty when nothing is left."""
        facts = (
            f"SELECT e, v, t, added, lead(t, 1, {OPEN}) OVER (PARTITION BY e, v ORDER BY t) AS t_to "
            f"FROM datoms_{self.n} WHERE a = {self.id_of(column.attribute)}"
        )
        value = "f.v::BIGINT" if column.ref else typed("f.v", column.value_type)
        return (
            f"WITH facts AS MATERIALIZED ({facts}) "
            f"SELECT q.e, q.t, coalesce(list_sort(list(DISTINCT {value}) FILTER (f.v IS NOT NULL)), []) AS x "
            "FROM (SELECT DISTINCT e, t FROM facts) q LEFT JOIN (FROM facts WHERE added) f "
            "ON f.e = q.e AND f.t <= q.t AND q.t < f.t_to GROUP BY q.e, q.t"
        )

    def filled(self, columns: Sequence[Shown], *, snapshot: bool) -> str:
        """The changes, and beside them the primary key and, for a snapshot, every value carried forward to each row.

        One window sort serves all columns: 0.58, with the changes 1.6. As-of joins sort once for each column: 2.4.
        Hash joins with each value's interval take 0.8, but preparing the intervals 0.9 and what reads them more.
        """
        carried = [f", last_value({c.name} IGNORE NULLS) OVER w AS {c.name}_now" for c in columns if snapshot]
        kept = "".join(f", {c.name}" for c in columns)
        return (
            f"SELECT e, t, tx_instant{kept}, last_value(nullif(k, {GONE}) IGNORE NULLS) OVER w AS k, "
            f"last_value(k <> {GONE} IGNORE NULLS) OVER w AS alive, "
            f"lead(t) OVER w IS NULL AS is_last{''.join(carried)} FROM ({self._changes(columns, all_ts=snapshot)}) "
            "WINDOW w AS (PARTITION BY e ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
        )

    def history(self, column: Shown, *, filled: str) -> str:
        """One row per change of the attribute."""
        return self._rows([column], f"SELECT * FROM {filled} WHERE {column.name} IS NOT NULL AND k IS NOT NULL")

    def snapshot(self, *, filled: str) -> str:
        """One row per change of the entity."""
        return self._rows(self.shown, f"SELECT * FROM {filled} WHERE alive", suffix="_now")

    def entity_of_snapshot(self, *, filled: str) -> str:
        """An entity's last snapshot, its refs followed at the end: nothing is folded again."""
        last = f"SELECT * REPLACE ({OPEN - 1} AS t) FROM {filled} WHERE alive AND is_last"
        return f"SELECT * EXCLUDE (db__t, db__tx_instant) FROM ({self._rows(self.shown, last, suffix='_now')})"

    def _rows(self, columns: Sequence[Shown], rows: str, *, suffix: str = "") -> str:
        cells = "".join(f", {self._cell_then(c, suffix)} AS {c.name}" for c in columns)
        joins = "".join(self._join_then(c, f"{c.name}{suffix}", rows) for c in columns if c.ref)
        key = typed("p.k", self.key.value_type)
        times = "p.t AS db__t, p.tx_instant AS db__tx_instant"
        keyed = f"SELECT {key} AS {self.key.name}, '{self.prototype}' AS prototype, {times}"
        return f"{keyed}{cells} FROM ({rows}) p{joins}"

    def _cell_then(self, column: Shown, suffix: str) -> str:
        if column.ref:
            return f"j_{column.name}.shown"
        own = f"p.{column.name}{suffix}"
        return f"nullif({own}, [])" if column.many else typed(f"nullif({own}, {GONE})", column.value_type)

    def _join_then(self, column: Shown, value: str, rows: str) -> str:
        """What a ref leads to as of the row's t.

        The target's values hold over intervals, and an equality join with the interval for a residue is a hash join;
        an as-of join would sort the rows by the ref once more.
        """
        joined = f" LEFT JOIN {{}} j_{column.name} ON j_{column.name}.e = "
        if column.many:
            listed = f"SELECT e, t, unnest({value})::BIGINT AS {value} FROM ({rows})"
            found = f"SELECT q.e, q.t, list_sort(list(DISTINCT r.shown)) AS shown FROM ({listed}) q"
            target = f"JOIN {self._target(column)} r ON r.e = q.{value}"
            during = "" if column.ref == "db/ident" else " AND r.t_from <= q.t AND q.t < r.t_to"
            lists = f"({found} {target}{during} GROUP BY q.e, q.t)"
            return joined.format(lists) + f"p.e AND j_{column.name}.t = p.t"
        own = f"nullif(p.{value}, {GONE})::BIGINT"
        during = f" AND j_{column.name}.t_from <= p.t AND p.t < j_{column.name}.t_to"
        return joined.format(self._target(column)) + own + ("" if column.ref == "db/ident" else during)

    def _target(self, column: Shown) -> str:
        """What a ref may lead to: names as of the end, values with the interval over which they hold."""
        if column.ref == "db/ident":
            return f"idents_{self.n}"
        after = f"SELECT e, t AS t_from, {AFTER} AS v FROM datoms_{self.n} WHERE a = {self.id_of(column.ref or '')}"
        ended = f"SELECT *, lead(t_from, 1, {OPEN}) OVER (PARTITION BY e ORDER BY t_from) AS t_to FROM"
        shown = typed("v", column.value_type)
        return f"(SELECT e, t_from, t_to, {shown} AS shown FROM ({ended} ({after} GROUP BY e, t)) WHERE v IS NOT NULL)"
