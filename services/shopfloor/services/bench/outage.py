"""`shopfloor bench outage`: what a cut link costs, ours beside its peers, cut at the same moment by the same proxy.

North: the link from the gateway to its server (ours) or broker (thingsboard-gateway), with a buffer on disk. South: the
link from the gateway to an OPC UA server. Three cuts: refused with a reset for 3 s and for 30 s, and a silent drop of
30 s that ends in a reset, as when a firewall has forgotten a connection or a host was replaced.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.bench import loads, north, south
from shopfloor.services.bench.cache import Absent
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.machine import facts
from shopfloor.services.bench.outcome import Side, Watched
from shopfloor.services.bench.report import Page, number, rows
from shopfloor.services.bench.scenario import Scenario
from shopfloor.services.bench.worker import WorkerFailed

_INTRO: Final = """\
# Outages

What a cut link costs: ours and its peers read the same server and are cut at the same moment, each by a proxy of its
own. A *silent drop* swallows every byte while the connections stay open, and ends in a reset: what a firewall does that
has forgotten a connection, or a host that was replaced. Values are sequence numbers. *Lost* is what was due up to a
second before the end and never arrived; *twice* is what arrived more than once (ours: what is stored, or committed in
the spool, more than once); *resumed* is the time from the link being back to the first value (ours in the north: until
the server stores). In the north, values go through a buffer on disk: ours is the spool, thingsboard-gateway's is SQLite
with QoS 1. In the south, the server keeps 1,000 values for each item. python-opcua is another kind of server: it
forgets the subscriptions of a client whose connection ends; what came since is nowhere but in its history.

Run it yourself: `shopfloor bench outage`, or one part: `shopfloor bench outage --only north-silent`.
"""
_HEAD: Final = ("client", "values expected", "lost", "share", "twice", "resumed after s")
_SETTLE_S: Final = 2.0
_BEFORE_S: Final = 5.0
_AFTER_S: Final = 6.0
_LEAST_AFTER_S: Final = 3.0
PEERS: Final = ("thingsboard-gateway", "node-opcua", "asyncua iterator")


@dataclass(frozen=True, slots=True)
class Outage:
    """One cut: how, how long, on which side, against which server."""

    name: str
    title: str
    side: str
    silent: bool
    seconds: float
    server: str


_CUTS: Final = (("cut-3", "refused for 3 s", False, 3.0), ("cut-30", "refused for 30 s", False, 30.0),
                ("silent", "silent drop of 30 s, then a reset", True, 30.0))  # fmt: skip
_SERVERS: Final = {"columnar": "asyncua", "node-opcua": "node-opcua", "python-opcua": "python-opcua"}
OUTAGES: Final = tuple(
    [Outage(f"north-{name}", f"North: link to the server {text}", "north", silent, seconds, "columnar")
     for name, text, silent, seconds in _CUTS]
    + [Outage(f"{server}-{name}", f"South: link to an OPC UA server ({label}) {text}", "south", silent, seconds, server)
       for server, label in _SERVERS.items() for name, text, silent, seconds in _CUTS]
)  # fmt: skip


def chosen(names: str) -> list[Outage]:
    """Those of these names, or whose name begins or ends with one of them; all by default."""
    wanted = [word.strip() for word in names.split(",") if word.strip()]
    found = [one for one in OUTAGES if not wanted or any(_matches(one.name, word) for word in wanted)]
    if not found:
        raise ShopfloorError(f"There is no outage {names!r}: choose from {', '.join(one.name for one in OUTAGES)}.")
    return found


def _matches(name: str, word: str) -> bool:
    return name == word or name.startswith(f"{word}-") or name.endswith(f"-{word}")


def measure(names: str, clients: str, scale: float, place: Place) -> Iterator[dict[str, Any]]:
    """Run the outages one after the other; `scale` shortens all of it for a quick look."""
    for one in chosen(names):
        outage = replace(one, seconds=one.seconds * scale)
        machine, here = facts(), replace(place, folder=place.folder / one.name)
        try:
            watch = _BEFORE_S * scale, max(_AFTER_S * scale, outage.seconds, _LEAST_AFTER_S)
            summary = asyncio.run(_run(outage, clients, here, watch))
        except Absent as absent:
            summary = [{"client": "ours", "absent": str(absent)}]
        for row in summary:
            sys.stderr.write(f"{outage.name:22} {row}\n")
        yield {
            "name": outage.name, "title": outage.title, "machine": machine, "summary": summary,
            "seconds": outage.seconds,
            "bar": "0 lost, 0 stored twice" + (", resumed within 2 s" if outage.side == "south" else ""),
        }  # fmt: skip


async def _run(outage: Outage, clients: str, place: Place, watch: tuple[float, float]) -> list[dict[str, Any]]:
    before_s, after_s = watch
    items, hz = (20, 5.0) if outage.side == "north" else (50, 5.0)
    scenario = Scenario(outage.name, outage.title, "opcua", (), outage.server, items, hz, queue=1_000)
    wanted = {word.strip() for word in clients.split(",")} if clients else {"ours", *PEERS}
    sides = north.SIDES if outage.side == "north" else south.SIDES
    with ExitStack() as parts:
        try:
            load = await asyncio.to_thread(parts.enter_context, loads.running(scenario, place))
            started = [
                await _start(name, side, scenario, load, place, parts) for name, side in sides.items() if name in wanted
            ]
            watched = [one for one in started if isinstance(one, Watched)]
            await asyncio.sleep(_SETTLE_S)
            begun = time.time()
            await asyncio.sleep(before_s)
            back = await _cut(outage, watched)
            await asyncio.sleep(after_s)
            rows = [one if isinstance(one, dict) else await one.outcome(begun, back) for one in started]
            for one in watched:
                await one.link.__aexit__(None, None, None)
            return rows
        finally:
            await asyncio.to_thread(parts.close)


async def _start(
    name: str, side: Side, scenario: Scenario, load: loads.Load, place: Place, parts: ExitStack
) -> Watched | dict[str, Any]:
    """A client behind a link of its own; everything that blocks runs in a thread, because the links need the loop."""
    try:
        return await side(name, scenario, load, place, parts)
    except Absent as absent:
        return {"client": name, "absent": str(absent)}
    except WorkerFailed as problem:
        return {"client": name, "failed": str(problem)}


async def _cut(outage: Outage, watched: Sequence[Watched]) -> float:
    """Cut every link at once; answers when they were back (s since 1970)."""
    for one in watched:
        if outage.silent:
            one.link.drop()
        else:
            await one.link.refuse()
    await asyncio.sleep(outage.seconds)
    for one in watched:
        if outage.silent:
            one.link.reset()
        else:
            await one.link.accept()
    return time.time()


def table(part: dict[str, Any]) -> str:
    """One row for each client."""
    return rows(_HEAD, [_cells(row) for row in part["summary"]])


def _cells(row: dict[str, Any]) -> list[str]:
    name = f"**{row['client']}**" if row["client"] == "ours" else row["client"]
    if "lost" not in row:
        why = f"not installed ({row['absent']})" if row.get("absent") else f"failed ({row.get('failed')})"
        return [name, why.replace("|", "/"), *[""] * (len(_HEAD) - 2)]
    share = 100 * row["lost"] / row["expected"] if row["expected"] else 0.0
    return [
        f"{name} {row.get('version', '')}".strip(), number(row["expected"]), number(row["lost"]), f"{share:.1f} %",
        number(row["twice"]), number(row["resume_s"], 1),
    ]  # fmt: skip


PAGE: Final = Page("outage", _INTRO, [one.name for one in OUTAGES], table)
