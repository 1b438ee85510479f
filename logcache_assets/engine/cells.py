"""Fills one column of a contract: asks the facts of an attribute at every row, follows a ref, gives typed cells."""

import polars as pl

from logcache_assets.domain.definitions import IDENT_REF
from logcache_assets.engine.as_of import value_as_of, values_as_of
from logcache_assets.engine.columns import Column
from logcache_assets.engine.layout import EngineError
from logcache_assets.engine.values import hash_texts, parse_values, shown_texts
from logcache_assets.engine.view import InstanceView


def cells_of(view: InstanceView, column: Column, questions: pl.DataFrame, pii_key: bytes) -> pl.Series:
    """The cells of a column, one per question, null where there is no value.

    Args:
        view: the instance to ask.
        column: what to show.
        questions: columns row, e, t, sorted by e and t; row counts from 0.
        pii_key: under which personal data is hashed.

    Raises:
        EngineError: a value that its type cannot hold, with instance, attribute, entity and t.
    """
    own = _facts_about(view, column.attribute.attribute, questions)
    ask = values_as_of if column.many else value_as_of
    match column.attribute.ref:
        case None:
            answers = ask(questions, _typed(own, view, column, pii_key))
        case str(ref) if ref == IDENT_REF:
            answers = ask(questions, _typed(_idents(own, view, column), view, column, pii_key))
        case str(ref):
            answers = _follow(view, column, ref, ask(questions, _entities(own, view, column)), pii_key)
    shown = _lists(answers, column) if column.many else answers.select("row", "shown")
    found = questions.select("row").join(shown, on="row", how="left", maintain_order="left")
    return found["shown"].cast(column.dtype).alias(column.name)


def parsed_facts(view: InstanceView, column: Column) -> pl.DataFrame:
    """All facts of an attribute that is no personal data, with their typed `value`."""
    return _typed(view.facts_of(column.attribute.attribute), view, column, b"")


def _facts_about(view: InstanceView, attribute: str, questions: pl.DataFrame) -> pl.DataFrame:
    """The facts of an attribute that these questions can touch."""
    asked = questions.select("e").unique()
    return view.facts_of(attribute).join(asked, on="e", how="semi", maintain_order="left")


def _entities(refs: pl.DataFrame, view: InstanceView, column: Column) -> pl.DataFrame:
    """Facts of a ref with the referred entity as `value`."""
    values = _parsed(refs, view, column.attribute.attribute, "ref")
    return refs.select("e", "t_from", "t_to", values.alias("value"))


def _idents(refs: pl.DataFrame, view: InstanceView, column: Column) -> pl.DataFrame:
    """Refs to idents as facts with the ident for a text; a ref to what has no name is no value."""
    named = _entities(refs, view, column).join(
        view.schema.idents, left_on="value", right_on="id", how="left", maintain_order="left"
    )
    return named.select("e", "t_from", "t_to", v="ident")


def _follow(view: InstanceView, column: Column, target: str, answers: pl.DataFrame, pii_key: bytes) -> pl.DataFrame:
    """What the referred entities show as of the row's t."""
    questions = answers.select("row", pl.col("value").alias("e"), "t").sort("e", "t")
    return value_as_of(questions, _typed(_facts_about(view, target, questions), view, column, pii_key, target))


def _typed(
    facts: pl.DataFrame, view: InstanceView, column: Column, pii_key: bytes, attribute: str | None = None
) -> pl.DataFrame:
    """Facts with their `value`, by which lists are ordered, and what is `shown` of it."""
    value_type = column.value_type or "string"
    if not column.attribute.pii:
        values = _parsed(facts, view, attribute or column.attribute.attribute, value_type)
        return facts.select("e", "t_from", "t_to", values.alias("value"), values.alias("shown"))
    hashes = hash_texts(shown_texts(facts["v"], value_type), pii_key)
    values = _parsed(facts, view, attribute or column.attribute.attribute, value_type) if column.many else hashes
    return facts.select("e", "t_from", "t_to", values.alias("value"), hashes.alias("shown"))


def _parsed(facts: pl.DataFrame, view: InstanceView, attribute: str, value_type: str) -> pl.Series:
    values = parse_values(facts["v"], value_type)
    wrong = facts.filter(values.is_null() & facts["v"].is_not_null())
    if len(wrong):
        e, t = wrong.select("e", "t_from").row(0)
        raise EngineError(
            f"{view.instance.name}: {attribute} of entity {e} has a value at t {t} that the column of a "
            f":db.type/{value_type} cannot hold; correct it upstream, or take the attribute out of the definition"
        )
    return values


def _lists(answers: pl.DataFrame, column: Column) -> pl.DataFrame:
    """One list per row: distinct and ascending by value, hashes ascending by themselves."""
    distinct = answers.filter(pl.col("value").is_not_null()).sort("row", "value", "shown")
    distinct = distinct.unique(["row", "value"], keep="first", maintain_order=True)
    if column.attribute.pii:
        distinct = distinct.sort("row", "shown")
    return distinct.group_by("row", maintain_order=True).agg("shown")
