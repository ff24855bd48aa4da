"""Compile the physics of every line ahead of its first use: `python -m shopfloor.simulators.warm`."""

from __future__ import annotations

from shopfloor.simulators import lines
from shopfloor.simulators.batch import BatchRunner
from shopfloor.simulators.engine import Simulation


def warm() -> None:
    """Run each line for two seconds, so that its machine code lies in the user's cache afterwards."""
    for name in lines.NAMES:
        line = lines.load(name)
        runner = BatchRunner(Simulation(line, ["warm"], seed=1, start=0).snapshot(), line)
        runner.advance(1)
        runner.report(1, 1, 1)


if __name__ == "__main__":
    warm()
