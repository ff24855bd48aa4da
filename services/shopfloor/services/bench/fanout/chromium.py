"""The page itself in headless Chromium behind the whole plant: from sensor to pixel, after a restart, over time."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.rig import ASSET, Rig, standing
from shopfloor.services.bench.worker import module, started
from shopfloor.services.supervision.ports import free_port

_HZ: Final = 10.0
_TAGS: Final = 20
_WATCH: Final = Path(__file__).with_name("watch.js")
_FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
_EVERY_S: Final = 15.0
_MISSING: Final = "Chromium or playwright is not installed"


@contextmanager
def _page(place: Path, publish_ms: int, mode: str = "") -> Iterator[tuple[Rig, Any]]:
    """An OPC UA server, the gateway, the server, and the page of the asset in Chromium; all flows."""
    from playwright.sync_api import sync_playwright

    plan = {"port": free_port(), "items": _TAGS, "hz": _HZ}
    with (
        started("columnar-server", module("columnar", plan), place, patience_s=180) as source,
        standing(place / "rig", source.ready, _TAGS, publish_ms, 40) as rig,
        rig.gateway(),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
        page.add_init_script(path=_WATCH)
        page.goto(f"{rig.url}/asset/{ASSET}{mode}")
        page.wait_for_function("window.seen && window.seen.frames > 20", timeout=60_000)
        yield rig, page
        browser.close()


def _absent(name: str, title: str) -> dict[str, Any] | None:
    try:
        import playwright  # noqa: F401
    except ImportError:
        found = None
    else:
        found = shutil.which("chromium")
    if found:
        return None
    return {"name": name, "title": title, "machine": facts(), "summary": [{"absent": _MISSING}], "well": False}


def pixel(seconds: float, place: Place) -> dict[str, Any]:
    """From the source time of a value to the animation frame that draws it, and where that time goes."""
    title = f"From sensor to pixel: {_TAGS} tags at 10 Hz"
    if (absent := _absent("pixel", title)) is not None:
        return absent
    machine, summary = facts(), list[dict[str, Any]]()
    for publish_ms in (500, 50, 100):
        with _page(place.folder / f"pixel-{publish_ms}", publish_ms) as (_, page):
            page.evaluate("for (const leg of ['source', 'wire', 'draw', 'all']) window.seen[leg].length = 0")
            page.wait_for_timeout(seconds * 1000)
            told = page.evaluate("window.seen")
        for key, leg in _LEGS.items():
            late = np.array(told[key])
            row = {"leg": f"{leg} ({publish_ms} ms)", "values": len(late), "load": load()}
            for name, at in (("p50_ms", 50), ("p99_ms", 99), ("max_ms", 100)):
                row[name] = round(float(np.percentile(late, at)), 1)
            sys.stderr.write(f"{row}\n")
            summary.append(row)
    return {
        "name": "pixel", "title": title, "machine": machine, "summary": summary,
        "bar": "p99 of the whole at most 250 ms, where the OPC UA server publishes as by default (100 ms)",
        "well": summary[-1]["p99_ms"] <= 250,
    }  # fmt: skip


_LEGS: Final = {
    "source": "source to tick of the server: OPC UA, spool, store",
    "wire": "tick to page",
    "draw": "page to pixel",
    "all": "whole",
}


def restart(place: Place) -> dict[str, Any]:
    """The server ends and starts again; when the open page draws live values again, and what is missing in it."""
    title = "The server is started again under an open page"
    if (absent := _absent("restart", title)) is not None:
        return absent
    machine, summary = facts(), list[dict[str, Any]]()
    with _page(place.folder / "restart", 100) as (rig, page):
        page.evaluate("window.seen.keep = true")
        page.wait_for_timeout(3_000)
        server = rig.server
        command = [sys.executable, "-m", "shopfloor.services.cli", "server", "--config", "plant.yaml",
                   "--data", "server", "--port", str(rig.port)]  # fmt: skip
        down = time.time()
        server.process.terminate()
        server.process.wait(20)
        with started("server", command, rig.folder, announces=False):
            _answering(rig)
            up = time.time()
            page.wait_for_function(f"window.seen.opened.at(-1) > {down * 1e3}", timeout=30_000)
            page.evaluate("window.seen.frames = 0")
            page.wait_for_function("window.seen.frames > 0", timeout=30_000)
            again = time.time()
            page.wait_for_timeout(5_000)
            told = page.evaluate("window.seen")
    times = np.unique(np.array(told["times"]))
    times = times[times > (down - 2) * 1e3]
    hole = float(np.diff(times).max()) / 1e3
    row = {
        "downtime_s": round(up - down, 1), "again_s": round(again - up, 2), "reloads": told["loads"] - 1,
        "missing": max(0, round(hole * _HZ) - 1), "load": load(),
    }  # fmt: skip
    sys.stderr.write(f"{row}\n")
    summary.append(row)
    return {
        "name": "restart", "title": title, "machine": machine, "summary": summary,
        "bar": "live again at most 2 s after the server answers, nothing missing, no reload",
        "well": row["again_s"] <= 2 and not row["missing"],
    }  # fmt: skip


def _answering(rig: Rig) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            httpx.get(f"{rig.url}/api/v1/health", timeout=5, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.02)
        else:
            return


def heap(seconds: float, place: Place) -> dict[str, Any]:
    """The heap of the page on a wall after garbage was collected, every quarter of a minute."""
    title = f"The heap of a live page on a wall in {seconds / 60:g} minutes"
    if (absent := _absent("heap", title)) is not None:
        return absent
    machine, samples = facts(), list[tuple[float, float, int]]()
    with _page(place.folder / "heap", 100, "?wall") as (_, page):
        tools = page.context.new_cdp_session(page)
        begun, frames = time.monotonic(), page.evaluate("window.seen.frames")
        while (at := time.monotonic() - begun) < seconds:
            page.evaluate("for (const leg of ['source', 'wire', 'draw', 'all']) window.seen[leg].length = 0")
            tools.send("HeapProfiler.collectGarbage")
            used = tools.send("Runtime.getHeapUsage")["usedSize"] / 1e6
            samples.append((round(at, 1), round(used, 3), tools.send("Memory.getDOMCounters")["nodes"]))
            sys.stderr.write(f"{samples[-1]}\n")
            page.wait_for_timeout(min(_EVERY_S, max(0.0, seconds - at)) * 1000)
        frames = page.evaluate("window.seen.frames") - frames
    warm = np.array([one for one in samples if one[0] >= seconds / 5])
    slope = round(float(np.polyfit(warm[:, 0], warm[:, 1], 1)[0]) * 3600, 2)
    row = {
        "minutes": round(seconds / 60, 1), "frames": frames, "first_mb": float(warm[0, 1]), "last_mb": samples[-1][1],
        "mb_per_hour": slope, "nodes": f"{int(warm[0, 2])} / {samples[-1][2]}", "load": load(),
    }  # fmt: skip
    return {
        "name": "heap", "title": title, "machine": machine, "summary": [row],
        "samples": samples[:: len(samples) // 60 + 1],
        "bar": "less than 1 MB an hour, DOM nodes constant", "well": slope < 1,
    }  # fmt: skip
