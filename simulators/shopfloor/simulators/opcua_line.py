"""A line as an OPC UA server shows it: its variables, and its values as rows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from shopfloor.plant import Kind, quality
from shopfloor.simulators.engine import SetpointError, Simulation
from shopfloor.simulators.frame import Change, Frame
from shopfloor.simulators.line import Line, TagSpec
from shopfloor.simulators.notify import Value
from shopfloor.simulators.opcua import DeviceServer, Row
from shopfloor.simulators.tree import Variable

_LOG = logging.getLogger(__name__)
_UNBOUNDED = 1e11


def variables(line: Line, assets: Iterable[str]) -> list[Variable]:
    """The OPC UA variables of all assets, asset by asset in the order of the line's tags."""
    ranges = {setpoint.name: (setpoint.low, setpoint.high) for setpoint in line.setpoints}
    return [
        Variable(
            (asset.rpartition("/")[2].upper(), *(tag.browse or tag.name).split("/")),
            tag.kind,
            tag.unit,
            ranges.get(tag.name) or _span(tag),
            tag.name in ranges,
        )
        for asset in assets
        for tag in line.tags
    ]


class OpcUaWire:
    """Rows for a `DeviceServer` that serves `variables(line, assets)`."""

    def __init__(self, simulation: Simulation, server: DeviceServer) -> None:
        self._line = simulation.line
        self._tags = len(simulation.line.tags)
        self._assets = range(len(simulation.assets))
        self._server = server

    async def changes(self, changes: Iterable[Change]) -> None:
        """Write what changed."""
        await self._server.write((c.asset * self._tags + c.tag, c.value, c.time, c.quality) for c in changes)

    async def slow(self, frame: Frame) -> None:
        """Write the tags that are sampled once per step."""
        rows = self._rows(self._line.slow, frame.slow.tolist(), frame.slow_quality.tolist(), frame.time)
        await self._server.write(rows)

    async def fast(self, frame: Frame, sub: int) -> None:
        """Write one sub-sample of the fast tags."""
        moment = frame.sub_times()[sub]
        await self._server.write(
            self._rows(self._line.fast, frame.fast[:, :, sub].tolist(), frame.fast_quality.tolist(), moment)
        )

    def _rows(
        self, tags: tuple[int, ...], values: list[list[float]], status: list[list[int]], moment: int
    ) -> Iterator[Row]:
        for asset in self._assets:
            base = asset * self._tags
            for tag, value, code in zip(tags, values[asset], status[asset], strict=True):
                yield base + tag, value, moment, code


def ask(simulation: Simulation, index: int, value: Value) -> int:
    """Ask the device to hold a setpoint (index as in `variables`); answers a StatusCode."""
    asset, tag = divmod(index, len(simulation.line.tags))
    try:
        simulation.write(asset, simulation.line.tags[tag].name, float(value))
    except SetpointError as refused:
        _LOG.info("%s", refused)
        return 0x803C_0000  # BadOutOfRange
    return quality.GOOD


def _span(tag: TagSpec) -> tuple[float, float] | None:
    bounded = tag.kind is Kind.FLOAT and tag.low > -_UNBOUNDED and tag.high < _UNBOUNDED
    return (tag.low, tag.high) if bounded else None
