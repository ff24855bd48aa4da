"""Looking at a page in a test: let it settle, look whether it fits, take its picture, ask axe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from front_end import tool
from playwright.sync_api import Browser, Page, sync_playwright

SHOTS = Path(__file__).parents[1] / "build" / "screenshots"
# The last list of features that are off replaces Playwright's, of which the first line holds what concerns a page. The
# second line's are pages of the address bar's own, drawn for every window: half of what opening a page costs.
OFF = (
    "PaintHolding", "HttpsUpgrades", "DestroyProfileOnBrowserClose", "OptimizationHints", "MediaRouter", "LensOverlay",
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
)  # fmt: skip
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--hide-scrollbars", f"--disable-features={','.join(OFF)}",
)  # fmt: skip
# What a theme changes, and what a language does.
COLOURS = "runOnly: ['color-contrast']"
WORDS = "rules: {'color-contrast': {enabled: false}}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium."""
    path = tool("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def go(page: Page, url: str, path: str, **parameters: Any) -> None:
    """Open a page of the server at `url`, in English and light where nothing else is asked."""
    query = "&".join(f"{key}={value}" for key, value in {"lang": "en", "theme": "light", **parameters}.items())
    page.goto(f"{url}{path}{'&' if '?' in path else '?'}{query}")


def settle(page: Page, seconds: float = 0.6) -> None:
    """Let a few frames arrive and be drawn."""
    page.wait_for_function(
        "([start, s]) => performance.now() - start > s * 1000", arg=[page.evaluate("performance.now()"), seconds]
    )


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def screen(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    settle(page, 0.15)


def fits(page: Page, name: str, place: str) -> None:
    assert sideways(page) <= 0, place
    page.screenshot(path=SHOTS / f"{name}-{place}.png", full_page=place == "tablet")


def violations(page: Page, some: str = "") -> list[str]:
    """What axe holds against a page: by all its rules, or by `some`. None of ours needs styles or media loaded anew."""
    found = page.evaluate(
        f"() => axe.run(document, {{resultTypes: ['violations'], preload: false, {some}}}).then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html, v.nodes[0].failureSummary]))"  # noqa: E501
    )
    return [f"{rule}: {html} {why}" for impact, rule, html, why in found if impact in {"serious", "critical"}]
