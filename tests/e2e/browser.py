"""A headless Chromium that keeps a picture of every page it saw and counts what the pages complained about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from looking import chromium
from playwright.sync_api import Browser, Page, expect

SHOTS = Path(__file__).parents[2] / "build" / "screenshots" / "e2e"

# The machine that runs these tests also runs the plant.
expect.set_options(timeout=30_000)


class Visitor:
    """One browser window on a plant."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.set_default_timeout(30_000)
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on(
            "response", lambda answer: answer.status >= 400 and self.complaints.append(f"{answer.status} {answer.url}")
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str, look: str = "lang=en&theme=light") -> Page:
        """Go to a page of the plant."""
        self.page.goto(f"{self.url}{path}?{look}")
        return self.page

    def keep(self, name: str) -> None:
        """Keep a picture for people."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@contextmanager
def visitor(url: str, browser: Browser | None = None) -> Iterator[Visitor]:
    """A window of its own in the browser (by default a new one); at the end no page may have complained."""
    with ExitStack() as stack:
        context = (browser or stack.enter_context(chromium())).new_context(viewport={"width": 1920, "height": 1080})
        guest = Visitor(context.new_page(), url)
        yield guest
        context.close()
    assert not guest.complaints, "\n".join(guest.complaints)
