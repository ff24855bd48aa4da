"""One demonstration and one Chromium for all tests that can share them: open from the first such test to the last."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from looking import chromium
from plant_under_test import PlantUnderTest, demo, until
from playwright.sync_api import Browser

OPTIONS = ("--history", "2d", "--seed", "7")


class Shared:
    """Opened by who needs it first; `close` is for the end of the last test that does."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._plant: PlantUnderTest | None = None
        self._browser: Browser | None = None

    def plant(self, folder: Path) -> PlantUnderTest:
        """`shopfloor demo` with both lines, as soon as values flow."""
        if self._plant is None:
            self._plant = self._open.enter_context(demo(folder, *OPTIONS))
            until("all sources flow", self._plant.flowing, 180, why=self._plant.story)
        return self._plant

    def browser(self) -> Browser:
        """Its driver keeps an event loop running, so that tests that have one of their own cannot share it."""
        if self._browser is None:
            self._browser = self._open.enter_context(chromium())
        return self._browser

    def close(self) -> None:
        """Stop the plant and the browser."""
        self._plant = self._browser = None
        self._open.close()
