"""Looking at a page in a test: let it settle, look whether it fits, take its picture, ask axe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SHOTS = Path(__file__).parents[1] / "build" / "screenshots"


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


def violations(page: Page) -> list[str]:
    found = page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html, v.nodes[0].failureSummary]))"  # noqa: E501
    )
    return [f"{rule}: {html} {why}" for impact, rule, html, why in found if impact in {"serious", "critical"}]
