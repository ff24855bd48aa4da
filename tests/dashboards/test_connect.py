"""Browse and pick in headless Chromium against the mock plant: from an address to a saved connection."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from complete import complete
from looking import settle
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

PLC, SEALED, NOBODY = (f"opc.tcp://{host}.example:4840" for host in ("plc", "sealed", "nobody"))
BROKER = "mqtt://broker.example:1883"
GATEWAY = "/connect/edge-1-0a1b2c3d"
ASSET = "delta/frames/machining/cell-a/cnc-01"


def item(page: Page, name: str) -> Locator:
    return page.get_by_role("treeitem").filter(has=page.locator(".name", has_text=re.compile(f"^{name}$"))).first


def stands_on(page: Page, name: str) -> None:
    """The row that the keys stand on, as it is drawn and as it is told to a screen reader."""
    active = page.locator(".row.active").filter(has_text=name)
    expect(active).to_be_visible()
    expect(page.get_by_role("tree")).to_have_attribute("aria-activedescendant", str(active.get_attribute("id")))


def tick(page: Page, name: str) -> None:
    item(page, name).locator("[data-part=tick]").click()


def connect(page: Page, url: str) -> None:
    page.get_by_label("Address").fill(url)
    page.keyboard.press("Enter")


def saved(mock_plant: Any) -> dict[str, str]:
    return dict(mock_plant.switch()["sources"])


def test_from_an_address_to_a_saved_connection_in_five_clicks(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/connections")
    page.evaluate("() => { window.clicks = 0; addEventListener('click', () => (window.clicks += 1), true); }")
    page.get_by_role("link", name="Add a connection").click()
    page.get_by_label("Address").fill(SEALED)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_test_id("ladder").get_by_role("listitem").last).to_contain_text("not trusted yet")
    certificate = page.get_by_test_id("certificates").get_by_role("listitem")
    expect(certificate).to_contain_text("3F2A 9C0D 5E6B 7184 4A1F 0C9D 8E7B 6A5F 4C3D 2E10")
    expect(certificate).to_contain_text("CN=PLC hall 3")
    page.get_by_role("button", name="Approve").click()
    tick(page, "CNC-01")
    expect(page.get_by_test_id("dry-run")).to_contain_text("adds 240 tags and removes 0. 2 other sources")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("saved")).to_contain_text("sealed-example is saved")
    assert page.evaluate("window.clicks") <= 5
    assert saved(mock_plant)["sealed-example"] == page.get_by_test_id("text").text_content()
    assert f"tag: {ASSET}/spindle.power}}" in saved(mock_plant)["sealed-example"]


def test_a_refusal_says_the_step_and_what_to_do(open_page: Any) -> None:
    page = open_page(GATEWAY)
    connect(page, NOBODY)
    failed = page.get_by_test_id("ladder").get_by_role("listitem").last
    expect(failed).to_contain_text("Nothing listens on port 4840")
    expect(failed).to_contain_text("Do: Start the server, or correct the port.")
    expect(page.get_by_role("tree")).to_have_count(0)
    connect(page, "http://127.0.0.1")
    expect(page.get_by_role("tree")).to_be_visible()


def test_keys_walk_the_tree_and_tick(open_page: Any) -> None:
    page = open_page(GATEWAY)
    connect(page, PLC)
    tree = page.get_by_role("tree")
    expect(item(page, "CNC-01")).to_be_visible()
    tree.focus()
    for key in ("ArrowDown", *["ArrowRight"] * 4):
        page.keyboard.press(key)
    expect(item(page, "Power")).to_be_visible()
    stands_on(page, "Power")
    page.keyboard.press(" ")
    expect(item(page, "Power")).to_have_attribute("aria-checked", "true")
    for name in ("Spindle", "CNC-01", "Machines"):
        expect(item(page, name)).to_have_attribute("aria-checked", "mixed")
    page.keyboard.type("cnc-07")
    stands_on(page, "CNC-07")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.keyboard.press("End")
    stands_on(page, "CNC-20")
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(item(page, "Machines")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_text(re.compile(r"4\s800 of 5\s021 ticked"))).to_be_visible()


def test_values_show_quality_and_age(open_page: Any, mock_plant: Any) -> None:
    page = open_page(GATEWAY)
    connect(page, PLC)
    item(page, "CNC-01").locator(".name").click()
    item(page, "Spindle").locator(".name").click()
    expect(item(page, "Power").locator(".quality")).to_have_text("Good")
    expect(item(page, "Load").locator(".quality")).to_have_text("BadSensorFailure")
    expect(item(page, "Load").locator(".age")).to_contain_text("6 min")
    before = item(page, "Power").locator(".value").inner_text()
    expect(item(page, "Power").locator(".value")).not_to_have_text(before)
    watched = [body["nodes"] for kind, body in mock_plant.switch()["calls"] if kind == "values"][-1]
    assert "ns=2;s=CNC-01.Spindle.0" in watched
    assert len(watched) <= 200


def test_a_large_tree_stays_quick(open_page: Any, mock_plant: Any) -> None:
    """20,000 nodes: few are in the page, and no single pause is as long as a second, though two cores are shared."""
    mock_plant.switch(nodes=80)
    page = open_page(GATEWAY)
    page.evaluate(
        "() => { window.longest = 0; new PerformanceObserver(l => l.getEntries().forEach(e =>"
        " (window.longest = Math.max(window.longest, e.duration)))).observe({type: 'longtask'}); }"
    )
    connect(page, PLC)
    expect(page.get_by_text(re.compile(r"0 of 20\s081 ticked"))).to_be_visible()
    page.get_by_role("searchbox").fill("power")
    expect(page.get_by_role("treeitem").nth(5)).to_be_visible()
    tree = page.get_by_role("tree")
    for share in (0.3, 0.7, 1.0):
        tree.evaluate("(e, share) => (e.scrollTop = e.scrollHeight * share)", share)
        settle(page, 0.1)
    assert page.get_by_role("treeitem").count() < 80
    expect(item(page, "CNC-80")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    tick(page, "Machines") if item(page, "Machines").count() else None
    assert page.evaluate("window.longest") < 1000


def test_tags_and_asset_can_be_chosen(open_page: Any, mock_plant: Any) -> None:
    page = open_page(GATEWAY)
    connect(page, BROKER)
    expect(page.get_by_label("Security")).to_have_count(0)
    tick(page, "hall")
    expect(page.get_by_text("Choose what the values belong to.")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_label("Belongs to").select_option("other")
    page.get_by_label("Path of the asset").fill("delta/water/hall/cell-1/pumps")
    first = page.get_by_label("Tag of hall/pump-1/flow")
    expect(first).to_have_value("pump-1.flow")
    first.fill("inflow")
    first.press("Tab")
    expect(page.get_by_test_id("dry-run")).to_contain_text("adds 6 tags")
    page.get_by_role("textbox", name="Name", exact=True).fill("water")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("saved")).to_be_visible()
    text = saved(mock_plant)["water"]
    assert "- {topic: hall/pump-1/flow, tag: delta/water/hall/cell-1/pumps/inflow, value: v, time: ts}" in text
    page.get_by_role("textbox", name="Name", exact=True).fill("potline")
    expect(page.get_by_test_id("problems")).to_contain_text("stands in plant.yaml")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_a_connection_can_be_changed_and_keeps_what_is_not_found(open_page: Any, mock_plant: Any) -> None:
    written = saved(mock_plant)["press"]
    page = open_page(f"{GATEWAY}/press")
    expect(item(page, "Power")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_text("Not found at the device now: 1, the first is ns=2;s=gone.")).to_be_visible()
    expect(page.get_by_test_id("dry-run")).to_contain_text("adds 0 tags and removes 0.")
    assert page.get_by_test_id("text").text_content() == written
    tick(page, "Speed")
    page.get_by_role("button", name="Leave them out").click()
    expect(page.get_by_test_id("dry-run")).to_contain_text("adds 1 tag and removes 1.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("saved")).to_be_visible()
    assert "publishing_interval: 250ms" in saved(mock_plant)["press"]
    assert "gone" not in saved(mock_plant)["press"]


def test_what_stands_in_the_plant_file_is_shown_and_not_saved(open_page: Any) -> None:
    page = open_page(f"{GATEWAY}/machining")
    expect(page.get_by_text("stands in the plant file.", exact=False).first).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("link", name="Doctor").click()
    expect(page.get_by_test_id("ladder").get_by_role("listitem")).to_have_count(10)


def test_a_file_is_exported_and_imported(open_page: Any, mock_plant: Any, tmp_path: Path) -> None:
    page = open_page(f"{GATEWAY}/press")
    expect(item(page, "Power")).to_be_visible()
    page.get_by_test_id("written").locator("summary").click()
    with page.expect_download() as download:
        page.get_by_test_id("written").get_by_role("link", name="Download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert (file.name, file.read_text()) == ("press.yaml", saved(mock_plant)["press"])
    page = open_page(GATEWAY)
    page.get_by_test_id("import").set_input_files(file)
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("press")
    expect(item(page, "Power")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_test_id("dry-run")).to_contain_text("takes the place of the connection press")
    file.write_text("sources: []")
    page.get_by_test_id("import").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("with one source")


def test_certificates_of_a_gateway_are_judged(open_page: Any) -> None:
    page = open_page(f"{GATEWAY}?show=certificates")
    cards = page.get_by_test_id("certificates").get_by_role("listitem")
    expect(cards.first).to_contain_text("waits for a decision")
    expect(cards.filter(has_text="CN=Press")).to_contain_text("expires in 11 d")
    expect(cards.filter(has_text="CN=Old press")).to_contain_text("expired")
    cards.first.get_by_role("button", name="Reject").click()
    expect(cards.filter(has_text="CN=PLC hall 3")).to_contain_text("rejected")


@pytest.mark.parametrize("name", ["empty", "refused", "picked", "certificates"])
def test_every_state_is_complete(open_page: Any, name: str) -> None:
    page = open_page(f"{GATEWAY}?show=certificates" if name == "certificates" else GATEWAY)
    if name in {"refused", "picked"}:
        connect(page, {"refused": SEALED, "picked": PLC}[name])
    if name == "picked":
        item(page, "CNC-01").locator(".name").click()
        tick(page, "Spindle")
        page.get_by_text("As a file").click()
        expect(page.get_by_test_id("dry-run")).to_be_visible()
    elif name != "empty":
        expect(page.get_by_test_id("certificates")).to_be_visible()
    settle(page, 0.4)
    complete(page, f"connect-{name}", wall=False)
