"""What a data scientist says about a table; everything else the service finds itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shopfloor.plant.errors import ShopfloorError

Task = Literal["class", "number", "life", "novelty"]
TASKS: Final[tuple[Task, ...]] = ("class", "number", "life", "novelty")


class LearnError(ShopfloorError, ValueError):
    """A table or its roles that nothing can be learned from: what, where, what was expected, the next step."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of the columns of a table, and what only people know.

    target        column to predict: a class or a number; none for remaining life and for novelty
    task          what to learn; when it is not said: class for text and few whole numbers, otherwise number
    asset, run    columns that tell machines, and batches or experiments of a machine, apart
    time          timestamps or a cycle number, by which rows of an asset are ordered
    settings      operating settings: regimes are found in them, and sensors are judged within their regime
    sensors       the other inputs (default: every column without a role)
    ignore        columns to leave out
    cap           remaining life counts at most this much (in cycles, or in hours for timestamps)
    age           the age of an asset is a legitimate input: new assets wear like those of the table
    independent   rows have nothing to do with each other: no row knows anything of another one
    healthy       (start, end) of the time, or of the row's rank without time, in which everything was in order
    false_alarms  the share of healthy rows that may raise an alarm; coverage: of the intervals
    drop_leaks    leave out columns that look like leaks instead of warning only

    >>> Roles(target="worn", asset="machine").task is None
    True
    """

    target: str | None = None
    task: Task | None = None
    asset: str | None = None
    run: str | None = None
    time: str | None = None
    settings: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    cap: float | None = None
    age: bool = False
    independent: bool = False
    healthy: tuple[float | str, float | str] | None = None
    false_alarms: float = 0.01
    coverage: float = 0.9
    drop_leaks: bool = False

    def __post_init__(self) -> None:
        if self.task is not None and self.task not in TASKS:
            raise LearnError(f"Task {self.task!r} is not known: expected {', '.join(TASKS)}.")
        if not (0.0 < self.false_alarms < 0.5 and 0.5 <= self.coverage < 1.0):
            raise LearnError("The false-alarm share must lie between 0 and 0.5, the coverage between 0.5 and 1.")
        if self.target is None and self.task in ("class", "number"):
            raise LearnError(f"Learning a {self.task} needs a target: name the column that holds it.")
        if (self.task == "life" and not (self.asset or self.run)) or (self.task == "life" and self.time is None):
            raise LearnError(
                "Remaining life needs an asset (or run) and a time or cycle: each one runs until it fails."
            )
        if self.cap is not None and self.cap <= 0:
            raise LearnError(f"The cap of the remaining life is {self.cap:g}, expected a number above 0.")

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that has a role by name."""
        single = [self.target, self.asset, self.run, self.time]
        return (*(name for name in single if name), *self.settings, *self.sensors, *self.ignore)

    @property
    def taken(self) -> frozenset[str]:
        """Columns that are no sensors unless somebody says so."""
        return frozenset(name for name in (self.target, self.asset, self.run, self.time, *self.ignore) if name)
