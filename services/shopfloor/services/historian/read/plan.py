"""What a question read, by which way, and why: kept for whoever asks for an explanation, free for everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Read:
    """What was read by one way: files, row groups in them, rows."""

    files: int = 0
    groups: int = 0
    rows: int = 0


@dataclass(slots=True)
class Plan:
    """The ways that a question took: hours, minutes, raw (numpy), DuckDB, memory.

    >>> with explained() as plan:
    ...     note("hours", groups=1, rows=24)
    ...     note("hours", groups=2, rows=48)
    >>> str(plan)
    'hours: 2 files, 3 row groups, 72 rows'
    """

    ways: dict[str, Read] = field(default_factory=dict)
    chosen: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line, safe in a header."""
        said = [f"{way}: {r.files} files, {r.groups} row groups, {r.rows} rows" for way, r in self.ways.items()]
        said += [f"chosen: {way}" for way in dict.fromkeys(self.chosen)]
        return "; ".join(said) or "nothing had to be read"


_current: ContextVar[Plan | None] = ContextVar("plan", default=None)


@contextmanager
def explained() -> Iterator[Plan]:
    """Write down what questions inside the block read, on this thread."""
    plan = Plan()
    token = _current.set(plan)
    try:
        yield plan
    finally:
        _current.reset(token)


def choose(way: object) -> None:
    """Tell whoever wants to know which way was chosen."""
    plan = _current.get()
    if plan is not None:
        plan.chosen.append(str(way))


def note(way: str, *, files: int = 1, groups: int, rows: int) -> None:
    """Tell whoever wants to know what was read."""
    plan = _current.get()
    if plan is not None:
        read = plan.ways.setdefault(way, Read())
        read.files, read.groups, read.rows = read.files + files, read.groups + groups, read.rows + rows
