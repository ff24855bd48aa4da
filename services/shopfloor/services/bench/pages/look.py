"""What a browser takes: from a key to the drawn chart, from an address to the first one, CPU of live charts."""

from __future__ import annotations

import gzip
import time
from typing import Any, Final, NamedTuple

import httpx
import msgspec
import numpy as np
import psutil
from playwright.sync_api import Browser, Page, WebSocket
from shopfloor.services.bench.pages.plant import LANES, MACHINES, WALL, Plant

_SIZE: Final = {"width": 1920, "height": 1080}
_DRAWN: Final = ".plot[data-drawn]"
_ZOOM: Final = """
key => new Promise(done => {
  const plot = document.querySelector('.plot');
  const start = performance.now();
  const seen = new MutationObserver(() => {
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  });
  seen.observe(plot, { attributeFilter: ['data-drawn'] });
  window.dispatchEvent(new KeyboardEvent('keydown', { key }));
})
"""
_FRAMES: Final = """
ms => new Promise(done => {
  let frames = 0;
  const start = performance.now();
  const one = now => (now - start < ms ? (frames++, requestAnimationFrame(one)) : done(frames / (now - start) * 1000));
  requestAnimationFrame(one);
})
"""


class View(NamedTuple):
    """A page of live charts: how many tags its address names, how many it shows, and in how many charts."""

    name: str
    address: str
    named: int
    tags: int
    charts: int


VIEWS: Final = (
    View(f"{len(LANES)} lanes", "", len(LANES), len(LANES), len(LANES)),
    View(f"{len(LANES)} tags in one chart", "&view=one", len(LANES), len(LANES), 1),
    View(f"{len(MACHINES)} charts of 4 tags", "&view=machines", 4, len(WALL), len(MACHINES)),
)


def opened(browser: Browser, address: str) -> tuple[Page, float]:
    """A page with an empty cache, and how long it took until its first chart was drawn, in ms."""
    page = browser.new_context(viewport=_SIZE).new_page()  # type: ignore[arg-type]
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(_DRAWN).first.wait_for(state="attached")
    return page, (time.perf_counter() - begun) * 1e3


def cold(browser: Browser, address: str, rounds: int) -> list[float]:
    """The first chart with an empty cache, a few times."""
    times = []
    for _ in range(rounds):
        page, took = opened(browser, address)
        page.context.close()
        times.append(took)
    return times


def zooms(page: Page, steps: int) -> list[float]:
    """From a key to the drawn chart with its new values, in ms: in, along, out."""
    page.evaluate(_ZOOM, "+")
    keys = ("+", "ArrowRight", "+", "ArrowLeft", "-", "ArrowLeft", "-", "ArrowRight")
    return [float(page.evaluate(_ZOOM, keys[step % len(keys)])) for step in range(steps)]


def weight(browser: Browser, url: str) -> int:
    """Bytes of the first view, compressed."""
    page = browser.new_context(viewport=_SIZE).new_page()  # type: ignore[arg-type]
    page.goto(url)
    page.wait_for_selector("main > *")
    names = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    files = [url, *(name for name in names if "/assets/" in name)]
    page.context.close()
    return sum(len(gzip.compress(httpx.get(name, trust_env=False).content)) for name in files)


def live(browser: Browser, plant: Plant, view: View, seconds: float) -> dict[str, Any]:
    """Frames, CPU of all of the browser's processes and values that came, of all charts over their last minute."""
    came: list[float] = []

    def frame(payload: str | bytes) -> None:
        told = msgspec.msgpack.decode(payload) if isinstance(payload, bytes) else {}
        for part in told.get("parts", ()):
            came.extend(np.frombuffer(part["t"], np.float64))

    def socket(opened: WebSocket) -> None:
        opened.on("framereceived", frame)

    page = browser.new_context(viewport=_SIZE).new_page()  # type: ignore[arg-type]
    page.on("websocket", socket)
    page.goto(f"{plant.url}/tag/{LANES[0]}?span=15min&with={','.join(LANES[1 : view.named])}{view.address}")
    page.locator(_DRAWN).nth(view.charts - 1).wait_for(state="attached")
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_timeout(2000)
    first, before = time.time() * 1e3, _cpu_s()
    fps = float(page.evaluate(_FRAMES, seconds * 1e3))
    last, used = time.time() * 1e3, _cpu_s() - before
    page.wait_for_timeout(2000)
    page.context.close()
    due = view.tags * sum(first <= at / 1e6 < last for at in plant.fed)
    return {"fps": fps, "core": used / seconds, "due": due, "lost": due - sum(first <= at < last for at in came)}


def _cpu_s() -> float:
    """CPU of the browser with all its processes, so far."""
    total = 0.0
    for one in psutil.Process().children(recursive=True):
        try:
            if "chrom" in one.name():
                total += sum(one.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total
