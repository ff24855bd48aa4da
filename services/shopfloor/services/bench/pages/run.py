"""The parts of `shopfloor bench pages`, each with its bar."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from shopfloor.plant import ShopfloorError
from shopfloor.services.bench.machine import facts, load, version
from shopfloor.services.bench.pages.plant import ASSET, Plant, standing
from shopfloor.services.bench.report import Page, rows

_INTRO: Final = """\
# Pages

The compiled pages in headless Chromium (no GPU, 1920x1080) on `shopfloor server`, browser and server on one machine.
A zoom is from the key to the drawn chart with its new values: browser, network and store. Values come ten times a
second; a chart is drawn again before it moves by more than a pixel: one of 290 pixels and a minute five times a second.
`shopfloor bench pages --publish` writes this page.
"""
_HEAD: Final = ("what", "measured", "bar", "kept", "load")
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
)


def table(part: dict[str, Any]) -> str:
    """A row for each bar."""
    return rows(_HEAD, [[str(row[name]) for name in _HEAD] for row in part["summary"]], left=1)


PAGE: Final = Page("pages", _INTRO, ("pages",), table)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--steps", type=int, default=80, metavar="N", help="steps of zooming (default: 80)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of live charts (default: 10)")
    parser.add_argument("--long", type=int, default=25_000_000, metavar="N", help="values of the long tag (25 million)")


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Fill a store, open a browser, and measure every bar."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as problem:
        raise ShopfloorError("There is no playwright: install 'shopfloor[dev]' to measure pages.") from problem
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise ShopfloorError("There is no Chromium on this machine: install it, as with apt-get install chromium.")
    machine = facts()
    with standing(folder) as plant, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_FLAGS])
        machine["versions"] |= {"chromium": browser.version, "playwright": version("playwright")}
        summary = [*_bars(browser, plant, args)]
        browser.close()
    return {"name": "pages", "title": "Zoom, first chart, weight, live charts", "summary": summary, "machine": machine}


def _bars(browser: Any, plant: Plant, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from shopfloor.services.bench.pages import look

    yield _row("first view, compressed", look.weight(browser, plant.url) / 1e3, 100, "kB")
    first, last = plant.fill(f"{ASSET}/million", 1_000_000, 10_000_000)
    address = f"{plant.url}/tag/{ASSET}/million?from={first}&to={last}"
    page, _ = look.opened(browser, address)
    steps = look.zooms(page, args.steps)
    page.context.close()
    yield _row(
        f"zoom on 1,000,000 values, p95 of {args.steps} (median {_median(steps):.0f} ms)", _p95(steps), 120, "ms"
    )
    cold = look.cold(browser, address, 5)
    yield _row(f"first chart, empty cache, worst of 5 (median {_median(cold):.0f} ms)", max(cold), 1000, "ms")
    first, last = plant.fill(f"{ASSET}/long", args.long, 100_000_000)
    page, took = look.opened(browser, f"{plant.url}/tag/{ASSET}/long?from={first}&to={last}")
    yield _row(f"all of {args.long:,} values, from the address to the chart", took, 1000, "ms")
    steps = look.zooms(page, args.steps // 2)
    page.context.close()
    yield _row(f"zoom on {args.long:,} values, p95 (median {_median(steps):.0f} ms)", _p95(steps), 1000, "ms")
    with plant.flowing():
        for view in look.VIEWS:
            found = look.live(browser, plant, view, args.seconds)
            yield _row(f"{view.name} x 600 values at 10 Hz: frames", found["fps"], 50, "/s", least=True)
            yield _row(f"{view.name}: CPU of the whole browser", found["core"] * 100, 40, "% of a core")
            yield _row(f"{view.name}: lost of {found['due']:,} values", found["lost"], 0, "")


def _row(what: str, value: float, bar: float, unit: str, *, least: bool = False) -> dict[str, Any]:
    kept = value >= bar if least else value <= bar
    limit = f"{'>=' if least else '<='} {bar:g} {unit}".strip()
    return {
        "what": what,
        "measured": f"{value:.0f} {unit}".strip(),
        "bar": limit,
        "kept": "yes" if kept else "no",
        "load": load(),
    }


def _median(times: Sequence[float]) -> float:
    return float(np.median(times))


def _p95(times: Sequence[float]) -> float:
    return float(np.percentile(times, 95))
