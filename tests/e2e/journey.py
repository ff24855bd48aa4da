"""A person's way through the pages, step by step: what is clicked is counted, what is seen is kept as a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from browser import Visitor, visitor
from looking import settle, sideways
from playwright.sync_api import Browser, Locator, Page, expect

FOLDER = Path(__file__).parents[2] / "build" / "journeys"
DESK, TABLET, WALL = (1920, 1080), (834, 1112), (1920, 1080)
EN, ZH = "lang=en&theme=light", "lang=zh&theme=light"


@dataclass
class Journey:
    """Begins at the overview. Taps are counted; so are the fields that something was typed into."""

    number: int
    title: str
    guest: Visitor
    taps: int = 0
    fields: int = 0
    steps: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """What the person looks at."""
        return self.guest.page

    def tap(self, what: Locator) -> None:
        """One click, or one tap of a finger."""
        what.click()
        self.taps += 1

    def go(self, name: str) -> None:
        """Tap an entry of the navigation."""
        self.tap(self.page.locator("header nav").first.get_by_role("link", name=name, exact=True))

    def choose(self, what: Locator, **option: str) -> None:
        """Choose from a list: one click."""
        what.select_option(**option)
        self.taps += 1

    def type(self, what: Locator, text: str, key: str = "") -> None:
        """Write into a field, and perhaps press a key in it."""
        what.fill(text)
        self.fields += 1
        if key:
            what.press(key)

    def look(self, step: str) -> None:
        """Let the page settle, see that it fits, keep its picture."""
        settle(self.page, 0.3)
        assert sideways(self.page) <= 0, f"{step}: the page is wider than its window"
        FOLDER.mkdir(parents=True, exist_ok=True)
        name = f"{self.number:02} {self.title} {len(self.steps) + 1} {step}".replace(" ", "-")
        self.page.screenshot(path=FOLDER / f"{name}.png")
        self.steps.append(step)

    def told(self) -> None:
        """Keep the counts, and write the table of all journeys anew."""
        kept = {"title": self.title, "taps": self.taps, "fields": self.fields, "steps": self.steps}
        (FOLDER / f"{self.number:02}.json").write_text(json.dumps(kept))
        rows = [(file.stem, json.loads(file.read_text())) for file in sorted(FOLDER.glob("[0-9][0-9].json"))]
        lines = [
            f"| {int(n)} | {one['title']} | {one['taps']} | {one['fields']} | {', '.join(one['steps'])} |"
            for n, one in rows
        ]
        head = ["| | journey | clicks | fields typed | pictures |", "|---|---|---|---|---|"]
        (FOLDER / "clicks.md").write_text("\n".join([*head, *lines]) + "\n")


@contextmanager
def journey(
    number: int,
    title: str,
    url: str,
    browser: Browser,
    *,
    look: str = EN,
    size: tuple[int, int] = DESK,
    refusals: tuple[str, ...] = (),
) -> Iterator[Journey]:
    """Open the overview; at the end no page may have complained but of the refusals that the person was shown."""
    with visitor(url, browser) as guest:
        guest.page.set_viewport_size({"width": size[0], "height": size[1]})
        guest.open("/", look)
        expect(guest.page.get_by_test_id("tile")).to_have_count(60)
        walk = Journey(number, title, guest)
        yield walk
        walk.told()
        guest.complaints[:] = [said for said in guest.complaints if not any(one in said for one in refusals)]
