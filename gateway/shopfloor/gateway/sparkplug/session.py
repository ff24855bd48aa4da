"""The session of one edge node as a host sees it: births, order, deaths, and what cannot be understood yet.

Source: Sparkplug 3.0, chapters 5 (Operational Behavior) and 6 (Payloads). Pure: its clock is the arrival of messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.gateway.sparkplug.arrival import Arrival
from shopfloor.gateway.sparkplug.births import explain
from shopfloor.gateway.sparkplug.columns import Columns
from shopfloor.gateway.sparkplug.datatypes import empty
from shopfloor.gateway.sparkplug.decode import decode
from shopfloor.gateway.sparkplug.names import Names
from shopfloor.gateway.sparkplug.plans import Key, UnknownMetricError
from shopfloor.gateway.sparkplug.table import Table
from shopfloor.plant import Kind, quality

_AHEAD_NS: Final = 10_000_000_000
_SKEW_NS: Final = 2_000_000_000
_MS: Final = 1_000_000
Tags = list[tuple[int, Kind]]


@dataclass(frozen=True, slots=True)
class Packet:
    """One message of a node: what it is, of which device, and the `token` by which it is acknowledged."""

    verb: str
    device: str
    arrival: Arrival
    token: Any = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a missing message is waited for, how long an answer (ns), and how many bytes are kept for a birth."""

    reorder: int
    patience: int
    keep: int


@dataclass(slots=True)
class World:
    """What all sessions of a host share, and whom they tell."""

    names: Names
    columns: Columns
    limits: Limits
    settle: Callable[[Any], None]
    complain: Callable[[str], None]
    want_rebirth: Callable[[str], None]
    born: Callable[[str], None]


@dataclass(slots=True)
class Device:
    """A device of the node. After a new birth of the node it has until `deadline` (ns) to be born again."""

    online: bool = False
    deadline: int | None = None
    tags: Tags = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """One edge node, `group/node`."""

    address: str
    world: World
    table: Table = field(default_factory=Table)
    devices: dict[str, Device] = field(default_factory=dict)
    born: bool = False
    bdseq: int | None = None
    expected: int | None = None
    _held: dict[int, Packet] = field(default_factory=dict)
    _gap: int | None = None
    _kept: deque[Packet] = field(default_factory=deque)
    _kept_bytes: int = 0
    _doubt: int | None = None
    _hopeless: set[Key] = field(default_factory=set)
    _newest: int = 0
    _skew: int = 0

    def take(self, packet: Packet) -> None:
        """Take the next message of this node."""
        if packet.verb == "NBIRTH":
            self._birth(packet)
        elif packet.verb == "NDEATH":
            self._death(packet)
        elif self.born:
            self._in_order(packet)
        else:
            self._keep(packet)

    def tick(self, now: int) -> None:
        """Notice what did not come in time; `now` is UTC ns."""
        limits = self.world.limits
        if self._gap is not None and now - self._gap >= limits.reorder:
            self._release(everything=True)
            self.world.want_rebirth(self.address)
        for name, device in self.devices.items():
            if device.deadline is not None and now >= device.deadline:
                device.deadline = None
                self._mark_dead(device.tags, self._moment(now))
                self.world.complain(f"{self.address}/{name} was not born again with its node")
        if self._doubt is not None and now >= self._doubt:
            self._bury(now)

    def doubt(self, now: int) -> None:
        """The host was away: ask whether the node still lives, and on what terms."""
        self._release(everything=True)
        if self.born:
            self.expected, self._doubt = None, now + self.world.limits.patience
            self.world.want_rebirth(self.address)

    @property
    def kept(self) -> int:
        """How many messages wait for a birth."""
        return len(self._kept)

    def _birth(self, packet: Packet) -> None:
        self._release(everything=True)
        payload = packet.arrival.payload
        deadline = packet.arrival.time + self.world.limits.patience
        for name, device in self.devices.items():
            if device.online:
                device.online, device.deadline, device.tags = False, deadline, self._tags(name)
        self.table.clear()
        self._hopeless.clear()
        self.born, self._doubt, self.bdseq = True, None, _bdseq(payload)
        if self.bdseq is None:
            self.world.complain(f"the birth of {self.address} has no bdSeq")
        if payload.seq:
            self.world.complain(f"the birth of {self.address} has the sequence number {payload.seq} instead of 0")
        self.expected = (payload.seq + 1) % 256
        self.world.born(self.address)
        self._explain(packet)

    def _explain(self, packet: Packet) -> None:
        address = f"{self.address}/{packet.device}".rstrip("/")
        metrics = packet.arrival.payload.metrics
        for sentence in explain(metrics, packet.device, address, self.table, self.world.names, self.world.columns):
            self.world.complain(sentence)
        self._decode(packet)
        self.world.settle(packet.token)
        waiting, self._kept = self._kept, deque()
        for kept in waiting:
            if kept.device == packet.device and kept.verb in {"NDATA", "DDATA"}:
                self._kept_bytes -= len(kept.arrival.data)
                self._decode(kept)
                self.world.settle(kept.token)
            else:
                self._kept.append(kept)

    def _in_order(self, packet: Packet) -> None:
        seq = packet.arrival.seq
        if seq is None:
            self.world.complain(f"a {packet.verb} of {self.address} has no sequence number")
            self._process(packet)
        elif self.expected is None or seq == self.expected:
            self.expected = (seq + 1) % 256
            self._process(packet)
            self._release()
        else:
            if seq in self._held:
                self._release(everything=True)
                self.world.want_rebirth(self.address)
            self._held[seq] = packet
            self._gap = packet.arrival.time if self._gap is None else self._gap

    def _release(self, *, everything: bool = False) -> None:
        """Process the messages that wait for a missing one: those whose turn it is, or all of them in order."""
        while self._held:
            start = self.expected or 0
            seq = min(self._held, key=lambda one: (one - start) % 256)
            if not everything and seq != self.expected:
                return
            self.expected = (seq + 1) % 256
            self._process(self._held.pop(seq))
        self._gap = None

    def _process(self, packet: Packet) -> None:
        device = self.devices.get(packet.device)
        if packet.verb == "DBIRTH":
            self.table.clear(packet.device)
            self.devices[packet.device] = Device(online=True)
            self._explain(packet)
        elif packet.verb == "DDEATH":
            self._device_death(packet)
        elif packet.device and not (device and device.online):
            self._keep(packet)
        else:
            self._data(packet)

    def _data(self, packet: Packet) -> None:
        try:
            newest = decode(packet.arrival, self.table, packet.device, self.world.columns, self._hopeless)
        except UnknownMetricError:
            self._keep(packet)
            return
        self._live(packet, newest)
        self.world.settle(packet.token)

    def _decode(self, packet: Packet) -> None:
        """Decode what can be: what not even a birth explains never will be, and is complained about once."""
        device, columns = packet.device, self.world.columns
        try:
            newest = decode(packet.arrival, self.table, device, columns, self._hopeless)
        except UnknownMetricError as unknown:
            self.world.complain(f"{self.address} sends the metric {unknown}, which its birth does not explain")
            self._hopeless.update(unknown.keys)
            newest = decode(packet.arrival, self.table, device, columns, self._hopeless)
        self._live(packet, newest)

    def _live(self, packet: Packet, newest: int) -> None:
        if newest:
            self._newest = max(self._newest, newest)
            sent = packet.arrival.sent * _MS
            self._skew = packet.arrival.time - sent if sent else 0

    def _keep(self, packet: Packet) -> None:
        """Keep what no birth has explained yet, and ask for one."""
        self.world.want_rebirth(self.address)
        if packet.verb not in {"NDATA", "DDATA"}:
            self.world.settle(packet.token)
            return
        self._kept.append(packet)
        self._kept_bytes += len(packet.arrival.data)
        while self._kept_bytes > self.world.limits.keep:
            gone = self._kept.popleft()
            self._kept_bytes -= len(gone.arrival.data)
            self.world.settle(gone.token)
            self.world.complain(f"{self.address} does not tell its birth: its oldest values are lost")

    def _death(self, packet: Packet) -> None:
        self.world.settle(packet.token)
        given = _bdseq(packet.arrival.payload)
        if not self.born:
            return
        if given is not None and self.bdseq is not None and given != self.bdseq:
            self.world.complain(f"a death of {self.address} is of session {given}, not of {self.bdseq}: it is ignored")
            return
        self._bury(packet.arrival.time)

    def _bury(self, now: int) -> None:
        self._release(everything=True)
        moment = self._moment(now)
        for name, device in self.devices.items():
            if device.online or device.deadline is not None:
                self._mark_dead(self._tags(name) or device.tags, moment)
            device.online, device.deadline = False, None
        self._mark_dead(self._tags(""), moment)
        self.table.clear()
        self.born, self.expected, self._doubt = False, None, None

    def _device_death(self, packet: Packet) -> None:
        device = self.devices.get(packet.device)
        if device is not None and device.online:
            sent = packet.arrival.sent * _MS
            moment = max(sent, min(self._newest, sent + _AHEAD_NS) + _MS) if sent else self._moment(packet.arrival.time)
            self._mark_dead(self._tags(packet.device), moment)
            device.online = False
        self.world.settle(packet.token)

    def _moment(self, arrival: int) -> int:
        """The time of a death on the clock of the node, after its newest value."""
        now = arrival - self._skew if abs(self._skew) > _SKEW_NS else arrival
        return max(now, min(self._newest, now + _AHEAD_NS) + _MS)

    def _tags(self, device: str) -> Tags:
        return [tag for slot in self.table.of(device) for tag in slot.tags]

    def _mark_dead(self, tags: Iterable[tuple[int, Kind]], moment: int) -> None:
        for number, kind in tags:
            self.world.columns.single(number, moment, empty(kind), quality.BAD_NO_COMMUNICATION)


def _bdseq(payload: Any) -> int | None:
    for metric in payload.metrics:
        if metric.name == "bdSeq":
            return int(metric.long_value or metric.int_value)
    return None
