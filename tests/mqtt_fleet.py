"""A thousand machines in one process: one MQTT connection each, by our own wire format over asyncio.

python tests/mqtt_fleet.py mqtt://127.0.0.1:1883 --devices 1000 --each 100
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from shopfloor.gateway.mqtt import wire
from shopfloor.gateway.mqtt.wire import V311, Hello

START_MS = 1_700_000_000_000


def raise_descriptors(needed: int) -> None:
    """Allow this process so many open files, or say that it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(f"{needed} open files are needed and {hard} allowed: raise the limit (ulimit -n).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@dataclass
class Device:
    """One machine: it publishes its numbers one by one, each after the last was acknowledged (QoS 1)."""

    url: str
    name: str
    each: int
    pause: float = 0.0
    connected: bool = False

    async def run(self, ready: asyncio.Semaphore, begin: asyncio.Event) -> None:
        parts = urlsplit(self.url)
        async with ready:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(wire.connect(Hello(self.name, 60), V311))
            assert (await reader.readexactly(4))[3] == 0
            self.connected = True
        await begin.wait()
        for n in range(self.each):
            body = json.dumps({"v": n, "t": START_MS + n}).encode()
            writer.write(wire.publish(f"fleet/{self.name}/count", body, n % 65_535 + 1, V311))
            assert (await reader.readexactly(4))[0] == wire.PUBACK << 4
            await asyncio.sleep(self.pause)
        writer.write(wire.GOODBYE)
        writer.close()
        await writer.wait_closed()


async def run(url: str, devices: int, each: int, pause: float = 0.0) -> tuple[float, float]:
    """Connect them all, then let them all speak; answers the seconds of both."""
    raise_descriptors(devices + 200)
    ready, begin = asyncio.Semaphore(50), asyncio.Event()
    fleet = [Device(url, f"machine-{n:04d}", each, pause) for n in range(devices)]
    began = time.monotonic()
    tasks = [asyncio.create_task(device.run(ready, begin)) for device in fleet]
    while not all(device.connected for device in fleet):
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.02)
    connected = time.monotonic()
    begin.set()
    await asyncio.gather(*tasks)
    return connected - began, time.monotonic() - connected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.0)
    args = parser.parse_args()
    connecting, speaking = asyncio.run(run(args.url, args.devices, args.each, args.pause))
    total = args.devices * args.each
    print(  # noqa: T201
        f"{args.devices} devices connected in {connecting:.1f} s; {total} messages (QoS 1) in {speaking:.1f} s,"
        f" {total / speaking:,.0f} a second"
    )


if __name__ == "__main__":
    main()
