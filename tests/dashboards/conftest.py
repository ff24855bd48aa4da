"""The mock plant as a child process, and a browser that counts what a page complains about."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import looking
import pytest
from playwright.sync_api import Browser, Page, expect
from shopfloor.dashboards import static_folder

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
pytest.register_assert_rewrite("complete")
expect.set_options(timeout=15_000)
USUAL: dict[str, Any] = {"silent": False, "broken": False, "busy": None, "fixed": None, "worth": 0}


class MockPlant:
    """The address of the mock server, and its switches."""

    def __init__(self, url: str) -> None:
        self.url = url

    def switch(self, **switches: Any) -> dict[str, Any]:
        """Set switches; answers what the pages asked so far."""
        answer = httpx.post(f"{self.url}/mock", json=switches)
        return dict(answer.json())

    def asked(self, what: str) -> list[str]:
        """Requests that began with a name."""
        return [line for line in self.switch()["asked"] if line.startswith(what)]


@pytest.fixture(scope="module")
def mock_server() -> Iterator[MockPlant]:
    """The mock plant, serving the compiled pages."""
    command = [sys.executable, str(HERE / "mock_server.py"), "--port", "0", "--static", str(static_folder())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        word, _, rest = process.stdout.readline().partition(" ")
        assert word == "ready"
        yield MockPlant(json.loads(rest)["url"])
        process.terminate()


@pytest.fixture
def mock_plant(mock_server: MockPlant) -> Iterator[MockPlant]:
    """The mock plant in its usual state."""
    mock_server.switch(**USUAL, forget=True)
    yield mock_server
    mock_server.switch(**USUAL)


class OneChromium:
    """Headless Chromium for all files here that follow one another."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        if self._browser is None:
            self._browser = self._open.enter_context(looking.chromium())
        return self._browser

    def close(self) -> None:
        self._browser = None
        self._open.close()


CHROMIUM = OneChromium()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """The browser's driver keeps an event loop running, which no test of another folder may meet."""
    result = yield
    if nextitem is None or HERE not in nextitem.path.parents:
        CHROMIUM.close()
    return result


@pytest.fixture
def chromium() -> Browser:
    """The browser; who opens a context closes it."""
    return CHROMIUM.browser()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page at a desk, on which no script may fail."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert said == []


Opener = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, mock_plant: MockPlant) -> Iterator[Opener]:
    """Open an address of the mock plant; at the end no page may have complained on its console.

    What the server refuses is shown to the person, and Chromium notes it as well.
    """
    said: list[str] = []
    contexts = []

    def opened(path: str, width: int = 1920, height: int = 1080, **parameters: str) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: said.append(f"{path}: {m.text}") if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: said.append(f"{path}: {e}"))
        looking.go(page, mock_plant.url, path, **parameters)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [
        line
        for line in said
        if "WebSocket" not in line and not re.search("status of (401|422|503)|being repaired|net::ERR_FAILED", line)
    ] == []
