"""The protocol of the live socket: a page that does not read is cut off, and never keeps the server from stopping."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

_WHOLE_BINARY: Final = 0x82
_SHORT: Final = 126
_MIDDLE: Final = 1 << 16


class LiveProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, but a page that does not answer a ping in time is aborted, and at the end one that does not read.

    uvicorn closes them, which first waits for everything to be read: that never happens when nobody reads. A binary
    message goes out as one unmasked frame at once: five thousand a second are most of what open pages cost.
    """

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the application."""
        data = message.get("bytes")
        await self.writable.wait()
        if isinstance(data, bytes) and self._is_plain():
            self.transport.write(head(len(data)) + data)
        else:
            await super().send(message)
            self.handshake_complete |= self.close_sent  # uvicorn forgets it of a refusal, and then logs an error

    def _is_plain(self) -> bool:
        """Whether the connection is open, and changes nothing of what is sent."""
        is_open = self.handshake_complete and self.conn.state is State.OPEN
        return is_open and not (self.disconnected or self.close_sent or self.conn.extensions)

    def keepalive_timeout(self) -> None:
        """Forget the connection and what it has not read."""
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        """Say goodbye to who listens."""
        unread = self.transport.get_write_buffer_size() > 0
        super().shutdown()
        if unread:
            self.transport.abort()


def head(size: int) -> bytes:
    """What stands before the bytes of a whole binary message of a server (RFC 6455, 5.2).

    >>> head(5).hex(), head(300).hex(), head(70_000).hex()
    ('8205', '827e012c', '827f0000000000011170')
    """
    if size < _SHORT:
        return bytes((_WHOLE_BINARY, size))
    if size < _MIDDLE:
        return struct.pack("!BBH", _WHOLE_BINARY, 126, size)
    return struct.pack("!BBQ", _WHOLE_BINARY, 127, size)
