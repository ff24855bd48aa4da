"""The engine: owns time, noise, sensors, quality and faults; a line owns the physics.

Real time runs the step function interpreted, so this module never imports numba.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import ShopfloorError
from shopfloor.simulators.checkpoint import Checkpoint
from shopfloor.simulators.faults import FOREVER, Injection, modes, next_edge, severities
from shopfloor.simulators.frame import Change, Frame
from shopfloor.simulators.line import SENSOR_FAULTS, Line
from shopfloor.simulators.noise import key_of
from shopfloor.simulators.sensor import STUCK, Sensors, lanes, quantise, sense_all, spell
from shopfloor.simulators.state import State, params_of


class SetpointError(ShopfloorError, ValueError):
    """A device refuses a setpoint: unknown, not a number, or outside its range."""


class FaultError(ShopfloorError, ValueError):
    """A fault that this line does not have, or that lacks its tag."""


class Simulation:
    """Assets of one line from `start` (UTC ns, rounded down to a whole step) on.

    The same line, asset, seed and start give the same bytes, step by step or in batch, alone or in company.

    >>> from shopfloor.simulators.lines.machining import LINE
    >>> plant = Simulation(LINE, ["delta/frames/machining/cell-a/cnc-01"], seed=1, start=0)
    >>> frame = plant.step()
    >>> frame.fast.shape == (1, len(LINE.fast), LINE.rate)
    True
    """

    def __init__(self, line: Line, assets: Sequence[str], seed: int, start: int) -> None:
        keys = [key_of(seed, asset) for asset in assets]
        n = start // line.dt_ns
        params = params_of(line, seed, keys)
        self._set_up(Checkpoint(line.id, tuple(assets), seed, n, (), State.fresh(line, keys, params, n)), line)

    def _set_up(self, checkpoint: Checkpoint, line: Line) -> None:
        self.line = line
        self.assets = checkpoint.assets
        self.seed = checkpoint.seed
        self.injections = checkpoint.injections
        self._n = checkpoint.n
        self._keys = [key_of(self.seed, asset) for asset in self.assets]
        self._p: list[list[float]] = params_of(line, self.seed, self._keys).tolist()
        self._state = checkpoint.state
        self._x: list[list[float]] = checkpoint.state.x.tolist()
        self._u: list[list[float]] = checkpoint.state.u.tolist()
        self._last: list[list[float]] = checkpoint.state.last.tolist()
        self._y = [[0.0] * len(line.tags) for _ in self.assets]
        self._sensors = Sensors.of(line)
        self._fast = np.array(line.fast, np.int64)
        self._slow = np.array(line.slow, np.int64)
        keys = np.array(self._keys, np.int64)
        self._fast_lanes = lanes(keys, self._fast, line.rate)
        self._slow_lanes = lanes(keys, self._slow, 1)
        self._outputs = [(line.tag_index(s.name), k) for k, s in enumerate(line.setpoints)]
        self._changing = [(i, float(self._sensors.scale[i]), line.tags[i]) for i in line.changing]
        self._edge = 0
        self._plan_faults()

    @property
    def time(self) -> int:
        """UTC ns of the next step."""
        return self._n * self.line.dt_ns

    def step(self) -> Frame:
        """Advance by one `dt` and publish."""
        self._move()
        frame = self._publish()
        self._n += 1
        return frame

    def _move(self) -> None:
        if self._n >= self._edge:
            self._plan_faults()
        step, n = self.line.step, self._n
        for a, key in enumerate(self._keys):
            step(self._x[a], self._u[a], self._p[a], self._f[a], self._y[a], key, n)
            for tag, setpoint in self._outputs:
                self._y[a][tag] = self._u[a][setpoint]

    def _publish(self) -> Frame:
        n, state, sensors = self._n, self._state, self._sensors
        y = np.array(self._y)
        moved = state.lag + (y - state.lag) * sensors.alpha
        state.lag = np.where(np.isnan(state.lag) | (sensors.alpha == 1.0), y, moved)
        mode = self._modes_now()
        fast, fast_quality = sense_all(state.lag, self._fast_lanes, n, sensors, self._fast, mode)
        slow, slow_quality = sense_all(state.lag, self._slow_lanes, n, sensors, self._slow, mode)
        if (mode == STUCK).any() or not np.isnan(state.held).all():
            self._hold(mode, self._fast, fast, fast_quality)
            self._hold(mode, self._slow, slow, slow_quality)
        return Frame(
            self.time, self.line.dt_ns, fast, fast_quality[:, :, 0], slow[:, :, 0], slow_quality[:, :, 0],
            self._changes(),
        )  # fmt: skip

    def _modes_now(self) -> NDArray[np.int64]:
        mode = self._modes
        sampled = self._sensors.sampled
        for a, key in enumerate(self._keys):
            if found := spell(key, self._n, len(sampled)):
                mode = mode.copy() if mode is self._modes else mode
                mode[a, sampled[found >> 2]] = mode[a, sampled[found >> 2]] or found & 3
        return mode

    def _hold(
        self, mode: NDArray[np.int64], tags: NDArray[np.int64], values: NDArray[np.float64], quality: NDArray[np.uint32]
    ) -> None:
        stuck = mode[:, tags] == STUCK
        held = self._state.held[:, tags]
        held = np.where(stuck, np.where(np.isnan(held), values[:, :, 0], held), math.nan)
        self._state.held[:, tags] = held
        values[stuck] = held[stuck][:, None]
        quality[stuck] = 0

    def _changes(self) -> list[Change]:
        found = []
        for a, y in enumerate(self._y):
            last = self._last[a]
            for tag, scale, spec in self._changing:
                code = y[tag] if scale == 0.0 else quantise(y[tag], scale)
                if code != last[tag] and code == code:  # noqa: PLR0124 (NaN: nothing to publish yet)
                    last[tag] = code
                    self._state.since[a, tag] = self._n
                    found.append(Change(a, tag, self.time, spec.render(code)))
        return found

    def current(self) -> list[Change]:
        """The last published value of every on-change tag, with the time of its change: initial node values."""
        return [
            Change(a, tag, int(self._state.since[a, tag]) * self.line.dt_ns, spec.render(last[tag]))
            for a, last in enumerate(self._last)
            for tag, _, spec in self._changing
            if not math.isnan(last[tag])
        ]

    def write(self, asset: int | str, setpoint: str, value: float) -> float:
        """Set a setpoint from the next step on; answers what the device accepted; refuses with `SetpointError`."""
        spec = next((s for s in self.line.setpoints if s.name == setpoint), None)
        if spec is None:
            names = ", ".join(s.name for s in self.line.setpoints)
            raise SetpointError(f"{self.line.title} has no setpoint {setpoint!r}: write one of {names}.")
        if not spec.low <= value <= spec.high:
            raise SetpointError(
                f"{setpoint} of {self.assets[self._asset(asset)]} takes {spec.low:g} to {spec.high:g} {spec.unit}:"
                f" {value:g} was refused."
            )
        self._u[self._asset(asset)][self.line.setpoint_index(setpoint)] = float(value)
        return float(value)

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
        """Break something from `at` (UTC ns; now) `until`; severity 0 heals. Sensor faults need their `tag`."""
        self._check_fault(fault, severity, tag)
        begin = self._n if at is None else max(at // self.line.dt_ns, self._n)
        end = FOREVER if until is None else until // self.line.dt_ns
        self.injections = (*self.injections, Injection(self._asset(asset), fault, severity, begin, end, tag or ""))
        self._edge = min(self._edge, begin)

    def _check_fault(self, fault: str, severity: float, tag: str | None) -> None:
        sensor = fault in {spec.name for spec in SENSOR_FAULTS}
        names = [spec.name for spec in (*self.line.faults, *SENSOR_FAULTS)]
        if fault not in names:
            raise FaultError(f"{self.line.title} has no fault {fault!r}: inject one of {', '.join(names)}.")
        if not 0.0 <= severity <= 1.0:
            raise FaultError(f"The severity of {fault} runs from 0 to 1: {severity:g} was refused.")
        sampled = [self.line.tags[i].name for i in self._sensors.sampled]
        if sensor != (tag in sampled):
            raise FaultError(f"{fault} of {tag!r} is impossible: name one of the sensors {', '.join(sampled)}.")

    def _asset(self, asset: int | str) -> int:
        return asset if isinstance(asset, int) else self.assets.index(asset)

    def _plan_faults(self) -> None:
        self._f: list[list[float]] = severities(self.line, len(self.assets), self.injections, self._n).tolist()
        self._modes = modes(self.line, len(self.assets), self.injections, self._n)
        self._edge = next_edge(self.injections, self._n)

    def hidden(self) -> list[list[float]]:
        """The hidden states of `line.truth` [asset, state], for the truth log only."""
        chosen = [self.line.states.index(name) for name in self.line.truth]
        return [[x[i] for i in chosen] for x in self._x]

    def snapshot(self) -> Checkpoint:
        """The whole state at `time`, independent of what follows."""
        state = self._state.copy()
        state.x, state.u, state.last = np.array(self._x), np.array(self._u), np.array(self._last)
        return Checkpoint(self.line.id, self.assets, self.seed, self._n, self.injections, state)

    def checkpoint(self) -> bytes:
        """The whole state, without pickle."""
        return self.snapshot().to_bytes()

    @classmethod
    def resume(cls, line: Line, checkpoint: bytes | Checkpoint) -> Self:
        """Go on exactly where `checkpoint` was taken; another line or version raises `ShopfloorError`."""
        found = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint.from_bytes(checkpoint)
        found.check(line)
        simulation = cls.__new__(cls)
        simulation._set_up(found, line)  # noqa: SLF001 (its own class)
        return simulation
