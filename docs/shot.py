"""Take pictures of every page of a running plant: `make demo` in one terminal, `make shot` in another.

By default into `build/screenshots`; `--readme` takes the pictures of docs/images.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

MACHINE = "delta/frames/machining/cell-b/cnc-13"
POT = "delta/smelter/potline/row-1/pot-17"
PAGES = {
    "overview": "/",
    "machining": "/line/frames/machining",
    "potline": "/line/smelter/potline",
    "machine": f"/asset/{MACHINE}",
    "pot": f"/asset/{POT}",
    "tag": f"/tag/{MACHINE}/spindle.power",
    "alarms": "/alarms",
    "connections": "/connections",
    "models": "/models",
}
LOOKS = {"light-en": "?lang=en&theme=light", "dark-zh": "?lang=zh&theme=dark"}
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")


def take(page: Page, address: str, path: Path) -> None:
    """One picture, once the page has drawn its trends."""
    page.goto(address)
    page.wait_for_timeout(4000)
    page.screenshot(path=path)
    print(path)  # noqa: T201


def connecting(page: Page, url: str, device: str, path: Path) -> None:
    """A connection while it is made, to a device of the plant."""
    page.goto(f"{url}/connections?lang=en&theme=light")
    page.get_by_role("link", name="Add a connection").first.click()
    page.get_by_label("Address").fill(device)
    page.get_by_label("Security").select_option("none")
    page.keyboard.press("Enter")
    page.get_by_role("searchbox").fill("spindle")
    page.get_by_role("treeitem").filter(has_text="Double").first.locator("[data-part=tick]").click()
    page.wait_for_timeout(4000)
    page.screenshot(path=path)
    print(path)  # noqa: T201


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--only", action="append", choices=PAGES, help="take this page only (repeatable)")
    parser.add_argument("--wall", action="store_true", help="in wall mode")
    parser.add_argument("--readme", action="store_true", help="only the pictures of docs/images")
    parser.add_argument("--device", default="opc.tcp://127.0.0.1:4840/shopfloor/", help="what docs/connecting.md shows")
    args = parser.parse_args()
    folder = Path("docs/images" if args.readme else "build/screenshots/plant")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.on("console", lambda said: said.type == "error" and print(said.text))  # noqa: T201
        if args.readme:
            take(page, f"{args.url}/?lang=en&theme=light", folder / "overview.png")
            connecting(page, args.url, args.device, folder / "connecting.png")
        else:
            for look, query in LOOKS.items():
                for name in args.only or PAGES:
                    wall = "&wall" if args.wall else ""
                    take(page, args.url + PAGES[name] + query + wall, folder / f"{name}-{look}.png")
        browser.close()


if __name__ == "__main__":
    main()
