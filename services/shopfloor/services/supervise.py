"""`shopfloor demo`: a whole plant on this machine, from one command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from shopfloor.plant import ShopfloorError
from shopfloor.plant.arguments import port, positive
from shopfloor.services.health import PROCESSES
from shopfloor.services.lock import check_space, owned
from shopfloor.services.plants import demo_plant
from shopfloor.services.security import gateway_token
from shopfloor.services.supervision.birth import NO_HISTORY, origin, span
from shopfloor.services.supervision.broker import broker_plan
from shopfloor.services.supervision.child import Child, Plan
from shopfloor.services.supervision.first_order import run_first_order
from shopfloor.services.supervision.ports import check_free, kept_ports
from shopfloor.services.supervision.screen import Screen, open_browser, progress

LINES: Final = ("machining", "potline")
_LEAST_SPACE: Final = 1_000_000_000
_FIGURES_S: Final = 2.0
_KILL_S: Final = 4.0
_DEVICES_S: Final = 30.0
_STORY: Final = {
    "machining": (
        "cnc-07:worn_tool:1:-10m:2h",
        "cnc-13:coolant_loss:1:-15m:45m",
        "cnc-16:sensor.lost@spindle.temperature:1:-5m:1h",
    ),
    "potline": ("pot-17:feeder_block:1:-6m:20m",),
}
"""What goes wrong in a fresh demonstration, counted from its going live: a plant without trouble shows nothing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of the demonstration."""
    parser.add_argument(
        "--port", type=port, default=8000, metavar="N", help="port of the pages (default: 8000; 0: any)"
    )
    parser.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="data folder (default: ./data)")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the simulated plant (default: 1)")
    parser.add_argument("--history", type=span, metavar="TIME", help="history to generate, as in 12h (default: 7d)")
    parser.add_argument("--for", type=positive, dest="seconds", metavar="SECONDS", help="stop after so many seconds")
    parser.add_argument("--broker", metavar="URL", help="MQTT broker to use instead of the one that comes along")
    parser.add_argument("--no-faults", action="store_true", help="do not plan the faults that the pages shall find")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")


def run(args: argparse.Namespace) -> int:
    """Run the plant until Ctrl-C, SIGTERM or the end of its time."""
    data = args.data.absolute()
    with owned(data, "demo"):
        check_space(data, _LEAST_SPACE)
        port_number = check_free(args.port)
        (data / "logs").mkdir(exist_ok=True)
        origin(args, data)
        gateway_token(data)
        plant = Plant(data, port_number, Screen(), browser=not args.no_browser)
        return asyncio.run(plant.run(plans(args, data, port_number), args.seconds))


def plans(args: argparse.Namespace, data: Path, page_port: int) -> list[Plan]:
    """Everything to start: broker, server, one simulator a line, gateway."""
    ports = kept_ports(data / "ports.json", ("broker", "opcua"))
    broker = args.broker or os.environ.get("SHOPFLOOR_MQTT")
    mqtt = broker or f"mqtt://127.0.0.1:{ports['broker']}"
    environment = {
        "SHOPFLOOR_PORT": str(page_port),
        "SHOPFLOOR_SERVER": f"http://127.0.0.1:{page_port}",
        "SHOPFLOOR_MQTT": mqtt,
        "SHOPFLOOR_OPCUA": f"opc.tcp://127.0.0.1:{ports['opcua']}/shopfloor/",
        "SHOPFLOOR_RECORDINGS": str(data / "recordings"),
        PROCESSES: str(data / "processes.json"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    config, token = str(demo_plant()), str(data / "secrets" / "gateway.token")

    def shopfloor(name: str, kind: str, *arguments: str) -> Plan:
        return Plan(name, kind, (sys.executable, "-m", "shopfloor.services.cli", *arguments), environment)

    transports = {"machining": ("--opcua-port", str(ports["opcua"])), "potline": ("--mqtt", mqtt)}
    return [
        *([] if broker else [broker_plan(data / "broker", ports["broker"])]),
        shopfloor("server", "server", "server", "--config", config, "--data", str(data), "--port", str(page_port)),
        *(
            shopfloor(line, "simulator", "simulate", line, *transports[line], "--seed", str(args.seed),
                      "--state", str(data / "simulators" / line), *_history(args, data, line), *_faults(args, line))
            for line in LINES
        ),
        shopfloor("gateway", "gateway", "gateway", "--config", config, "--data", str(data / "gateway"),
                  "--token-file", token),
    ]  # fmt: skip


def _faults(args: argparse.Namespace, line: str) -> list[str]:
    return [] if args.no_faults else [word for fault in _STORY[line] for word in ("--break", fault)]


def _history(args: argparse.Namespace, data: Path, line: str) -> tuple[str, ...]:
    folder = data / "recordings" / line
    folder.mkdir(parents=True, exist_ok=True)
    if args.history == NO_HISTORY:
        empty = {"rows_expected": 0, "rows_written": 0, "complete": True}
        (folder / "manifest.json").write_text(json.dumps(empty))
        return ()
    return ("--history", args.history, "--recordings", str(folder))


@dataclass
class Plant:
    """The running children, and what the person sees of them."""

    data: Path
    port: int
    screen: Screen
    browser: bool = True
    children: list[Child] = field(default_factory=list)
    problem: str = ""

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    async def run(self, wanted: list[Plan], seconds: float | None = None) -> int:
        """Start all, watch, and stop all; a child that refuses to start ends all with its sentence."""
        stop = asyncio.Event()

        def give_up(sentence: str) -> None:
            self.problem = self.problem or sentence
            stop.set()

        self.children = [Child(plan, self.data / "logs", self.screen.line, give_up) for plan in wanted]
        with _signals(stop):
            keepers = [asyncio.create_task(self._keep(child), name=child.plan.name) for child in self.children]
            watchers = [asyncio.create_task(self._figures()), asyncio.create_task(self._show())]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            await self._stop(keepers)
        (self.data / "processes.json").unlink(missing_ok=True)
        if self.problem:
            raise ShopfloorError(self.problem)
        return 0

    async def _keep(self, child: Child) -> None:
        """Keep a child; the gateway begins when its devices are there, so that it need not search for them."""
        if child.plan.kind == "gateway":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DEVICES_S):
                    for other in self.children:
                        if other.plan.kind == "simulator":
                            await other.ready.wait()
        await child.keep()

    async def _stop(self, keepers: list[asyncio.Task[None]]) -> None:
        """SIGTERM to all; SIGKILL to who is still there after four seconds."""
        self.screen.status("Stopping …")
        for child in self.children:
            child.signal(signal.SIGTERM)
        began = time.monotonic()
        for keeper, child in zip(keepers, self.children, strict=True):
            if child.pid is None:
                keeper.cancel()
        await asyncio.wait(keepers, timeout=_KILL_S)
        for child in self.children:
            child.signal(signal.SIGKILL)
        await asyncio.wait(keepers, timeout=1)
        self.screen.line(f"Stopped in {time.monotonic() - began:.1f} s; the data stays in {self.data}.")

    async def _figures(self) -> None:
        """Tell the server about the processes: it cannot see them by itself."""
        file = self.data / "processes.json"
        while True:
            text = json.dumps({"time": time.time(), "processes": [child.figures() for child in self.children]})
            part = file.with_suffix(".part")
            with contextlib.suppress(OSError):
                part.write_text(text)
                part.replace(file)
            await asyncio.sleep(_FIGURES_S)

    async def _show(self) -> None:
        """The address when the page answers, then progress."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=5) as client:
            self.screen.status("Starting …")
            while await self._health(client) is None:  # noqa: ASYNC110 (only HTTP can tell)
                await asyncio.sleep(0.2)
            self.screen.line(f"Shopfloor runs at {self.url} (data in {self.data}; Ctrl-C stops it)")
            await run_first_order(client)
            if self.browser:
                await asyncio.to_thread(open_browser, self.url)
            while True:
                if health := await self._health(client):
                    self.screen.status(progress(health))
                await asyncio.sleep(1)

    async def _health(self, client: httpx.AsyncClient) -> dict[str, Any] | None:
        try:
            answer = await client.get("/api/v1/health")
        except httpx.TransportError:
            return None
        return dict(answer.json()) if answer.is_success else None


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM ask for the end while the block runs."""
    loop, wanted = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in wanted:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)
