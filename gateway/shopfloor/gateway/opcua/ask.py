"""Publish requests as bytes: of the fields of one only its number, its time and what it acknowledges ever change.

Source: OPC 10000-4, 5.14.5 (Publish), 7.33 (RequestHeader); OPC 10000-6, 5.2.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Sequence
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_to_binary
from shopfloor.gateway.opcua.layout import EPOCH_TICKS

Acknowledgement = tuple[int, int]
"""The numbers of a subscription and of a notification."""
_KIND: Final = struct.pack("<BBH", 1, 0, ua.ObjectIds.PublishRequest_Encoding_DefaultBinary)
_HEADER: Final = struct.Struct("<qIIiI3xi")
"""Time, request handle, no diagnostics, no audit entry, no timeout, nothing additional; count of acknowledgements."""


def publish_request(token: ua.NodeId, handle: int, acknowledgements: Sequence[Acknowledgement]) -> bytes:
    """The request of a session, by its authentication token."""
    now = EPOCH_TICKS + time.time_ns() // 1_000 * 10
    header = _HEADER.pack(now, handle, 0, -1, 0, len(acknowledgements))
    numbers = [number for one in acknowledgements for number in one]
    return b"".join((_KIND, nodeid_to_binary(token), header, struct.pack(f"<{len(numbers)}I", *numbers)))


def publish(session: UaSession, acknowledgements: Sequence[Acknowledgement]) -> asyncio.Future[Buffer]:
    """Send a publish request; its answer comes whenever it comes. `ConnectionError` when the link is gone."""
    protocol = session._client.protocol  # noqa: SLF001 (the channel that asyncua sends over)
    if protocol is None or protocol.transport is None:
        raise ConnectionError("the connection is closed")
    protocol._request_handle += 1  # noqa: SLF001
    protocol._request_id += 1  # noqa: SLF001
    number = protocol._request_id  # noqa: SLF001
    request = publish_request(protocol.authentication_token, protocol._request_handle, acknowledgements)  # noqa: SLF001
    protocol.revolve_security_token()
    message = protocol._connection.message_to_binary(request, request_id=number)  # noqa: SLF001
    answer: asyncio.Future[Buffer] = asyncio.get_running_loop().create_future()
    protocol._callbackmap[number] = answer  # noqa: SLF001
    protocol.transport.write(message)
    return answer
