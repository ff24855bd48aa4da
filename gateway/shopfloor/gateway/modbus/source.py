"""The Modbus source: poll each group in time, hand over what has changed."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from shopfloor.gateway.modbus.link import Link, connected
from shopfloor.gateway.modbus.options import ModbusOptions
from shopfloor.gateway.modbus.point import Point
from shopfloor.gateway.modbus.poll import Group, Schedule, lost_when_silent, trouble
from shopfloor.gateway.modbus.write import Writer, can_hold
from shopfloor.plant import Batch, SourceLost, quality
from shopfloor.plant.contracts import Outcome, Setpoint

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ModbusSource:
    """Polls one device. Modbus has no time of its own: a value's time is that of the answer it came in."""

    name: str
    options: ModbusOptions
    detail: str = ""
    _link: Link | None = None
    _places: dict[str, Point] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = (point for group in self.options.groups for point in group.points(self.options))
        self._places = {point.tag: point for point in points if can_hold(point)}

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.options.url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Connect and poll; `SourceLost` says why the device could not be used."""
        async with connected(self.options) as link:
            self._link = link
            try:
                async with aclosing(self._batches(link)) as batches:
                    yield batches
            finally:
                self._link = None

    @property
    def connected(self) -> bool:
        """Whether the device is there now."""
        return self._link is not None and not self._link.lost.is_set()

    def can_write(self, tag: str) -> bool:
        """Whether the tag is a coil or a holding register of this device."""
        return tag in self._places

    async def apply(self, setpoint: Setpoint) -> Outcome:
        """Write one value between two polls; `SourceLost` when the link is not there."""
        point = self._places.get(setpoint.tag)
        if point is None or isinstance(setpoint.value, tuple):
            return Outcome(quality.BAD_NODE_ID_UNKNOWN, None, f"{setpoint.tag} is no coil or holding register here.")
        if self._link is None or not self.connected:
            raise SourceLost(f"The device {self.url} is not connected.")
        return await Writer(self._link).apply(point, setpoint.value)

    async def _batches(self, link: Link) -> AsyncGenerator[Batch, None]:
        groups = [Group.of(group, self.options) for group in self.options.groups]
        schedule = Schedule([group.options.every for group in groups], [time.monotonic()] * len(groups))
        units = {point.unit for group in groups for point in group.points}
        silent: set[int] = set()
        while True:
            index, due = schedule.next()
            await link.pause(due - time.monotonic())
            start = time.monotonic()
            batches = await groups[index].poll(link, silent)
            lost_when_silent(link, silent, units)
            self._say(groups, schedule, time.monotonic() - start)
            for batch in batches:
                yield batch
            schedule.done(index, time.monotonic())

    def _say(self, groups: list[Group], schedule: Schedule, took: float) -> None:
        refused, late = trouble(groups), schedule.sentence(took, time.monotonic())
        if refused and not self.detail.startswith(refused):
            _logger.warning("%s: %s", self.name, refused)
        self.detail = " ".join(filter(None, (refused, late)))
