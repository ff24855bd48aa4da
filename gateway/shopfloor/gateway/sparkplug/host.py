"""A Sparkplug host application without its network: messages in, columns and commands out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import DecodeError
from shopfloor.gateway.sparkplug.arrival import Arrival
from shopfloor.gateway.sparkplug.columns import Columns, Paths
from shopfloor.gateway.sparkplug.datatypes import DataType
from shopfloor.gateway.sparkplug.encode import put
from shopfloor.gateway.sparkplug.names import Names
from shopfloor.gateway.sparkplug.options import SparkplugOptions
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.gateway.sparkplug.plans import Slot
from shopfloor.gateway.sparkplug.rebirth import Rebirths
from shopfloor.gateway.sparkplug.session import Limits, Packet, Session, World
from shopfloor.gateway.sparkplug.topics import COMMANDS, Topic
from shopfloor.plant import Batch
from shopfloor.plant.contracts import Scalar

_logger = logging.getLogger(__name__)
_NS: Final = 1_000_000_000
_MS: Final = 1_000_000
_PATIENCE: Final = 3
REBIRTH: Final = "Node Control/Rebirth"


@dataclass(slots=True)
class Host:
    """All edge nodes of a source. Messages that are no Sparkplug are counted in `malformed` and acknowledged."""

    name: str
    options: SparkplugOptions
    columns: Columns = field(default_factory=lambda: Columns(Paths()))
    sessions: dict[str, Session] = field(default_factory=dict)
    settled: list[Any] = field(default_factory=list)
    malformed: int = 0
    malformed_sentence: str = ""
    rebirths: Rebirths = field(init=False)
    names: Names = field(init=False)
    _world: World = field(init=False)

    def __post_init__(self) -> None:
        options = self.options
        self.names = Names.of(options)
        self.rebirths = Rebirths(options.rebirth_every)
        patience = round(_PATIENCE * options.rebirth_every * _NS)
        limits = Limits(round(options.reorder * _NS), patience, options.keep)
        self._world = World(
            self.names,
            self.columns,
            limits,
            self.settled.append,
            self.complain,
            self.rebirths.want,
            self.rebirths.answered,
        )

    def take(self, topic: str, data: bytes, time: int, token: Any = None) -> None:
        """Take a message that arrived at `time` (UTC ns). `settled` gets its token once nothing of it is kept."""
        read = Topic.parse(topic)
        if read is None or read.verb in COMMANDS or not self._asked_for(read):
            if read is None:
                self.complain(f"the topic {topic!r} is none of Sparkplug B")
            self.settled.append(token)
            return
        session = self.sessions.get(read.address)
        if session is None:
            session = self.sessions[read.address] = Session(read.address, self._world)
        arrival = Arrival(data, time, session.table.layout(read.device, data))
        try:
            arrival.check()
        except DecodeError:
            self.complain(f"the {read.verb} of {read.address} is no Sparkplug payload")
            self.settled.append(token)
            return
        session.take(Packet(read.verb, read.device, arrival, token))

    def _asked_for(self, topic: Topic) -> bool:
        """The order of a node's messages matters wherever it or a device of it is asked for."""
        return self.names.of_node(topic.address)

    def tick(self, now: int) -> None:
        """Notice what did not come in time; `now` is UTC ns."""
        for session in self.sessions.values():
            session.tick(now)

    def doubt(self, now: int) -> None:
        """The link was away: every node is asked for its birth, and is taken to be dead when it does not answer."""
        for session in self.sessions.values():
            session.doubt(now)

    def commands(self, now: int) -> Iterator[tuple[str, bytes]]:
        """The rebirth requests that may be published now (UTC ns), as topic and payload."""
        for address in self.rebirths.due(now / _NS):
            group, node = address.split("/")
            yield str(Topic(group, "NCMD", node)), rebirth(now)

    def batches(self) -> Iterator[Batch]:
        """The values that were understood since the last call."""
        yield from self.columns.batches()

    def find(self, path: str) -> tuple[Session, Slot] | None:
        """The living metric behind a tag, if there is one."""
        for session in self.sessions.values():
            for slot in session.table.slots:
                if slot.path == path and slot.tag >= 0:
                    return session, slot
        return None

    def complain(self, sentence: str) -> None:
        """Count something that cannot be used, and say it once."""
        self.malformed += 1
        sentence = f"Sparkplug: {sentence}."
        if sentence != self.malformed_sentence:
            _logger.warning("%s: %s", self.name, sentence)
        self.malformed_sentence = sentence


def rebirth(now: int) -> bytes:
    """The payload of a rebirth request."""
    payload = Payload(timestamp=now // _MS)
    payload.metrics.add(name=REBIRTH, timestamp=now // _MS, datatype=DataType.BOOLEAN, boolean_value=True)
    return bytes(payload.SerializeToString())


def command(session: Session, slot: Slot, value: Scalar, now: int) -> tuple[str, bytes]:
    """Topic and payload that ask a node to write a metric; `ValueError` says why it cannot hold the value.

    A metric that was born with an alias is named by it alone, as the specification asks. The data type is given, which
    the specification does not ask for: there are nodes that cannot read a value without it.
    """
    payload = Payload(timestamp=now // _MS)
    metric = payload.metrics.add(timestamp=now // _MS, datatype=slot.code)
    if slot.alias is not None:
        metric.alias = slot.alias
    else:
        metric.name = slot.metric
    put(metric, slot.code, value, slot.value_field)
    group, node = session.address.split("/")
    topic = Topic(group, "DCMD" if slot.device else "NCMD", node, slot.device)
    return str(topic), bytes(payload.SerializeToString())
