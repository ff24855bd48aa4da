"""What a machine made: parts with their planned run time and scrap, each at its moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from shopfloor.plant import Reader
from shopfloor.services.production.counts import Floats, Ints, Steps, planned_runs, rejected, steps
from shopfloor.services.production.machine import Machine

_NONE = Steps(np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Parts that a counter counted, the planned run time of one of them at each step (PRI, ns), and scrap."""

    parts: Steps
    run: Floats
    scrap: Steps

    @property
    def planned_run(self) -> Floats:
        """Planned run time (ns) of what was made at each step."""
        return self.parts.step * self.run

    def within(self, start: int, end: int) -> Made:
        """What was made in [start, end)."""
        parts, scrap = ((steps.time >= start) & (steps.time < end) for steps in (self.parts, self.scrap))
        return Made(
            Steps(self.parts.time[parts], self.parts.step[parts]), self.run[parts],
            Steps(self.scrap.time[scrap], self.scrap.step[scrap]),
        )  # fmt: skip


def made(reader: Reader, machine: Machine, planned: Ints, start: int, end: int) -> Made:
    """What a machine made in [start, end) (UTC ns), of that only parts in the `planned` rows of start and end.

    Scrap is what the counter of scrap counted, and every part that was measured outside of what is allowed. A
    continuous process makes no parts.
    """
    section = machine.production
    if not section.count:
        return Made(_NONE, np.empty(0), _NONE)
    parts = steps(reader, machine.tag(section.count), start, end).inside(planned)
    run = planned_runs(reader, machine.path, section, parts)
    counted = steps(reader, machine.tag(section.scrap), start, end) if section.scrap else _NONE
    measured = rejected(reader, machine.path, section, start, end)
    scrap = Steps(np.concatenate([counted.time, measured]), np.append(counted.step, np.ones(len(measured))))
    return Made(parts, run, scrap)
