"""Closing gaps from the server's history: oldest first, some variables at a time, beside the live values.

Source: OPC 10000-11, 6.4.3 (ReadRawModifiedDetails); OPC 10000-4, 5.11.3 (HistoryRead).

A window is read page by page by time and never by continuation point: servers differ in what they do with one (asyncua
2.1 answers none when it has cut a page, python-opcua 0.98 loses a value at it), and time is right for all of them. A
page that is full is followed by one that begins at the time of its last value; what was had already is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.ua.ua_binary import struct_to_binary
from shopfloor.gateway.opcua.ending import end
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.marks import Gap, Marks
from shopfloor.gateway.opcua.publish import Publisher
from shopfloor.plant.quality import BACKFILLED

_logger = logging.getLogger(__name__)
_NODES: Final = 20
_PAGE: Final = 5_000
_SETTLE_S: Final = 1.0
"""A historian writes a little later than a subscription reports."""
_HISTORY_READ: Final = 0x04
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Page:
    """Values of history as the body of a DataChangeNotification, and the gaps that are closed once it is committed."""

    body: bytes
    values: int
    closed: list[Gap]


@dataclass(slots=True)
class History:
    """Reads what is missing of the items (by client handle). `lacking` are the gaps that the server cannot fill."""

    session: UaSession
    publisher: Publisher
    items: dict[int, Item]
    marks: Marks
    lacking: list[Gap] = field(default_factory=list)
    _pages: list[Page] = field(default_factory=list)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _offered: set[int] = field(default_factory=set)
    _kept: dict[ua.NodeId, bool] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read in the background until the block is left; pages that nobody took are read again another time."""
        self.look()
        self._task = asyncio.create_task(self._run(), name="history")
        self._task.add_done_callback(lambda _: self.publisher.wake())
        try:
            yield
        finally:
            await end([self._task])

    def look(self) -> None:
        """There are new gaps."""
        self._wanted.set()

    def page(self) -> Page | None:
        """The next page to hand over, if one is ready. A lost link or a bug in the background is raised here."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()
        page = self._pages.pop(0) if self._pages else None
        self._room.set()
        return page

    def close(self, gaps: Sequence[Gap]) -> None:
        """These are filled, or never will be."""
        gone = {id(gap) for gap in gaps}
        self.marks.gaps = [gap for gap in self.marks.gaps if id(gap) not in gone]

    async def _run(self) -> None:
        handles = {item.tag: handle for handle, item in self.items.items()}
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await asyncio.sleep(_SETTLE_S)
            while waiting := [gap for gap in self.marks.gaps if id(gap) not in self._offered]:
                chunk = sorted(waiting, key=lambda gap: gap.after)[:_NODES]
                self._offered.update(id(gap) for gap in chunk)
                await self._fill(chunk, handles)

    async def _fill(self, gaps: list[Gap], handles: dict[str, int]) -> None:
        known = [gap for gap in gaps if gap.tag in handles]
        nodes = [self.items[handles[gap.tag]].node for gap in known]
        await self._learn(nodes)
        windows = [
            _Window(gap, handles[gap.tag], node, gap.after, gap.after)
            for gap, node in zip(known, nodes, strict=True)
            if self._kept[node]
        ]
        able = {id(window.gap) for window in windows}
        self._give_up([gap for gap in gaps if id(gap) not in able])
        for window in await self._read(windows) if windows else ():
            rest = [window]
            while rest:
                rest = await self._read(rest)

    async def _learn(self, nodes: list[ua.NodeId]) -> None:
        """Ask which of the nodes have history."""
        new = [node for node in dict.fromkeys(nodes) if node not in self._kept]
        if not new:
            return
        access = await self.session.read_attributes(new, ua.AttributeIds.AccessLevel)
        mine = await self.session.read_attributes(new, ua.AttributeIds.UserAccessLevel)
        writing = await self.session.read_attributes(new, ua.AttributeIds.Historizing)
        for node, one, two, three in zip(new, access, mine, writing, strict=True):
            self._kept[node] = bool(_value(one) & _value(two) & _HISTORY_READ or _value(three))

    async def _read(self, windows: list[_Window]) -> list[_Window]:
        """One request, one page; answers the windows that are to be read on, each by itself."""
        limit = max(2, _PAGE // len(windows))
        try:
            results = await self.session.history_read(_request(windows, limit))
        except (ua.UaStatusCodeError, TimeoutError) as refused:
            if len(windows) > 1:
                return windows
            self._give_up([window.gap for window in windows])
            _logger.debug("%s: history of %s: %s", self.publisher.url, windows[0].gap.tag, refused)
            return []
        more, closed, failed = [], [], []
        changes: list[ua.MonitoredItemNotification] = []
        for window, result in zip(windows, results, strict=True):
            found = list(getattr(result.HistoryData, "DataValues", None) or ())
            changes.extend(window.take(found))
            full = bool(result.ContinuationPoint) or len(found) >= limit
            if not result.StatusCode.is_good():
                failed.append(window.gap)
            elif not full or window.ended:
                closed.append(window.gap)
            elif window.moved or len(windows) > 1:
                more.append(window)
            else:
                failed.append(window.gap)
        await self._release(windows, results)
        await self._offer(changes, closed)
        self._give_up(failed)
        return more

    async def _release(self, windows: Sequence[_Window], results: Sequence[Any]) -> None:
        """Free what the server holds for continuation points that are not used."""
        points = [(window, result.ContinuationPoint) for window, result in zip(windows, results, strict=True)]
        held = [(window, point) for window, point in points if point]
        if not held:
            return
        request = _request([window for window, _ in held], 1)
        request.ReleaseContinuationPoints = True
        for node, (_, point) in zip(request.NodesToRead, held, strict=True):
            node.ContinuationPoint = point
        with suppress(ua.UaStatusCodeError):
            await self.session.history_read(request)

    async def _offer(self, changes: list[ua.MonitoredItemNotification], closed: list[Gap]) -> None:
        """Hand a page to the source; wait while the one before has not been taken."""
        while self._pages:
            self._room.clear()
            await self._room.wait()
        self._pages.append(Page(_body(changes), len(changes), closed))
        self.publisher.wake()

    def _give_up(self, gaps: list[Gap]) -> None:
        if gaps:
            self.lacking.extend(gaps)
            self.close(gaps)
            self.publisher.wake()


@dataclass(slots=True)
class _Window:
    """How far a gap has been read: the time of the last value, and how many had that time.

    `moved`: the last page brought values. `ended`: it reached the end of the gap.
    """

    gap: Gap
    handle: int
    node: ua.NodeId
    since: int
    reached: int
    moved: bool = False
    ended: bool = False
    _had: int = 0

    def take(self, values: Sequence[ua.DataValue]) -> list[ua.MonitoredItemNotification]:
        """The values inside the gap that were not had before, as changes of the item."""
        changes = []
        start, skip = self.reached, self._had
        after, before = self.since // 1_000 * 1_000, self.gap.before // 1_000 * 1_000  # asyncua answers whole us
        for value in values:
            time = _nanoseconds(value.SourceTimestamp or value.ServerTimestamp)
            self.ended = self.ended or time >= before
            if time < start or time <= after or time >= before:
                continue
            if time == start and skip:
                skip -= 1
                continue
            self._had = self._had + 1 if time == self.reached else 1
            self.reached = time
            changes.append(_change(self.handle, value))
        self.moved = bool(changes)
        return changes


def _request(windows: Sequence[_Window], limit: int) -> ua.HistoryReadParameters:
    details = ua.ReadRawModifiedDetails()
    details.IsReadModified = False
    details.StartTime = _moment(min(window.reached for window in windows), 0)
    details.EndTime = _moment(max(window.gap.before for window in windows), 1)
    details.NumValuesPerNode = limit
    details.ReturnBounds = False
    request = ua.HistoryReadParameters()
    request.HistoryReadDetails = details
    request.TimestampsToReturn = ua.TimestampsToReturn.Both
    request.ReleaseContinuationPoints = False
    for window in windows:
        node = ua.HistoryReadValueId()
        node.NodeId = window.node
        request.NodesToRead.append(node)
    return request


def _change(handle: int, value: ua.DataValue) -> ua.MonitoredItemNotification:
    status = value.StatusCode.value if value.StatusCode is not None else 0
    change = ua.MonitoredItemNotification()
    change.ClientHandle = handle
    change.Value = ua.DataValue(
        value.Value, ua.StatusCode(status | BACKFILLED), value.SourceTimestamp, value.ServerTimestamp
    )
    return change


def _body(changes: list[ua.MonitoredItemNotification]) -> bytes:
    message = ua.DataChangeNotification()
    message.MonitoredItems = changes
    return bytes(struct_to_binary(message))


def _moment(nanoseconds: int, extra: int) -> datetime:
    """The ms at or before a time, and `extra` ms: some servers compare no finer."""
    return _EPOCH + timedelta(milliseconds=nanoseconds // 1_000_000 + extra)


def _nanoseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1) * 1_000


def _value(data: ua.DataValue) -> int:
    content = data.Value.Value if data.Value is not None else 0
    return int(content) if isinstance(content, bool | int) else 0
