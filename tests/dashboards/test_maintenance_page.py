"""The maintenance page in headless Chromium against the server itself: orders, their ends, marks, hits and misses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_end import modules
from looking import SHOTS, fits, go, screen, settle, violations
from playwright.sync_api import Page, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))
from maintained import CNC, maintained, tell_lives
from running_server import Running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with maintained(tmp_path_factory.mktemp("maintenance")) as server:
        tell_lives(server)
        yield server


def look(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    settle(page, 0.3)
    fits(page, name, "desk")
    page.evaluate((modules() / "axe-core/axe.min.js").read_text("utf-8"))
    assert violations(page) == []


def test_a_risk_becomes_an_order_whose_end_tells_the_truth_that_is_counted(page: Page, server: Running) -> None:
    go(page, server.url, "/maintenance")
    rows = page.get_by_test_id("risk")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("> 95 %")
    said = page.get_by_test_id("maintenance-sentence")
    expect(said).to_contain_text("2 within the hour. Most urgent: Pot 01")
    expect(rows.nth(1)).to_contain_text("within the hour")
    expect(rows.nth(3)).to_contain_text("No data for 9 minutes.")
    expect(page.get_by_text("No model speaks of 1 asset")).to_be_visible()
    rows.nth(1).get_by_role("button", name="Make a work order").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What", exact=True).fill("Change the tool")
    dialog.get_by_label("Your name").fill("Li")
    dialog.get_by_role("button", name="Make a work order").click()
    expect(dialog).to_have_count(0)
    rows.nth(1).get_by_role("link", name="Order 1").click()
    order = page.get_by_test_id("work-orders").get_by_role("listitem")
    expect(order).to_contain_text("The tool has cut for 60 min.")
    order.get_by_role("button", name="Done: work order 1").click()
    dialog.get_by_label("Replaced early").check()
    look(page, "work-order-end")
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("status").filter(has_text="The prediction is marked.")).to_be_visible()
    (mark,) = server.get("/marks", asset=f"{CNC}2")
    assert (mark["by"], mark["right"], mark["true_high"]) == ("Li", True, None)
    page.get_by_role("link", name="Hits and misses").click()
    record = page.get_by_test_id("record").filter(has_text="Tool life")
    expect(record.get_by_role("row").nth(1)).to_contain_text("50 %, promised 90 % (4 of 8)")
    expect(record.get_by_role("img")).to_have_accessible_name("Tool life: predicted against what came, 8 windows")
    look(page, "hits-and-misses")


def test_a_prediction_is_marked_in_two_taps_and_taken_back(page: Page, server: Running) -> None:
    go(page, server.url, f"/asset/{CNC}1")
    page.evaluate("localStorage.setItem('shopfloor.name', 'Wang')")
    card = page.get_by_test_id("prediction").filter(has_text="tool_life")
    card.get_by_role("button", name="Why?").click()
    marking = page.get_by_test_id("marking")
    marking.get_by_role("button", name="Right").click()
    said = marking.get_by_role("listitem")
    expect(said).to_contain_text("it was 500 to 700 min Wang")
    expect(page.get_by_role("dialog").locator(f"a[href^='/tag/{CNC}1/tool.id?from=']")).to_be_visible()
    look(page, "why")
    screen(page, 834, 1112)
    fits(page, "why", "tablet")
    marking.get_by_role("button", name="Wrong").click()
    expect(marking.get_by_role("alert")).to_contain_text("Say what it really was")
    marking.get_by_label("What it really was").fill("40")
    marking.get_by_role("button", name="Wrong").click()
    expect(said).to_contain_text("it was 40 min Wang")
    assert [one["true_low"] for one in server.get("/marks", asset=f"{CNC}1")] == [40]
    said.get_by_role("button", name="Take back").click()
    expect(said).to_have_count(0)
    assert server.get("/marks", asset=f"{CNC}1") == []
