"""`shopfloor replay`: serve a recording of a real machine as a live device.

Rows keep their distance in time, divided by the speed; source times are shifted so that the first row is now. A cell
without a value is published with bad quality and no value. After the last row the device stays, holding it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import AssetPath, PathError, ShopfloorError, quality
from shopfloor.plant.arguments import port, positive
from shopfloor.simulators.live import CATCH_UP
from shopfloor.simulators.plants import seconds
from shopfloor.simulators.recording import Recording, RecordingError, read
from shopfloor.simulators.told import told

SETTLE_S: Final = 1.0
"""With --wait: the first row is published when no client has asked for more tags for so long."""
_LOG: Final = logging.getLogger(__name__)

Publish = Callable[[int, int], Awaitable[None]]
"""Publish row `row` with the source time `moment` (UTC ns)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `shopfloor replay`."""
    parser.add_argument("file", type=Path, help="recording: .csv with a header line, or .parquet")
    parser.add_argument("--as", dest="protocol", choices=("opcua", "mqtt"), default="opcua", help="how to serve it")
    parser.add_argument("--speed", type=positive, default=1.0, metavar="K", help="times real time (default 1)")
    parser.add_argument("--port", type=port, default=4841, metavar="N", help="port of the OPC UA server (default 4841)")
    parser.add_argument("--mqtt", default="mqtt://127.0.0.1:1883", metavar="URL", help="address of the broker")
    parser.add_argument("--asset", metavar="PATH", help="site/area/line/cell/asset (default delta/replay/…/FILE)")
    parser.add_argument("--time", metavar="COLUMN", help="column with the time of each row (found by itself)")
    parser.add_argument(
        "--period",
        type=seconds,
        default=0.1,
        metavar="T",
        help="time between rows without such a column (default 100ms)",
    )
    parser.add_argument("--tags", type=lambda text: text.split(","), metavar="A,B", help="only these columns")
    parser.add_argument("--loop", action="store_true", help="begin again after the last row")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="hold the first row until a client watches (MQTT: until the broker is there)",
    )


def run(args: argparse.Namespace) -> int:
    """Replay until SIGINT or SIGTERM; 0 after a clean stop, 2 with one sentence when it cannot start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("asyncua", "paho"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        asset = _asset(args)
        if args.period <= 0:
            raise RecordingError("--period is 0: give the time between two rows, as in 100ms.")
        recording = read(args.file, time=args.time, period_s=args.period, tags=args.tags)
        asyncio.run(_serve(args, asset, recording))
    except (ShopfloorError, OSError) as problem:
        print(f"shopfloor replay: {told(problem)}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


async def _serve(args: argparse.Namespace, asset: AssetPath, recording: Recording) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    serve = opcua if args.protocol == "opcua" else mqtt
    async with AsyncExitStack() as stack:
        where = args.port if args.protocol == "opcua" else args.mqtt
        publish, watched, address = await stack.enter_async_context(serve(recording, asset, where))
        ready = {**address, "rows": len(recording), "tags": len(recording.columns), "time": recording.timing}
        print(f"ready {json.dumps(ready)}", flush=True)  # noqa: T201
        if args.wait:
            await _either(watched(), stop)
        rows = await play(recording, publish, stop=stop, speed=args.speed, loop=args.loop)
        print(f"done {json.dumps({'rows': rows})}", flush=True)  # noqa: T201
        await stop.wait()


async def play(
    recording: Recording,
    publish: Publish,
    *,
    stop: asyncio.Event,
    speed: float = 1.0,
    loop: bool = False,
    clock: Callable[[], int] = time.time_ns,
) -> int:
    """Publish row after row, each at its time; answers how many were published before `stop`."""
    start, rows = clock(), 0
    offsets = (recording.offsets / speed).astype("int64").tolist()
    while True:
        for row, offset in enumerate(offsets):
            await _until(start + offset, stop, clock, recording.period / speed)
            if stop.is_set():
                return rows
            await publish(row, start + offset)
            rows += 1
        if not loop:
            return rows
        start += offsets[-1] + max(1, round(recording.period / speed))


Served = tuple[Publish, Callable[[], Awaitable[None]], dict[str, Any]]


@asynccontextmanager
async def opcua(recording: Recording, asset: AssetPath, port: int) -> AsyncIterator[Served]:
    """A server with `Objects/Machines/<ASSET>/<column>`; namespace `urn:shopfloor:replay`."""
    from shopfloor.simulators.opcua import DeviceServer
    from shopfloor.simulators.tree import Variable

    device = asset.asset.upper()
    variables = [Variable((device, column.name), column.kind) for column in recording.columns]
    async with DeviceServer(variables, port=port, namespace="urn:shopfloor:replay") as server:

        async def publish(row: int, moment: int) -> None:
            cells = [column.cells[row] for column in recording.columns]
            await server.write(
                (index, 0, moment, quality.BAD) if cell is None else (index, cell, moment, quality.GOOD)
                for index, cell in enumerate(cells)
            )

        async def watched() -> None:
            loop, subscriptions = asyncio.get_running_loop(), server.subscriptions
            await subscriptions.arrived.wait()
            while (quiet := loop.time() - subscriptions.last_arrival) < SETTLE_S:  # noqa: ASYNC110 (a moving deadline)
                await asyncio.sleep(SETTLE_S - quiet)

        yield publish, watched, {"opcua": server.url, "root": f"Machines/{device}"}


@asynccontextmanager
async def mqtt(recording: Recording, asset: AssetPath, url: str) -> AsyncIterator[Served]:
    """A client that publishes one object per row on `factory/<site>/<line>/<asset>`."""
    from shopfloor.simulators.mqtt import Client
    from shopfloor.simulators.mqtt_line import milliseconds, topic, value_json

    place = topic(str(asset))
    async with Client(
        url, f"shopfloor-replay-{asset.asset}", status=f"factory/{asset.site}/status/{asset.asset}"
    ) as client:

        async def publish(row: int, moment: int) -> None:
            cells = {column.name: column.cells[row] for column in recording.columns}
            values = {name: cell for name, cell in cells.items() if cell is not None}
            client.publish(place, json.dumps({"t": milliseconds(moment), "values": values}).encode())
            for name in cells.keys() - values.keys():
                client.publish(f"{place}/{name}", value_json("", moment, quality.BAD))

        async def watched() -> None:
            await client.online.wait()

        yield publish, watched, {"mqtt": client.url, "topic": place}


def _asset(args: argparse.Namespace) -> AssetPath:
    if args.asset:
        return AssetPath.parse(args.asset)
    name = re.sub(r"[^\w.-]+", "-", args.file.stem.lower()).strip("-.") or "recording"
    try:
        return AssetPath.parse(f"delta/replay/recordings/cell-1/{name}")
    except PathError as problem:
        raise RecordingError(
            f"{args.file.name} makes no asset name: give --asset site/area/line/cell/asset."
        ) from problem


async def _until(moment: int, stop: asyncio.Event, clock: Callable[[], int], period: float) -> None:
    wait = (moment - clock()) / 1e9
    if wait < -1.0:
        wait = period / CATCH_UP / 1e9
    if wait <= 0:
        await asyncio.sleep(0)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(wait):
            await stop.wait()


async def _either(first: Awaitable[None], stop: asyncio.Event) -> None:
    waiting = {asyncio.ensure_future(first), asyncio.ensure_future(stop.wait())}
    _, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def main() -> int:
    """Run as `python -m shopfloor.simulators.replay`."""
    parser = argparse.ArgumentParser(prog="shopfloor replay", description=__doc__.splitlines()[0])
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
