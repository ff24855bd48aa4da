"""`shopfloor simulate`: one line of a plant, alive until it is told to stop.

The state lies in a folder: after `kill -9` the line goes on from its last checkpoint, as if it had run on meanwhile.
Heavy work (going through the past, writing history) happens in child processes that die with this one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import itertools
import json
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from shopfloor.plant import ShopfloorError
from shopfloor.plant.arguments import port, whole
from shopfloor.simulators import children, history, live
from shopfloor.simulators.checkpoint import Checkpoint
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.lab import Lab
from shopfloor.simulators.line import Line
from shopfloor.simulators.lines import NAMES, load
from shopfloor.simulators.plans import inject, wish
from shopfloor.simulators.plants import assets_of, seconds
from shopfloor.simulators.told import told
from shopfloor.simulators.truth import TruthLog

CHECKPOINT_EVERY: Final = 30
"""Steps between two checkpoints."""
_LOG: Final = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `shopfloor simulate`."""
    parser.add_argument("line", choices=NAMES, help="which line to simulate")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="folder of checkpoint and truth")
    parser.add_argument("--seed", type=int, default=1, help="everything random follows from it (default 1)")
    parser.add_argument(
        "--machines", type=whole(1, 260), metavar="N", help="how many machines or pots (default 20 or 40)"
    )
    parser.add_argument(
        "--opcua-port", type=port, default=4840, metavar="N", help="machining: port of the OPC UA server"
    )
    parser.add_argument("--mqtt", default="mqtt://127.0.0.1:1883", metavar="URL", help="potline: address of the broker")
    parser.add_argument("--history", type=seconds, metavar="7d", help="live through this much past first")
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="write that past to this folder, newest first")
    parser.add_argument(
        "--break",
        dest="breaks",
        type=wish,
        action="append",
        default=[],
        metavar="ASSET:FAULT:SEVERITY:FROM:UNTIL",
        help="plan a fault for a fresh line, counted from its going live: pot-17:feeder_block:1:-8m:30m (repeatable)",
    )
    parser.add_argument("--lab-port", type=port, metavar="N", help="allow faults to be injected over HTTP on this port")


def run(args: argparse.Namespace) -> int:
    """Simulate until SIGINT or SIGTERM; 0 after a clean stop, 2 with one sentence when it cannot start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("asyncua", "paho"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        args.state.mkdir(parents=True, exist_ok=True)
        with _alone(args.state):
            asyncio.run(_simulate(args))
    except (ShopfloorError, OSError) as problem:
        print(f"shopfloor simulate {args.line}: {told(problem)}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


@dataclass
class Site:
    """Where a line lives: its folder, what it is, and its stop signal."""

    args: argparse.Namespace
    line: Line
    stop: asyncio.Event

    @property
    def checkpoint(self) -> Path:
        """The file that a restart goes on from."""
        folder: Path = self.args.state
        return folder / f"{self.line.id}.checkpoint"

    @property
    def assets(self) -> list[str]:
        """Paths of the simulated assets."""
        return assets_of(self.line.id, self.args.machines)

    def job(self) -> history.Job | None:
        """The past to be written, if any was asked for: settled once, kept for every later start."""
        if not self.args.history or self.args.recordings is None:
            return None
        end = time.time_ns() // self.line.dt_ns * self.line.dt_ns
        start = end - round(self.args.history * 1e9)
        job = history.Job(
            self.line.id,
            tuple(self.assets),
            self.args.seed,
            start,
            end,
            str(self.args.recordings),
            str(self.args.state),
            plans=tuple(each.at(end) for each in self.args.breaks),
        )
        if not (self.args.state / history.JOB).exists():
            job.save()
        kept = history.Job.load(self.args.state)
        self.check(kept.line, kept.assets, kept.seed)
        return replace(kept, recordings=job.recordings, state=job.state)

    def check(self, line: str, assets: Sequence[str], seed: int) -> None:
        """Refuse a state folder that belongs to another plant."""
        if (line, list(assets), seed) != (self.line.id, self.assets, self.args.seed):
            raise ShopfloorError(
                f"{self.args.state} holds {len(assets)} assets of {line} with seed {seed}: ask for the same,"
                " delete it to begin anew, or give another --state."
            )


async def _simulate(args: argparse.Namespace) -> None:
    site = Site(args, load(args.line), asyncio.Event())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, site.stop.set)
    async with AsyncExitStack() as stack:
        child = await _history(site, stack)
        checkpoint = await _checkpoint(site, child)
        simulation = checkpoint and await _bring_to_now(site, checkpoint)
        if simulation:
            try:
                await _live(site, simulation)
            finally:
                simulation.snapshot().save(site.checkpoint)


async def _history(site: Site, stack: AsyncExitStack) -> children.History | None:
    job = site.job()
    if job is None or _complete(Path(job.recordings) / "manifest.json"):
        return None
    job.save()
    return await stack.enter_async_context(children.History(job))


def _complete(manifest: Path) -> bool:
    try:
        return bool(json.loads(manifest.read_text())["complete"])
    except FileNotFoundError:
        return False
    except (ValueError, TypeError, KeyError) as problem:
        raise ShopfloorError(f"{manifest} is no manifest of a recording ({problem}): delete its folder.") from problem


async def _checkpoint(site: Site, child: children.History | None) -> Checkpoint | None:
    """Where to go on from: the last checkpoint, the end of history, or a fresh plant; None when told to stop."""
    if site.checkpoint.exists():
        found = Checkpoint.load(site.checkpoint)
        site.check(found.line, found.assets, found.seed)
        return found
    if child:
        return await child.now(site.stop)
    if (ended := site.args.state / history.NOW).exists():
        return Checkpoint.load(ended)
    start = time.time_ns() - round((site.args.history or 0.0) * 1e9)
    fresh = Simulation(site.line, site.assets, site.args.seed, start)
    inject(fresh, [each.at(time.time_ns()) for each in site.args.breaks])
    return fresh.snapshot()


async def _bring_to_now(site: Site, checkpoint: Checkpoint) -> Simulation | None:
    """The simulation at this moment, or None when it was told to stop meanwhile."""
    if time.time_ns() - checkpoint.n * site.line.dt_ns > children.WORTH_A_CHILD * 1e9:
        checkpoint.save(site.checkpoint)
        if not await children.advance(site.line.id, site.checkpoint, site.stop):
            return None
        checkpoint = Checkpoint.load(site.checkpoint)
    simulation = Simulation.resume(site.line, checkpoint)
    await asyncio.to_thread(live.fast_forward, simulation)
    simulation.snapshot().save(site.checkpoint)
    return simulation


async def _live(site: Site, simulation: Simulation) -> None:
    wires = {"machining": _opcua, "potline": _mqtt}
    truth = TruthLog(site.args.state / "truth")
    with Lab.serve(simulation, site.args.lab_port) as lab:
        async with wires[site.line.id](site, simulation) as (wire, address):
            live.fast_forward(simulation)
            await wire.changes(simulation.current())
            ready = {**address, **({"lab": lab} if lab else {})}
            print(f"ready {json.dumps(ready)}", flush=True)  # noqa: T201
            try:
                await live.run(simulation, wire, stop=site.stop, every_step=_keeper(simulation, site.checkpoint, truth))
            finally:
                truth.flush(simulation)


def _keeper(simulation: Simulation, path: Path, truth: TruthLog) -> Callable[[], None]:
    steps = itertools.count(1)
    full = False

    def step() -> None:
        nonlocal full
        try:
            truth.observe(simulation)
            if next(steps) % CHECKPOINT_EVERY == 0:
                simulation.snapshot().save(path)
                full = False
        except OSError as problem:
            if not full:
                _LOG.warning("The state cannot be kept now (%s): the line runs on and tries again.", problem.strerror)
            full = True

    return step


@asynccontextmanager
async def _opcua(site: Site, simulation: Simulation) -> AsyncIterator[tuple[live.Wire, dict[str, str]]]:
    from shopfloor.simulators.opcua import DeviceServer
    from shopfloor.simulators.opcua_line import OpcUaWire, ask, conditions, variables

    async with DeviceServer(
        variables(site.line, simulation.assets),
        port=site.args.opcua_port,
        namespace=f"urn:shopfloor:{site.line.id}",
        on_write=lambda index, value: ask(simulation, index, value),
        conditions=conditions(site.line, simulation.assets),
    ) as server:
        yield OpcUaWire(simulation, server), {"opcua": server.url}


@asynccontextmanager
async def _mqtt(site: Site, simulation: Simulation) -> AsyncIterator[tuple[live.Wire, dict[str, str]]]:
    from shopfloor.simulators.mqtt import Client
    from shopfloor.simulators.mqtt_line import MqttWire, Orders

    orders = Orders(simulation)
    again = asyncio.Event()
    client = Client(
        site.args.mqtt,
        f"shopfloor-simulator-{site.line.id}",
        status=f"factory/delta/status/{site.line.id}",
        subscriptions=orders.subscriptions(),
        on_message=orders.take,
        on_online=again.set,
    )
    async with client:
        wire = MqttWire(simulation, client)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(client.online.wait(), 5)
        keeper = asyncio.create_task(_retain(simulation, wire, again))
        try:
            yield wire, {"mqtt": client.url}
        finally:
            keeper.cancel()


async def _retain(simulation: Simulation, wire: live.Wire, again: asyncio.Event) -> None:
    """A broker that comes back may have forgotten what it retained: tell it again."""
    while True:
        await again.wait()
        again.clear()
        await wire.changes(simulation.current())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise ShopfloorError(f"Another simulator uses {folder}: stop it or give another --state.") from problem
        yield


def main() -> int:
    """Run as `python -m shopfloor.simulators.main`."""
    parser = argparse.ArgumentParser(prog="shopfloor simulate", description="Simulate one line of a plant.")
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
