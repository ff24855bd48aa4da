"""What each role sees of the controls that change something: exactly those that the table of rights allows.

A new control gets a line in `CONTROLS`; a new part that sends something stands within `May`, or is opened by one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))
sys.path.insert(0, str(Path(__file__).parents[1] / "services" / "security"))

sys.path.insert(0, str(Path(__file__).parents[1] / "services" / "registry"))

from busy_plant import CNC, OTHER, PHRASE, busy
from running_server import Running
from shopfloor.services.production.orders import Order
from shopfloor.services.security.rights import Right, Role, may

ROOT = Path(__file__).parents[2]
CONTROLS = {
    "/alarms": {"Acknowledge": Right.ACKNOWLEDGE, "Shelve": Right.SHELVE},
    "/alarms?show=aside": {"Bring back": Right.SHELVE, "Set aside before": Right.SHELVE},
    f"/production?place={CNC}": {"Tell the reason": Right.DOWNTIME, "Enter scrap": Right.DOWNTIME},
    "/production/orders": {"Plan an order": Right.ORDERS, "Start order A-1": Right.ORDERS},
    "/maintenance/orders": {"Make a work order": Right.WORK_ORDERS},
    "/connections": {"Add a connection": Right.SOURCES},
    "/models": {
        "Promote": Right.PROMOTE, "Roll out": Right.PROMOTE, "Retire": Right.PROMOTE, "Start": Right.REPLAY,
        "Compare in the background": Right.SHADOW,
    },
}  # fmt: skip
"""Page and the beginning of a control's name, and the right that it takes."""
ROLES = {"ben": Role.VIEWER, "olga": Role.OPERATOR, "dora": Role.DATA_SCIENTIST, "emil": Role.ENGINEER}
SENDS = ("post(", "post<", '"save"', '"remove"', '"approve"')
WITHIN_MAY = {
    "Acknowledge.svelte", "ModelStep.svelte", "NewOrder.svelte", "ScrapEntry.svelte", "TellReason.svelte",
    "replaying.svelte.ts",
    "NewWorkOrder.svelte", "EndWork.svelte", "marking.svelte.ts", "connecting.svelte.ts", "Connect.svelte",
    "Accounts.svelte", "NewAccount.svelte", "NewPassword.svelte", "Sessions.svelte", "Tokens.svelte",
}  # fmt: skip
"""Parts that only something within `May` opens, or a page that is shown to those with its right alone."""
HARMLESS = {"http.ts", "me.svelte.ts", "comparison.svelte.ts"}


def test_every_part_that_sends_something_asks_whether_one_may() -> None:
    loose = []
    for file in sorted((ROOT / "dashboards" / "src").rglob("*.s*")):
        text = file.read_text("utf-8")
        asks = "<May right=" in text or "person.may(" in text
        if any(word in text for word in SENDS) and not asks and file.name not in WITHIN_MAY | HARMLESS:
            loose.append(file.name)
    assert loose == [], "put what changes something within <May right=…>, and give it a line in CONTROLS"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with busy(tmp_path_factory.mktemp("roles")) as server:
        alarm = next(one for one in server.parts.alarms.open() if one.condition.asset == OTHER)
        server.parts.alarms.shelve(alarm.id, "Anna", time.time_ns() + 3_600 * 10**9, "A test.")
        server.parts.production.orders.create(Order("A-1", "frame", CNC, 10, by="Anna"))
        yield server


def signed_in(name: str, server: Running, chromium: Browser) -> Page:
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce", locale="en")
    assert context.request.post(f"{server.url}/api/v1/login", data={"name": name, "password": PHRASE}).ok
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def usable(page: Page, path: str) -> set[tuple[str, str]]:
    """Controls of the table that somebody can use on a page that is being opened."""
    expect(page.locator("main h1").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    if path == "/models":
        page.get_by_text("Replay", exact=False).locator("visible=true").first.click()
    found = set()
    for name in CONTROLS[path]:
        named = page.locator("main").get_by_role("button", name=name)
        links = page.locator("main").get_by_role("link", name=name)
        if any(one.is_visible() and one.is_enabled() for one in (*named.all(), *links.all())):
            found.add((path, name))
    return found


def test_each_role_sees_what_it_may_do_and_nothing_else(server: Running, chromium: Browser) -> None:
    """All look at the same page at a time: a page is silent for half a second before it is known to be whole."""
    pages = {name: signed_in(name, server, chromium) for name in ROLES}
    seen: dict[str, set[tuple[str, str]]] = {name: set() for name in ROLES}
    for path in CONTROLS:
        for page in pages.values():
            page.goto(server.url + path + ("&" if "?" in path else "?") + "lang=en")
        for name, page in pages.items():
            seen[name] |= usable(page, path)
    for name, role in ROLES.items():
        page = pages[name]
        allowed = {(path, one) for path, some in CONTROLS.items() for one, right in some.items() if may(role, right)}
        assert seen[name] == allowed, name
        page.goto(f"{server.url}/alarms?lang=en")
        expect(page.get_by_test_id("alarms")).to_be_visible()
        page.keyboard.press("a")
        expect(page.get_by_role("dialog")).to_have_count(1 if may(role, Right.ACKNOWLEDGE) else 0)
        expect(page.get_by_role("link", name="Administration")).to_have_count(0)
        page.goto(f"{server.url}/connect/edge-1-00c0ffee?lang=en")
        refused = page.get_by_text("Connections are changed by engineers")
        expect(refused).to_have_count(0 if may(role, Right.BROWSE) else 1)
        page.context.close()
