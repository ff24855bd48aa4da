"""Screenshots of every page in light and dark, English and Chinese, at a desk, on a wall and on a tablet.

python tests/dashboards/shots.py http://127.0.0.1:8123 build/screenshots
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--hide-scrollbars",
]  # fmt: skip
PAGES = {
    "overview": "/",
    "line-machining": "/line/frames/machining",
    "line-potline": "/line/smelter/potline",
    "asset-cnc": "/asset/delta/frames/machining/cell-a/cnc-07",
    "asset-pot": "/asset/delta/smelter/potline/row-1/pot-13",
    "tag": "/tag/delta/frames/machining/cell-a/cnc-07/spindle.power",
    "alarms": "/alarms",
    "connections": "/connections",
    "models": "/models",
    "quality": "/quality",
    "control-chart": "/quality/dimension/delta/frames/machining/cell-a/cnc-07",
}
SCREENS = {"desk": (1920, 1080), "wall": (1920, 1080), "tablet": (834, 1112)}


def shoot(browser: Browser, base: str, folder: Path, name: str, screen: str, theme: str, lang: str) -> None:
    """Write one picture and complain on standard output about what the page's console said."""
    width, height = SCREENS[screen]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.on("console", lambda m: print(name, screen, m.type, m.text) if m.type in {"error", "warning"} else None)  # noqa: T201
    page.on("pageerror", lambda e: print(name, screen, "error", e))  # noqa: T201
    wall = "&wall" if screen == "wall" else ""
    page.goto(f"{base}{PAGES[name]}?lang={lang}&theme={theme}{wall}")
    page.wait_for_timeout(2500)
    page.screenshot(path=folder / f"{name}-{screen}-{theme}-{lang}.png", full_page=screen == "tablet")
    page.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", nargs="*", default=list(PAGES))
    parser.add_argument("--screens", nargs="*", default=list(SCREENS))
    parser.add_argument("--themes", nargs="*", default=["light", "dark"])
    parser.add_argument("--langs", nargs="*", default=["en", "zh"])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for one in given.pages:
            for place in given.screens:
                for look in given.themes:
                    for tongue in given.langs:
                        shoot(chromium, given.base, given.folder, one, place, look, tongue)
        chromium.close()
