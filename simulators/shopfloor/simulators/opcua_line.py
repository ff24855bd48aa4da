"""A line as an OPC UA server shows it: its variables, its values as rows, its alarms as conditions."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from shopfloor.plant import Kind, quality
from shopfloor.simulators.condition import Condition
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
            _path(asset, tag),
            tag.kind,
            tag.unit,
            ranges.get(tag.name) or _span(tag),
            tag.name in ranges,
        )
        for asset in assets
        for tag in line.tags
    ]


def conditions(line: Line, assets: Iterable[str]) -> list[Condition]:
    """The alarms of all assets as conditions, asset by asset in the order of the line's alarms."""
    return [
        Condition(
            node=f"{_device(asset)}.Alarms.{alarm.name.replace(' ', '')}",
            about=".".join(_path(asset, line.tags[line.tag_index(alarm.tag)])),
            subject=_device(asset),
            name=alarm.name,
            message=alarm.message,
            severity=alarm.severity,
            confirms=alarm.confirm,
        )
        for asset in assets
        for alarm in line.alarms
    ]


class OpcUaWire:
    """Rows for a `DeviceServer` that serves `variables(line, assets)` and `conditions(line, assets)`."""

    def __init__(self, simulation: Simulation, server: DeviceServer) -> None:
        self._line = simulation.line
        self._tags = len(simulation.line.tags)
        self._assets = range(len(simulation.assets))
        self._server = server
        self._alarms = [(self._line.tag_index(alarm.shown), alarm.code) for alarm in self._line.alarms]
        self._shown = {tag for tag, _ in self._alarms}

    async def changes(self, changes: Iterable[Change]) -> None:
        """Write what changed, and tell what that means for conditions."""
        changes = list(changes)
        await self._server.write((c.asset * self._tags + c.tag, c.value, c.time, c.quality) for c in changes)
        for change in changes:
            if change.tag in self._shown:
                await self._stand(change)

    async def _stand(self, change: Change) -> None:
        for index, (tag, code) in enumerate(self._alarms, change.asset * len(self._alarms)):
            if tag == change.tag:
                await self._server.alarms.stand(index, change.value == code, change.time)

    async def slow(self, frame: Frame) -> None:
        """Write the tags that are sampled once per step; what was shelved for a time may be so no more."""
        await self._server.alarms.pass_time(frame.time)
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


def _device(asset: str) -> str:
    return asset.rpartition("/")[2].upper()


def _path(asset: str, tag: TagSpec) -> tuple[str, ...]:
    return (_device(asset), *(tag.browse or tag.name).split("/"))


def _span(tag: TagSpec) -> tuple[float, float] | None:
    bounded = tag.kind is Kind.FLOAT and tag.low > -_UNBOUNDED and tag.high < _UNBOUNDED
    return (tag.low, tag.high) if bounded else None
