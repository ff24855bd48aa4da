"""The laboratory: faults injected over local HTTP, for demonstrations and tests. Off unless it is asked for.

    POST /lab/faults {"asset": path or last segment, "fault": name, "severity": 0..1, "at": ms since 1970,
                      "until": ms, "tag": name of a tag, for sensor faults}
    GET  /lab/faults -> {"known": [...], "injected": [...]}

Injected faults are part of the simulation's checkpoint and of the truth.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from shopfloor.simulators.engine import FaultError, Simulation
from shopfloor.simulators.line import SENSOR_FAULTS

_KEYS: Final = {"asset", "fault", "severity", "at", "until", "tag"}


class Lab:
    """Answers what the HTTP requests ask; every call to the simulation runs in its event loop."""

    def __init__(self, simulation: Simulation, loop: asyncio.AbstractEventLoop) -> None:
        self._simulation = simulation
        self._loop = loop

    @classmethod
    @contextmanager
    def serve(cls, simulation: Simulation, port: int | None) -> Iterator[str | None]:
        """Listen on 127.0.0.1 while inside (port 0: a free one); gives the address. Without a port nothing happens."""
        if port is None:
            yield None
            return
        lab = cls(simulation, asyncio.get_running_loop())
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(lab))
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def faults(self) -> dict[str, Any]:
        """What can be broken, and what is."""
        line, assets = self._simulation.line, self._simulation.assets
        known = [
            {"name": fault.name, "sentence": fault.sentence, "seen_in": list(fault.seen_in)}
            for fault in (*line.faults, *SENSOR_FAULTS)
        ]
        injected = [
            {
                "asset": assets[each.asset],
                "fault": each.fault,
                "severity": each.severity,
                "at": each.begin * line.dt_ns // 1_000_000,
                "tag": each.tag or None,
            }
            for each in self._simulation.injections
        ]
        return {"known": known, "injected": injected}

    def inject(self, asked: Any) -> dict[str, Any]:
        """Break something; raises `FaultError` when the request makes no sense."""
        if not isinstance(asked, dict) or not {"asset", "fault"} <= asked.keys() <= _KEYS:
            raise FaultError("A fault is an object with asset and fault, and perhaps severity, at, until and tag.")
        try:
            self._simulation.inject(
                self._asset(str(asked["asset"])),
                str(asked["fault"]),
                float(asked.get("severity", 1.0)),
                _nanoseconds(asked.get("at")),
                until=_nanoseconds(asked.get("until")),
                tag=asked.get("tag"),
            )
        except (TypeError, KeyError) as problem:
            raise FaultError(f"The fault cannot be injected: {problem}") from problem
        return self.faults()

    def in_loop(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Run `call` in the event loop of the simulation and wait for its answer."""

        async def inside() -> dict[str, Any]:
            return call()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    def _asset(self, name: str) -> int:
        for index, path in enumerate(self._simulation.assets):
            if name in {path, path.rpartition("/")[2]}:
                return index
        raise FaultError(f"There is no asset {name!r} in this line: write a path like {self._simulation.assets[0]}.")


def _nanoseconds(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(float(milliseconds) * 1e6)


def _handler(lab: Lab) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(lab.faults)

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536))
            self._answer(lambda: lab.inject(json.loads(body)))

        def _answer(self, call: Callable[[], dict[str, Any]]) -> None:
            if self.path != "/lab/faults":
                self._send(404, {"detail": "There is only /lab/faults here."})
                return
            try:
                self._send(200, lab.in_loop(call))
            except (FaultError, ValueError) as refused:
                self._send(422, {"detail": str(refused)})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet: the truth keeps what was injected."""

    return Handler
