"""The page of production in headless Chromium against the server itself, with stops that it recorded."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from complete import complete, said, themed
from front_end import modules
from looking import SHOTS, go, screen, settle, violations
from playwright.sync_api import Page, expect
from shopfloor.plant import Kind, Sample
from shopfloor.plant.config import load
from shopfloor.services.plants import demo_plant

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))
from running_server import Running, S, running, until

pytestmark = pytest.mark.browser
CELL = "delta/frames/machining/cell-a"
NOW = time.time_ns() // S * S
SHANGHAI = ZoneInfo("Asia/Shanghai")


def cycles(machine: int) -> Iterator[tuple[int, str]]:
    """States of the last three hours: a part every 100 s, and now and then a stop."""
    at = NOW - 3 * 3600 * S
    while at < NOW:
        yield at, "EXECUTE"
        number = (at // S + machine * 7) % 13
        length = 900 if number == 3 else 160 if number < 2 else 12
        yield at + 80 * S, "HELD" if length == 160 else "STOPPED" if length == 900 else "IDLE"
        at += (80 + length) * S


def fill(server: Running) -> None:
    for machine in range(1, 5):
        asset = f"{CELL}/cnc-{machine:02}"
        states = [(at, name) for at, name in cycles(machine) if at < NOW]
        server.feed(*(Sample(f"{asset}/state", at, name) for at, name in states), kind=Kind.TEXT)
        done = [at for at, name in states if name != "EXECUTE"]
        server.feed(*(Sample(f"{asset}/part.count", at, n) for n, at in enumerate(done)), kind=Kind.INT)
        server.feed(*(Sample(f"{asset}/part.id", at, 500 + n) for n, at in enumerate(done)), kind=Kind.INT)
        server.feed(*(Sample(f"{asset}/spindle.power", at, 2.0 + n % 3) for n, at in enumerate(done)))
        server.feed(*(Sample(f"{asset}/energy.total", at, 0.08 * n) for n, at in enumerate(done)))
        server.feed(Sample(f"{asset}/material.lot", done[0] - S, f"L-0000{machine % 2 + 1}"), kind=Kind.TEXT)
    quick = [NOW - 3 * 3600 * S + n * 46 * S for n in range(234)]  # twice as fast as the ideal cycle
    server.feed(*(Sample(f"{CELL}/cnc-05/state", at, "EXECUTE") for at in quick[::30]), kind=Kind.TEXT)
    server.feed(*(Sample(f"{CELL}/cnc-05/part.count", at, n) for n, at in enumerate(quick)), kind=Kind.INT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("production"), load(demo_plant(), environ={})) as server:
        fill(server)
        until(lambda: server.get("/production/downtime")["stops"], 20)
        yield server


def look(page: Page, name: str, *, wall: bool = True) -> None:
    """Desk, light and English first: the page may have been opened otherwise; nobody presses a button on a wall."""
    settle(page, 0.3)
    said(page, "en")
    themed(page, "light")
    complete(page, name, wall=wall)
    if wall and "/production" in page.url:
        page.keyboard.press("w")
        expect(page.locator("main :is(form, input, select, button):visible")).to_have_count(0)
        page.keyboard.press("w")


def test_a_stop_gets_its_reason_in_two_taps_and_the_losses_show_it(page: Page, server: Running) -> None:
    go(page, server.url, "/production", **{"from": NOW // 10**6 - 3_600_000, "to": NOW // 10**6})
    expect(page.get_by_test_id("oee").get_by_role("row")).to_have_count(22)
    page.get_by_role("button", name="CNC 05", exact=True).click()
    expect(page.get_by_test_id("losses").get_by_role("definition").first).to_contain_text("+")
    expect(page.get_by_text("gained")).to_be_visible()
    beyond = page.get_by_test_id("losses").evaluate("""list => [
        parseFloat(list.querySelector(".gain").style.left), parseFloat(list.style.getPropertyValue("--whole"))]""")
    assert beyond[0] == pytest.approx(beyond[1], abs=0.01)  # it begins where the planned time ends
    assert beyond[1] < 60
    page.get_by_role("button", name="CNC 01", exact=True).click()
    page.wait_for_url("**place=*")
    with page.expect_response(lambda answer: "order=newest" in answer.url) as asked:
        page.get_by_role("combobox", name="Order").select_option("newest")
    first = page.get_by_test_id("stop").first
    expect(first).to_have_attribute("data-stop", str(asked.value.json()["stops"][0]["id"]))
    first.get_by_role("button", name="Tell the reason").click()
    page.get_by_label("Your name").fill("Li")
    page.get_by_test_id("likely").get_by_role("button", name="Tool change").click()
    expect(page.get_by_test_id("stop").first.get_by_role("button", name="Tool · Tool change")).to_be_visible()
    expect(page.get_by_test_id("losses")).to_contain_text("Tool · Tool change")
    page.get_by_test_id("stop").nth(1).get_by_role("button").click()
    page.get_by_test_id("likely").get_by_role("button").first.click()  # the name is remembered: two taps
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Enter scrap").click()
    page.get_by_role("dialog").get_by_label("Quantity").fill("2")
    page.get_by_role("dialog").get_by_role("button", name="Enter scrap").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert server.get("/production/scrap")[0]["quantity"] == 2
    look(page, "production")
    go(page, server.url, "/production", place=f"{CELL}/cnc-01")
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.get_by_test_id("entry")).to_have_count(0)


def test_reasons_are_suggested_with_their_shares_and_a_stop_is_split_where_one_says(
    page: Page, server: Running
) -> None:
    """Long and untold stops first; the set-ups and short stops of three machines were told over HTTP before."""
    span = {"start": NOW / 1e6 - 3 * 3_600_000, "end": NOW / 1e6}
    for stop in server.get("/production/downtime", **span, limit=1_000)["stops"]:
        reason = "Set-up/New program" if stop["kind"] == "setup" else "Tool/Tool change"
        if not stop["asset"].endswith("01") and stop["end"] is not None:
            body = {"by": "Wu", "reason": reason}
            server.client.post(f"/api/v1/production/downtime/{stop['id']}/reason", json=body)
    asked = {"from": NOW // 10**6 - 3 * 3_600_000, "to": NOW // 10**6}
    go(page, server.url, "/production", **asked, place=f"{CELL}/cnc-01")
    first = page.get_by_test_id("stop").first
    expect(first.get_by_test_id("likeliest")).to_contain_text("Probably")
    expect(page.get_by_test_id("learned")).to_contain_text("learned from")
    before = server.get("/production/downtime", **span, place=f"{CELL}/cnc-01")["total"]
    first.get_by_role("button", name="Tell the reason").click()
    expect(page.get_by_test_id("likely").get_by_role("button").first).to_contain_text("%")
    page.get_by_role("dialog").get_by_label("Your name").fill("Li")
    look(page, "production-reason", wall=False)
    page.get_by_role("button", name="Split", exact=True).click()
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Split here").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert server.get("/production/downtime", **span, place=f"{CELL}/cnc-01")["total"] == before + 1


SHIFTS = {"早班": "08:00 – 16:00", "中班": "16:00 – 00:00", "夜班": "00:00 – 08:00"}


def test_shifts_are_walked_by_keys_and_the_address_holds_them(page: Page, server: Running) -> None:
    """The browser is elsewhere: the clocks of the plant count."""
    go(page, server.url, "/production", lang="zh", theme="dark")
    first = page.get_by_test_id("shift")
    expect(first).to_be_visible()
    name = first.inner_text()
    states = page.get_by_test_id("oee").locator("th small")
    expect(states).not_to_have_count(0)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**at=*")
    expect(first).not_to_have_text(name)
    times = page.get_by_role("group", name="时间").locator("span")
    assert re.sub(r"\d+-\d+ ", "", times.inner_text()) == SHIFTS[first.inner_text().split()[0]]
    assert page.get_by_test_id("zone").inner_text() == "UTC+8"
    expect(states).to_have_count(0)  # what machines do now says nothing of a shift that is over
    silent = page.get_by_test_id("oee").get_by_role("row", name="CNC 09").get_by_role("cell")
    expect(silent).to_have_text(["–"] * 6)
    page.keyboard.press("ArrowRight")
    expect(first).to_have_text(name)
    look(page, "production-zh")


def test_an_order_is_planned_and_started_and_a_part_leads_to_its_lot(page: Page, server: Running) -> None:
    go(page, server.url, "/production/orders")
    page.get_by_role("button", name="Plan an order").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your name").fill("Li")
    expect(dialog.get_by_label("Machine or line")).not_to_have_value("")
    dialog.get_by_label("Number").fill("A-7")
    dialog.get_by_label("Item").fill("FRAME-A")
    dialog.get_by_label("Material lots").fill("L-1, L-2")
    dialog.get_by_label("Comment").fill("For Friday")
    dialog.get_by_role("button", name="Plan an order").click()
    page.get_by_role("button", name="Start order A-7").click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.get_by_test_id("orders")).to_contain_text("running")
    expect(page.get_by_test_id("orders")).to_contain_text("For Friday")
    page.get_by_test_id("orders").get_by_role("button", name="A-7", exact=True).click()
    expect(page.get_by_test_id("order")).to_contain_text("kWh")
    page.get_by_test_id("parts").get_by_role("button", name="CNC 02").first.click()
    expect(page.get_by_test_id("story")).to_contain_text("L-00001")
    page.get_by_test_id("parts").get_by_role("link", name="L-00001").first.click()
    expect(page.get_by_role("heading", name="Made of the lot L-00001")).to_be_visible()
    expect(page.get_by_test_id("parts")).not_to_contain_text("L-00002")
    look(page, "production-orders")


def test_energy_is_told_by_machine_and_keeps_the_time_of_the_other_views(page: Page, server: Running) -> None:
    go(page, server.url, "/production", **{"from": NOW // 10**6 - 3_600_000, "to": NOW // 10**6})
    page.get_by_role("navigation", name="What to show").get_by_role("link", name="Energy").click()
    expect(page.get_by_test_id("energy")).to_contain_text("CNC 04")
    assert "from=" in page.url
    look(page, "production-energy")


def test_the_report_of_a_shift_is_seen_kept_and_read_without_the_server(page: Page, server: Running) -> None:
    go(page, server.url, "/production")
    page.get_by_role("link", name="Report", exact=True).click()
    page.wait_for_url("**/reports?*line=delta*")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Report of the shift", timeout=60_000)
    expect(frame.get_by_role("heading", name="OEE and losses")).to_be_visible()
    shift = server.get("/reports/period", at=NOW // 10**6)
    at = [datetime.fromtimestamp(shift[edge] / 1e3, SHANGHAI) for edge in ("start", "end")]
    shown = " – ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in at)
    expect(page.get_by_test_id("period")).to_contain_text(f"{shown} (Asia/Shanghai)")
    expect(page.get_by_role("link", name="Download PDF")).to_have_attribute("href", re.compile("format=pdf"))
    page.get_by_role("button", name="Make and keep").click()
    expect(page.get_by_test_id("kept")).to_contain_text("made", timeout=60_000)
    look(page, "reports")
    for language in ("中文", "English"):
        page.get_by_role("button", name=language, exact=True).click()
    shown_there = page.get_by_role("region", name="The report")
    expect(shown_there).to_contain_text("The report is being made")  # made anew: the first one is thrown away
    expect(shown_there).to_have_attribute("aria-busy", "false", timeout=60_000)
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Report of the shift")
    made: list[str] = []
    page.on("request", lambda request: made.append(request.url) if "/reports/shift?" in request.url else None)
    page.keyboard.press("w")
    expect(page.get_by_test_id("period")).to_have_count(0)
    expect(page.locator("main :is(a, input, select, button):visible")).to_have_count(0)
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    page.screenshot(path=SHOTS / "reports-wall.png")
    assert made == [], "a wall shows the report that stands there already"
    page.goto(f"{server.url}/api/v1/reports/shift?at={NOW // 10**6}&line=delta/frames/machining")
    screen(page, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate((modules() / "axe-core/axe.min.js").read_text("utf-8"))
    assert violations(page) == []


def test_the_page_says_what_the_server_refuses(page: Page, server: Running) -> None:
    page.route("**/api/v1/production/oee*", lambda route: route.fulfill(status=422, json={"detail": "Ask for less."}))
    go(page, server.url, "/production")
    expect(page.get_by_text("Ask for less.")).to_be_visible()


def test_pots_show_metal_efficiency_energy_and_anode_effects(page: Page, server: Running) -> None:
    """A pot that was tapped yesterday and an hour ago, with an anode effect between."""
    pot, first = "delta/smelter/potline/row-1/pot-01", NOW - 25 * 3600 * S
    hours = [(0, "NORMAL"), (0.7, "TAPPING"), (1, "UNDERFEED"), (12, "ANODE_EFFECT"), (12.05, "NORMAL")]
    hours += [(23.7, "TAPPING"), (24, "NORMAL")]
    server.feed(*(Sample(f"{pot}/state", first + round(at * 3600) * S, name) for at, name in hours), kind=Kind.TEXT)
    server.feed(*(Sample(f"{pot}/metal.tapped", first + hour * 3600 * S, 2_180.0) for hour in (1, 24)))
    server.feed(*(Sample(f"{pot}/current", first + 600 * n * S, 300.0) for n in range(150)))
    server.feed(*(Sample(f"{pot}/energy.total", first + 600 * n * S, 210.0 * n) for n in range(150)))
    until(lambda: server.get("/production/process", start=first / 1e6)["lines"][0]["portions"] == 2)
    until(lambda: server.get("/production/downtime", start=first / 1e6, end=NOW / 1e6, place=pot)["stops"])
    go(page, server.url, "/production/process", **{"from": first // 10**6, "to": NOW // 10**6, "place": pot})
    table = page.get_by_test_id("process")
    expect(table.get_by_role("row").nth(2)).to_contain_text("94.")
    expect(table).to_contain_text("Current efficiency")
    expect(page.get_by_test_id("states")).to_contain_text("Anode effect")
    expect(page.get_by_test_id("stop").first).to_contain_text("3 min")
    look(page, "production-process")
