"""The engine: owns time, noise, sensors, quality and faults; a line owns the physics.

Real time runs the step function interpreted, so this module never imports numba.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from shopfloor.plant import ShopfloorError
from shopfloor.simulators.frame import Change, Frame
from shopfloor.simulators.line import Line


class SetpointError(ShopfloorError, ValueError):
    """A device refuses a setpoint: unknown, not a number, or outside its range."""


class Simulation:
    """Assets of one line from `start` (UTC ns, rounded down to a whole step) on.

    The same line, asset, seed and start give the same bytes, step by step or in batch, alone or in company.

    Examples:
        >>> from shopfloor.simulators.lines.machining import LINE
        >>> plant = Simulation(LINE, ["delta/frames/machining/cell-a/cnc-01"], seed=1, start=0)
        >>> frame = plant.step()
        >>> frame.fast.shape == (1, len(LINE.fast), LINE.rate)
        True
    """

    def __init__(self, line: Line, assets: Sequence[str], seed: int, start: int) -> None:
        self.line = line
        self.assets = tuple(assets)
        self.seed = seed
        raise NotImplementedError

    @property
    def time(self) -> int:
        """UTC ns of the next step."""
        raise NotImplementedError

    def step(self) -> Frame:
        """Advance by one `dt` and publish."""
        raise NotImplementedError

    def current(self) -> list[Change]:
        """The last published value of every on-change tag, with the time of its change: initial node values."""
        raise NotImplementedError

    def write(self, asset: int | str, setpoint: str, value: float) -> float:
        """Set a setpoint from the next step on; answers what the device accepted; refuses with `SetpointError`."""
        raise NotImplementedError

    def inject(
        self,
        asset: int | str,
        fault: str,
        severity: float = 1.0,
        at: int | None = None,
        *,
        until: int | None = None,
        tag: str | None = None,
    ) -> None:
        """Break something from `at` (UTC ns; default: now) `until`; severity 0 heals. Sensor faults need their `tag`."""
        raise NotImplementedError

    def checkpoint(self) -> bytes:
        """The whole state, without pickle."""
        raise NotImplementedError

    @classmethod
    def resume(cls, line: Line, checkpoint: bytes) -> Self:
        """Go on exactly where `checkpoint` was taken; another line or version raises `ShopfloorError`."""
        raise NotImplementedError
