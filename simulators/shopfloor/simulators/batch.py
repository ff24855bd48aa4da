"""Many steps at once: a checkpoint goes in, a later checkpoint (and rows of history) come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.simulators.checkpoint import Checkpoint
from shopfloor.simulators.compile import kernel_of
from shopfloor.simulators.faults import modes, next_edge, severities
from shopfloor.simulators.line import Line
from shopfloor.simulators.noise import key_of
from shopfloor.simulators.sensor import Sensors
from shopfloor.simulators.state import params_of


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a history by exception keeps of one asset: tag index, step, value in the kernel's code, StatusCode."""

    tag: NDArray[np.int32]
    n: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.n)


class BatchRunner:
    """Runs the assets of a checkpoint; the compiled kernel and the stepping engine give the same bytes."""

    def __init__(self, checkpoint: Checkpoint, line: Line, kernel: Callable[..., int] | None = None) -> None:
        checkpoint.check(line)
        self.line = line
        self.n = checkpoint.n
        self.injections = checkpoint.injections
        self.state = checkpoint.state.copy()
        self._origin = checkpoint
        self._keys = [key_of(checkpoint.seed, asset) for asset in checkpoint.assets]
        self._p = params_of(line, checkpoint.seed, self._keys)
        self._sensors = Sensors.of(line)
        self._kernel = kernel or kernel_of(line.id)
        self._setpoint_tag = np.array([line.tag_index(s.name) for s in line.setpoints], np.int64)
        self._truth_state = np.array([line.states.index(name) for name in line.truth], np.int64)

    def checkpoint(self) -> Checkpoint:
        """The state now."""
        old = self._origin
        return Checkpoint(old.line, old.assets, old.seed, self.n, self.injections, self.state.copy())

    def advance(self, steps: int) -> None:
        """Go on without reporting."""
        self._run(steps, 0, 0)

    def report(self, steps: int, every: int, truth_every: int) -> tuple[list[Rows], NDArray[np.float64]]:
        """Go on and keep what a history by exception keeps, per asset; and truth [asset, row, state] in between."""
        return self._run(steps, every, truth_every)

    def _run(self, steps: int, every: int, truth_every: int) -> tuple[list[Rows], NDArray[np.float64]]:
        end = self.n + steps
        first = -(-self.n // truth_every) if truth_every else 0
        last = -(-end // truth_every) if truth_every else 0
        truth = np.full((len(self._keys), last - first, len(self._truth_state)), np.nan)
        pieces: list[list[Rows]] = [[] for _ in self._keys]
        tags = len(self.line.tags)
        kept = np.full((len(self._keys), tags), np.nan)
        kept_at = np.full((len(self._keys), tags, 2), -1, np.int64)
        while self.n < end:
            count = min(end, next_edge(self.injections, self.n)) - self.n
            f = severities(self.line, len(self._keys), self.injections, self.n)
            mode = modes(self.line, len(self._keys), self.injections, self.n)
            row = -(-self.n // truth_every) - first if truth_every else 0
            for a in range(len(self._keys)):
                part = self._one(a, count, every, f[a], mode[a], kept[a], kept_at[a], truth_every, truth[a, row:])
                pieces[a].append(part)
            self.n += count
        return [_join(parts) for parts in pieces], truth

    def _one(  # noqa: PLR0917
        self,
        a: int,
        count: int,
        every: int,
        f: NDArray[np.float64],
        mode: NDArray[np.int64],
        kept: NDArray[np.float64],
        kept_at: NDArray[np.int64],
        truth_every: int,
        truth: NDArray[np.float64],
    ) -> Rows:
        s, sensors = self.state, self._sensors
        size = count * len(self.line.tags) if every else 1
        tag, n = np.empty(size, np.int32), np.empty(size, np.int64)
        value, quality = np.empty(size, np.float64), np.empty(size, np.uint32)
        y = np.zeros(len(self.line.tags))
        arguments: tuple[Any, ...] = (
            s.x[a], s.u[a], s.lag[a], s.held[a], s.last[a], s.since[a], self._p[a], f, mode, y, self._keys[a], self.n,
            count, sensors.rate, sensors.alpha, sensors.noise, sensors.scale, sensors.low, sensors.high,
            sensors.deadband, sensors.sampled, self._setpoint_tag, every, kept, kept_at, tag, n, value, quality,
            self._truth_state, truth_every, truth,
        )  # fmt: skip
        rows = self._kernel(*arguments)
        return Rows(tag[:rows].copy(), n[:rows].copy(), value[:rows].copy(), quality[:rows].copy())


def _join(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([p.tag for p in parts]) if parts else np.empty(0, np.int32),
        np.concatenate([p.n for p in parts]) if parts else np.empty(0, np.int64),
        np.concatenate([p.value for p in parts]) if parts else np.empty(0, np.float64),
        np.concatenate([p.quality for p in parts]) if parts else np.empty(0, np.uint32),
    )
