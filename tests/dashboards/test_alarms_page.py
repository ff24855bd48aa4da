"""The page of alarms: two taps to the shelf, keys, a flood that is grouped, the journal that is asked and exported."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from complete import complete
from front_end import modules
from looking import SHOTS, settle, violations
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_two_taps_put_an_alarm_on_the_shelf_and_it_comes_back(open_page: Any) -> None:
    page = open_page("/alarms")
    page.evaluate("localStorage.setItem('shopfloor.name', 'Wang')")
    listed = page.get_by_test_id("alarms").locator("li")
    row = listed.filter(has_text="Vibration above")
    row.get_by_role("button", name="Shelve").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Your name")).to_have_value("Wang")
    complete(page, "alarms-shelve", wall=False)
    dialog.get_by_role("button", name="15 min").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Set aside").click()
    aside = page.get_by_test_id("aside").locator("li").filter(has_text="Vibration above")
    for said in ("shelved", "Wang", "Being worked on", "Below: active", "until"):
        expect(aside).to_contain_text(said)
    aside.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Bring back").click()
    expect(aside).to_have_count(0)
    page.get_by_role("button", name="Open (").click()
    expect(listed.filter(has_text="Vibration above")).to_be_visible()


def test_an_alarm_that_never_came_is_set_aside_in_two_taps(open_page: Any) -> None:
    """A search that leaves one alarm, and the time; more than one must be told apart first."""
    page = open_page("/alarms?show=aside")
    page.evaluate("localStorage.setItem('shopfloor.name', 'Eva')")
    opens = page.get_by_role("button", name="Set aside before it comes")
    opens.click()
    dialog = page.get_by_role("dialog")
    search, shelve = dialog.get_by_label("Alarm, machine or tag"), dialog.get_by_role("button", name="15 min")
    expect(search).to_be_focused()
    rows = dialog.get_by_test_id("designed").locator("li")
    expect(rows).to_have_count(6)
    expect(dialog).to_contain_text("more: search more closely")
    search.fill("cnc 03 oil")
    expect(rows).to_have_count(2)
    expect(shelve).to_be_disabled()
    complete(page, "alarms-early", wall=False)
    rows.first.get_by_role("radio").check()
    expect(shelve).to_be_enabled()
    search.fill("no such thing")
    expect(dialog.get_by_test_id("designed")).to_have_text("No alarm is called so")
    expect(shelve).to_be_disabled()
    search.fill("cnc 03 oil limit 2 bar")
    expect(dialog.get_by_role("status")).to_have_text("→ CNC 03 Oil pressure low, limit 2 bar")
    shelve.click()
    expect(dialog).to_have_count(0)
    aside = page.get_by_test_id("aside").locator("li").filter(has_text="Oil pressure low")
    for said in ("CNC 03", "shelved", "Eva", "Below: normal"):
        expect(aside).to_contain_text(said)
    opens.click()
    search.fill("cnc 03 oil")
    expect(rows).to_have_count(1)
    dialog.get_by_role("button", name="Cancel").click()
    aside.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Bring back").click()
    expect(aside).to_have_count(0)


def test_what_a_device_waits_for_is_drawn(open_page: Any, mock_plant: Any) -> None:
    """One waits for a confirmation, one has been answered and has not said so: light, then dark and in Chinese."""
    usual = httpx.get(f"{mock_plant.url}/api/v1/alarms", params={"state": "all"}).json()
    mock_plant.switch(alarms=waiting(usual))
    try:
        page = open_page("/alarms")
        rows = page.get_by_test_id("alarms").locator("li").filter(has=page.get_by_test_id("origin"))
        confirm = rows.get_by_role("button", name="at the device")
        expect(confirm).to_have_count(1)
        pending = rows.get_by_role("status")
        expect(pending).to_have_text("… Acknowledged by Wang; the device has not shown it yet")
        assert confirm.bounding_box()["height"] >= 44
        page.evaluate((modules() / "axe-core/axe.min.js").read_text("utf-8"))
        assert violations(page) == []
        page.keyboard.press("d")
        page.get_by_role("button", name="中文").click()
        expect(pending).to_have_text("… Wang 已确认；设备尚未显示")
        expect(rows.get_by_role("button", name="在设备上确认处理完毕")).to_have_count(1)
        assert violations(page) == []
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / "alarms-device.png")
    finally:
        mock_plant.switch(alarms=usual)


def waiting(alarms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alarms with two conditions of a device: to be confirmed, and acknowledged but not yet by the device."""
    device = next(alarm["device"] for alarm in alarms if alarm.get("device"))
    seen = next(alarm["acknowledged"] for alarm in alarms if alarm["acknowledged"])
    asked = {"act": "acknowledge", "by": "Wang", "time": device["time"]}
    plain = [alarm for alarm in alarms if not alarm.get("device")]
    condition = next(alarm for alarm in plain if alarm["state"] == "active") | {"kind": "condition"}
    latched = {"id": "d-1", "state": "latched-acknowledged", "acknowledged": seen}
    return [
        *plain,
        condition | latched | {"device": device | {"confirm": True}},
        condition | {"id": "d-2", "device": device | {"pending": asked}},
    ]


def test_keys_choose_acknowledge_and_shelve(open_page: Any) -> None:
    page = open_page("/alarms")
    rows = page.get_by_test_id("alarms").locator("li")
    expect(rows.first).to_be_visible()
    page.keyboard.press("j")
    expect(rows.first).to_have_attribute("aria-current", "true")
    assert "alarm=" in page.url, "a deep link to this alarm"
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_contain_text("Take out of service")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.type("ga")  # without a pause between, in which a busy machine takes an `a` for itself
    settle(page, 0.2)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_flood_is_grouped_by_line_instead_of_scrolling(open_page: Any, mock_plant: Any) -> None:
    mock_plant.switch(flood=True)
    try:
        page = open_page("/alarms")
        expect(page.get_by_test_id("flood")).to_contain_text("37 new alarms")
        expect(page.get_by_test_id("group")).to_have_count(2)
        expect(page.get_by_test_id("load")).to_contain_text("guide 10")
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / "alarms-flood.png")
    finally:
        mock_plant.switch(flood=False)


def test_the_journal_is_asked_by_its_address_and_exported(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/alarms?show=journal")
    rows = page.get_by_test_id("journal").locator("tbody tr")
    expect(rows.first).to_be_visible()
    page.get_by_label("Text, name or reason").fill("voltage noise")
    expect(rows).to_have_count(1)
    page.get_by_label("Became").select_option("active")
    page.locator("form select").last.select_option("7")
    assert "text=voltage+noise" in page.url
    assert "state=active" in page.url
    link = page.get_by_role("link", name="Export as CSV").get_attribute("href")
    assert link.startswith("/api/v1/alarms/transitions.csv?text=voltage+noise&state=active&start=")
    page.get_by_label("Became").select_option("latched")
    expect(page.get_by_text("Nothing in this time")).to_be_visible()
    asked = mock_plant.asked("alarms/transitions")[-1]
    assert "state=latched" in asked
