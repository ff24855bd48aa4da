"""A table with roles as arrays: ordered rows, numeric inputs, groups, time, target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.roles import LearnError, Roles, Task
from shopfloor.models.learn.table import Table, check_columns, codes, is_text
from shopfloor.models.spec.memory import Floats, Ints

_FEW_CLASSES: Final = 20
_HOUR: Final = 3.6e12
_DAY: Final = 24 * _HOUR
_FINE: Final = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """n rows, ordered by unit and time.

    inputs, levels    names of the inputs, and the texts of those that hold text (their value is the rank)
    values            [n, inputs] float64; NaN where missing
    unit, group       [n] what a memory belongs to (asset and run), and what a split keeps together (asset, else run)
    groups            the names of the groups
    time, step        [n] int64, and one step of it; `per_target`: how much of it is one unit of remaining life
    per_day           rows of one unit in a day, when time is in timestamps
    target, classes   [n] float64 (a class by its rank), and the names of the classes
    row               [n] where the row was in the table
    """

    task: Task
    inputs: tuple[str, ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]
    values: Floats
    unit: Ints
    group: Ints
    groups: tuple[str, ...]
    time: Ints
    step: float
    per_target: float
    per_day: float | None
    target: Floats
    classes: tuple[str, ...]
    row: Ints

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: NDArray[Any]) -> Data:
        """The chosen rows, in order."""
        parts = {name: getattr(self, name)[rows] for name in ("values", "unit", "group", "time", "target", "row")}
        return replace(self, **parts)

    def only(self, inputs: tuple[str, ...]) -> Data:
        """Without the other inputs."""
        where = [self.inputs.index(name) for name in inputs]
        levels = tuple(level for level in self.levels if level[0] in inputs)
        return replace(self, inputs=inputs, values=self.values[:, where], levels=levels)

    @property
    def remembers(self) -> bool:
        """Whether rows of a unit follow each other, so that a memory means something."""
        return len(np.unique(self.unit)) < len(self)


def task_of(table: Table, roles: Roles) -> Task:
    """What is to be learned, from the roles or from the target's values."""
    if roles.task:
        return roles.task
    if roles.target is None:
        if roles.healthy is None:
            raise LearnError("Nothing says what to learn: name a target, ask for remaining life, or a healthy span.")
        return "novelty"
    values = table[roles.target]
    if is_text(values):
        return "class"
    known = np.unique(values[np.isfinite(values)])
    return "class" if len(known) <= _FEW_CLASSES and np.all(known == np.round(known)) else "number"


def read(table: Table, roles: Roles, like: Data | None = None) -> Data:
    """The rows of a table; with `like`, its inputs, texts and classes are used, and no target is needed."""
    check_columns(table, roles if like is None else replace(roles, target=None, task=None, sensors=(), ignore=()))
    task = task_of(table, roles) if like is None else like.task
    unit, group, groups = _units(table, roles)
    time, per_target, per_day = _time(table, roles, unit)
    inputs = _inputs(table, roles) if like is None else like.inputs
    values, levels = _values(table, inputs, dict(like.levels) if like else None)
    target, classes = _target(table, roles, task, like)
    data = Data(
        task, inputs, levels, values, unit, group, groups, time, 1.0, per_target, None, target, classes,
        np.arange(len(unit)),
    )  # fmt: skip
    data = _ordered(data)
    step = _step(data) if like is None else like.step
    data = replace(data, step=step, per_day=None if per_day is None else per_day / step)
    return _with_target(data, roles) if like is None else data


def _units(table: Table, roles: Roles) -> tuple[Ints, Ints, tuple[str, ...]]:
    rows = len(next(iter(table.values())))
    kept = [codes(table[name]) for name in (roles.asset, roles.run) if name]
    if not kept:
        unit = np.arange(rows) if roles.independent else np.zeros(rows, np.int64)
        return unit, unit, ()
    unit = np.unique(np.stack([code for code, _ in kept]), axis=1, return_inverse=True)[1].reshape(-1)
    return unit.astype(np.int64), kept[0][0], kept[0][1]


def _time(table: Table, roles: Roles, unit: Ints) -> tuple[Ints, float, float | None]:
    """Time as int64, how much of it is one unit of the target, and a day in it."""
    if roles.time is None:
        return np.arange(len(unit), dtype=np.int64), 1.0, None
    values = table[roles.time]
    if values.dtype.kind == "M":
        return values.astype("datetime64[ns]").astype(np.int64), _HOUR, _DAY
    if is_text(values) or not np.isfinite(values).all():
        raise LearnError(f"{roles.time!r} is no time: expected timestamps (ISO 8601) or a number in every row.")
    if np.all(values == np.round(values)):
        return values.astype(np.int64), 1.0, None
    return np.round((values - values.min()) * _FINE).astype(np.int64), _FINE, None


def _inputs(table: Table, roles: Roles) -> tuple[str, ...]:
    named = (*roles.settings, *roles.sensors)
    found = tuple(dict.fromkeys(named)) if roles.sensors else tuple(n for n in table if n not in roles.taken)
    found = tuple(name for name in found if table[name].dtype.kind != "M")
    if not found:
        raise LearnError("No column is left as an input: at least one sensor is needed beside the roles.")
    return found


def _values(
    table: Table, inputs: tuple[str, ...], levels: dict[str, tuple[str, ...]] | None
) -> tuple[Floats, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Inputs as numbers; a text becomes its rank, an unknown one NaN."""
    columns, found = [], []
    for name in inputs:
        if name not in table:
            raise LearnError(f"The table has no column {name!r}, which the model was learned from.")
        values = table[name]
        if is_text(values) or (levels and name in levels):
            known = codes(values)[1] if levels is None else levels.get(name, ())
            rank = {word: float(i) for i, word in enumerate(known)}
            columns.append(np.array([rank.get(str(value), np.nan) for value in values.tolist()]))
            found.append((name, known))
        else:
            columns.append(np.asarray(values, np.float64))
    return np.stack(columns, axis=1), tuple(found)


def _target(table: Table, roles: Roles, task: Task, like: Data | None) -> tuple[Floats, tuple[str, ...]]:
    rows = len(next(iter(table.values())))
    if like is not None or roles.target is None:
        return np.full(rows, np.nan), like.classes if like else ()
    values = table[roles.target]
    if task == "class":
        code, classes = codes(values)
        missing = np.array([value is None or value != value for value in values.tolist()])  # noqa: PLR0124 (NaN)
        return np.where(missing, np.nan, code.astype(np.float64)), classes
    if is_text(values):
        raise LearnError(f"{roles.target!r} holds text, expected numbers; or say that the task is a class.")
    return np.asarray(values, np.float64), ()


def _ordered(data: Data) -> Data:
    """Ordered by unit and time, each moment of a unit once (the first one counts)."""
    order = np.lexsort((data.row, data.time, data.unit))
    unit, time = data.unit[order], data.time[order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (unit[1:] != unit[:-1]) | (time[1:] != time[:-1])
    return data.take(order[fresh])


def _step(data: Data) -> float:
    change = np.diff(data.time)[data.unit[1:] == data.unit[:-1]]
    return float(np.median(change)) if len(change) else 1.0


def _with_target(data: Data, roles: Roles) -> Data:
    """Remaining life from the ends of the units; rows without a target are left out."""
    if data.task == "novelty":
        return data
    if data.task == "life":
        unit = np.unique(data.unit, return_inverse=True)[1]
        last = np.full(unit.max() + 1, np.iinfo(np.int64).min)
        np.maximum.at(last, unit, data.time)
        life = (last[unit] - data.time) / data.per_target
        return replace(data, target=np.minimum(life, roles.cap or np.inf))
    known = np.isfinite(data.target)
    classes = len(np.unique(data.target[known]))
    if data.task == "class" and classes < 2:
        raise LearnError(f"{roles.target!r} holds {classes} class, expected at least two to tell apart.")
    if not known.any():
        raise LearnError(f"{roles.target!r} holds no number, expected one in every row that is to teach something.")
    return data.take(known) if not known.all() else data
