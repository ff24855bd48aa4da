# ruff: noqa: T201 (a program for people)
"""Outages of an OPC UA link as they happen in a plant: python tests/bench/opcua_outage.py [--seconds 30].

Against node-opcua, asyncua and python-opcua (with history: it ends a session with its connection), 30 variables that
count every 50 ms are read into a spool through a link that is cut (refused) or falls silent and is then reset. Printed
for each: values in the spool, lost, duplicated, from history, and the seconds from the link's return to the first
value that is committed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))
from brokers import free_port
from counters import SERVERS, Run, counting, reading, source, until
from shopfloor.gateway.cut import Cut

HEADS = ("server", "outage", "values", "lost", "twice", "history", "resume s", "load")


async def outage(server: str, way: str, seconds: float) -> Run:
    port = free_port()
    with counting(server, port, variables=30, history=server == "python-opcua"), TemporaryDirectory() as folder:
        async with Cut("127.0.0.1", port) as link, reading(source(link.port, 30), Path(folder)) as run:
            await until(lambda: len(run.arrivals) > 5)
            if way == "cut":
                await link.refuse()
            else:
                link.drop()
            await asyncio.sleep(seconds)
            if way == "cut":
                await link.accept()
            else:
                link.reset()
            run.last = await run.after(time.monotonic())
            await until(lambda: not run.source.marks.gaps, 120)
            await asyncio.sleep(1)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    print(*(f"{head:>12}" for head in HEADS))
    for server in SERVERS:
        for way in ("cut", "silent"):
            run = asyncio.run(outage(server, way, arguments.seconds))
            values = sum(sum(one.values()) for one in run.counts().values())
            row = (server, way, values, run.lost(), run.duplicated(), run.backfilled(), f"{run.last:.2f}")
            print(*(f"{cell:>12}" for cell in (*row, f"{os.getloadavg()[0]:.1f}")), flush=True)


if __name__ == "__main__":
    main()
