"""The protocol of the live socket: a page that does not read is cut off, and never keeps the server from stopping."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class LiveProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, but a page that does not answer a ping in time is aborted, and at the end one that does not read.

    uvicorn closes them, which first waits for everything to be read: that never happens when nobody reads.
    """

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
