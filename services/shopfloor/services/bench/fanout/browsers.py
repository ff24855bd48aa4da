"""Fan-out: so many pages at 10 Hz, what the server needs for them and how late they hear; and beside stalled ones."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import Any, Final

from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.fanout.feed import feeding, tags
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.rig import Rig, standing
from shopfloor.services.bench.worker import module, started

_TOLD: Final = {"url": "opc.tcp://127.0.0.1:9", "node": "ns=2;s=t{}"}
_PROCESSES: Final = 2
_TAGS: Final = 40
_LARGE_SAMPLES: Final = 165
_SETTLE_S: Final = 3.0


def fan_out(counts: tuple[int, ...], seconds: float, place: Place) -> dict[str, Any]:
    """Frames of 40 values (1 kB) at 10 Hz."""
    machine = facts()
    with standing(place.folder / "fan-out", _TOLD, _TAGS, 100, 10) as rig, feeding(rig, _TAGS):
        alone = _measured(rig, 0, 0, seconds, place)
        summary = [_measured(rig, count, 0, seconds, place) for count in counts]
    for row in summary:
        row["for_pages_percent"] = round(row["cpu_percent"] - alone["cpu_percent"], 1)
    well = summary[-1]["for_pages_percent"] <= 20 and summary[-1]["p99_ms"] <= 100
    return {
        "name": "fan-out", "title": f"Pages at 10 Hz, {_TAGS} values a frame", "machine": machine,
        "bar": "500 pages on at most 20 % of a core, p99 at most 100 ms", "summary": [alone, *summary], "well": well,
    }  # fmt: skip


def stalled(seconds: float, place: Place) -> dict[str, Any]:
    """Frames of 160 kB at 10 Hz to 20 pages, alone and beside 10 that never read; three rounds in turn."""
    machine, summary = facts(), list[dict[str, Any]]()
    with (
        standing(place.folder / "stalled", _TOLD, _TAGS, 100, 10) as rig,
        feeding(rig, _TAGS, _LARGE_SAMPLES),
    ):
        for count in (0, 10) * 3:
            summary.append(_measured(rig, 20, count, seconds, place))
    alone, beside = (
        sorted(row["p99_ms"] for row in summary if bool(row["stalled"]) is which)[1] for which in (False, True)
    )
    change = round(100 * (beside / alone - 1), 1)
    summary.append({"pages": 20, "stalled": "10 / 0", "change_percent": change, "load": load()})
    return {
        "name": "stalled", "title": "Frames of 160 kB at 10 Hz, beside pages that never read", "machine": machine,
        "bar": "the median p99 of the others changes by less than 10 %", "summary": summary, "well": change < 10,
    }  # fmt: skip


def _measured(rig: Rig, pages: int, idle: int, seconds: float, place: Place) -> dict[str, Any]:
    """One count of pages for some seconds."""
    with ExitStack() as open_pages:
        workers = []
        for number in range(_PROCESSES if pages else 0):
            asked = {
                "port": rig.port, "tags": tags(_TAGS), "pages": pages // _PROCESSES,
                "stalled": idle if number == 0 else 0,
            }  # fmt: skip
            command = module("fanout.pages", asked)
            workers.append(open_pages.enter_context(started(f"pages-{number}", command, place.folder)))
        time.sleep(_SETTLE_S)
        for worker in workers:
            worker.tell("start")
        before, begun = rig.server.usage().cpu_s, time.monotonic()
        time.sleep(seconds)
        cpu, took = rig.server.usage().cpu_s - before, time.monotonic() - begun
        for worker in workers:
            worker.tell("stop")
        told = [worker.hear("result") for worker in workers]
    row: dict[str, Any] = {"pages": pages, "stalled": idle, "cpu_percent": round(100 * cpu / took, 1), "load": load()}
    if told:
        row["frames_per_s"] = round(sum(one["frames"] for one in told) / took / pages, 1)
        row["p50_ms"] = max(one["p50_ms"] for one in told)
        row["p99_ms"] = max(one["p99_ms"] for one in told)
    sys.stderr.write(f"{row}\n")
    return row
