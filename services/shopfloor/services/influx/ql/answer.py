"""Answering statements: SELECT from `rows` or `buckets`, SHOW from the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shopfloor.services.influx.ql import buckets, rows
from shopfloor.services.influx.ql.conditions import USABLE, matching, without
from shopfloor.services.influx.ql.index import Entry, chosen
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.series import Series, Store
from shopfloor.services.influx.ql.show import show
from shopfloor.services.influx.ql.syntax import (
    Call,
    Column,
    Condition,
    Create,
    Field,
    Regex,
    Select,
    Show,
    Statement,
    calls,
    fields,
)


def answer(store: Store, statement: Statement, database: str) -> list[Series]:
    """The series of an answer. What cannot be answered raises `QueryError`."""
    if isinstance(statement, Create):
        return []
    database = statement.database or database
    if isinstance(statement, Show):
        return show(store, statement, database)
    if not database:
        raise QueryError("database name required: add the parameter db, or name it as in FROM db..measurement")
    return _select(store, statement, database)


def _select(store: Store, select: Select, database: str) -> list[Series]:
    answers: list[Series] = []
    measurements = sorted(store.index.measurements(database, select.sources).items(), reverse=select.portion.descending)
    expanded = _expanded(store, select, [entry for _, entries in measurements for entry in entries])
    for name, entries in measurements:
        found = matching(store.index, entries, _condition(expanded, entries))
        groups = _groups(found, select.group.tags, descending=select.portion.descending)
        way = buckets.answer if any(calls(column.expression) for column in expanded.columns) else rows.answer
        if expanded.columns and groups:
            answers += way(store, expanded, name, groups)
    portion = select.portion
    end = portion.series_offset + portion.series_limit if portion.series_limit else None
    return answers[portion.series_offset : end]


def _condition(select: Select, entries: list[Entry]) -> Condition:
    """The condition without what aggregates of the plant's own numbers imply: those come from rollups then."""
    wanted = {call.field for column in select.columns for call in calls(column.expression)}
    implied = bool(wanted) and wanted <= {"value", "integer"} and all("" in entry.paths for entry in entries)
    return without(select.where.condition, USABLE) if implied else select.where.condition


def _groups(
    entries: list[Entry], tags: Sequence[str | Regex] | None, *, descending: bool
) -> dict[tuple[tuple[str, str], ...], list[Entry]]:
    """Series by the tags that they are grouped by, in their order, or the other way round as InfluxDB does."""
    known = sorted({tag for entry in entries for tag in entry.tags})
    keys = known if tags is None else chosen(known, tags)
    groups: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple((key, entry.tags.get(key, "")) for key in sorted(keys)), []).append(entry)
    return dict(sorted(groups.items(), reverse=descending))


def _expanded(store: Store, select: Select, entries: list[Entry]) -> Select:
    """The statement with every * as what it stands for."""
    wild = [
        c for c in select.columns if Field("*") in fields(c.expression) or "*" in {k.field for k in calls(c.expression)}
    ]
    if not wild:
        return select
    known = {name: place for entry in entries for name, place in store.index.fields(entry).items()}
    grouped = select.group.tags
    tags = {tag for entry in entries for tag in entry.tags} if grouped is not None else set()
    tags -= set(chosen(sorted(tags), grouped or ()))
    columns: list[Column] = []
    for column in select.columns:
        if column.expression == Field("*"):
            columns += [Column(Field(name)) for name in sorted(tags | known.keys())]
        elif isinstance(column.expression, Call) and column.expression.field == "*":
            call = column.expression
            usable = [name for name in sorted(known) if buckets.takes(call.function, known[name])]
            columns += [Column(Call(call.function, name), f"{call.function}_{name}") for name in usable]
        elif column in wild:
            raise QueryError("* inside arithmetic is not answered here: name the fields")
        else:
            columns.append(column)
    return replace(select, columns=tuple(columns))
