"""A payload as it came: as bytes, read by a known layout, or by protobuf once somebody needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shopfloor.gateway.sparkplug.layout import Layout, varint
from shopfloor.gateway.sparkplug.payload import Payload


@dataclass(slots=True)
class Arrival:
    """A payload that arrived at `time` (UTC ns). `layout` is the form that it fits, if it fits one."""

    data: bytes
    time: int
    layout: Layout | None = None
    _payload: Any = None

    def check(self) -> None:
        """Raise `google.protobuf.message.DecodeError` when the bytes are no payload."""
        if self.layout is None:
            _ = self.payload

    @property
    def payload(self) -> Any:
        """The message; `google.protobuf.message.DecodeError` when the bytes are none."""
        if self._payload is None:
            self._payload = Payload.FromString(self.data)
        return self._payload

    @property
    def seq(self) -> int | None:
        """The sequence number, if there is one."""
        if self.layout is not None:
            return varint(self.data, self.layout.sequence)[0]
        return int(self.payload.seq) if self.payload.HasField("seq") else None

    @property
    def sent(self) -> int:
        """When it was sent, in ms since 1970; 0 when it does not say."""
        if self.layout is not None:
            return varint(self.data, self.layout.sent)[0]
        return int(self.payload.timestamp)
