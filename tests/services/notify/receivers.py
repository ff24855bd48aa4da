"""Those who take messages: a real mail server with TLS and login, and a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PASSWORD = "gate-keeper-17"


class Inbox:
    """What the mail server took, and whether it came encrypted."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append(cast("EmailMessage", letter))
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


class _OnFreePort(Controller):
    """Takes a free port, and closes what clients left open: the library leaves it to the garbage collector."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._met: list[Any] = []

    def factory(self) -> Any:
        met = super().factory()
        self._met.append(met)
        return met

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(5)
        super().stop(no_assert)

    async def _close(self) -> None:
        for met in self._met:
            for transport in (met.transport, met._original_transport):
                if transport is not None:
                    transport.abort()
        await asyncio.sleep(0.05)


@contextmanager
def mail_server(certificate: tuple[Path, Path] | None) -> Iterator[tuple[Inbox, int]]:
    """A mail server on a free port; with a certificate it wants STARTTLS and a login."""
    inbox = Inbox()
    more: dict[str, Any] = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        more = {"tls_context": context, "require_starttls": True, "auth_required": True}

    def login(_: Any, __: Any, ___: Any, ____: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"plant", PASSWORD.encode()), handled=False)

    controller = _OnFreePort(inbox, hostname="127.0.0.1", port=0, authenticator=login, **more)
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


@dataclass
class Hook:
    """What was posted: path, headers and body. The first answers are taken from `answers`, then 204."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    posted: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def at(self, path: str) -> list[Any]:
        return [body for where, _, body in self.posted if where == path]


@contextmanager
def hook_server() -> Iterator[Hook]:
    """An HTTP server on a free port."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.posted.append((self.path, dict(self.headers), body))
            self.send_response(hook.answers.pop(0) if hook.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
