"""Every page in headless Chromium against the mock plant."""

from __future__ import annotations

import re
from typing import Any

import pytest
from complete import complete, reached_by_tab, read_from_afar
from looking import settle
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

CNC, POT = "delta/frames/machining/cell-a/cnc-07", "delta/smelter/potline/row-1/pot-13"
PAGES = {
    "overview": ("/", "tile"),
    "line-machining": ("/line/frames/machining", "tile"),
    "line-potline": ("/line/smelter/potline", "tile"),
    "asset-cnc": (f"/asset/{CNC}", "trend"),
    "asset-pot": (f"/asset/{POT}", "trend"),
    "tag": (f"/tag/{CNC}/spindle.power", "trend"),
    "alarms": ("/alarms", "alarms"),
    "alarms-aside": ("/alarms?show=aside", "aside"),
    "alarms-journal": ("/alarms?show=journal", "journal"),
    "alarms-by-line": ("/alarms?by=line", "group"),
    "connections": ("/connections", "source"),
    "models": ("/models", "model"),
    "maintenance": ("/maintenance", "risk"),
    "quality": ("/quality", "chart"),
    "control-chart": (f"/quality/dimension/{CNC}", "signals"),
}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_complete(open_page: Any, name: str) -> None:
    """One load, looked at in every respect (complete.py)."""
    path, content = PAGES[name]
    page = open_page(path)
    expect(page.get_by_test_id(content).first).to_be_visible()
    settle(page, 0.4)
    complete(page, name)


DIALOGS = {
    "keys": ("/alarms", "Keys"),
    "why": (f"/asset/{CNC}", "Why? Remaining tool life"),
    "python": (f"/tag/{CNC}/spindle.power", "Python"),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialog_is_complete(open_page: Any, name: str) -> None:
    path, opener = DIALOGS[name]
    page = open_page(path)
    button = page.get_by_role("button", name=opener, exact=True).first
    button.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    settle(page, 0.6)
    complete(page, f"dialog-{name}", wall=False)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_a_page_that_is_set_up_by_hand_has_no_wall_and_says_so(open_page: Any) -> None:
    page = open_page("/connect/edge-1-0a1b2c3d", wall="")
    wall = page.get_by_role("button", name="Wall", exact=True)
    expect(page.get_by_label("Address", exact=True)).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    expect(wall).to_be_disabled()
    expect(wall).to_have_attribute("title", re.compile("No wall screen here"))
    page.keyboard.press("w")
    expect(page.locator("html")).not_to_have_class("wall")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("No wall screen here")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.locator("html")).to_have_class("wall")


@pytest.mark.parametrize("path", ["/", "/line/smelter/potline"])
def test_wall_mode_can_be_asked_by_address(open_page: Any, path: str) -> None:
    page = open_page(path, wall="")
    expect(page.get_by_test_id("tile").first).to_be_visible()
    expect(page.locator("[data-key]").first).to_be_visible()
    read_from_afar(page, 1.0)


def test_the_wall_of_an_asset_says_what_is_abnormal_why_and_what_to_do(open_page: Any, mock_plant: Any) -> None:
    page = open_page(f"/asset/{CNC}", wall="")
    alarm, life = page.get_by_test_id("abnormal").nth(0), page.get_by_test_id("abnormal").nth(1)
    for card, told in (
        (alarm, ["Vibration above 2.83 mm/s", "limit 2.83 mm/s", "Why: It rose", "Do: Look at the tool"]),
        (life, ["Remaining tool life", "act now", "6 min", "Why: Spindle power is 31 %", "Do: Change the tool"]),
    ):
        for text in told:
            expect(card).to_contain_text(text)
    expect(alarm.locator("[data-quality=good]")).to_have_text(re.compile(r"\d\.\d\d mm/s"))
    read_from_afar(page, 1.0)
    mock_plant.switch(silent=True)
    expect(alarm.locator("[data-quality=stale]")).to_be_visible()
    expect(alarm).to_contain_text("STALE")
    read_from_afar(page, 1.0)
    mock_plant.switch(silent=False)
    page = open_page("/asset/delta/frames/machining/cell-a/cnc-05", wall="")
    expect(page.get_by_text("Nothing is out of the ordinary.")).to_be_visible()
    expect(page.get_by_test_id("abnormal")).to_have_count(0)


def test_every_section_has_its_letter_and_the_list_of_keys_names_it(open_page: Any) -> None:
    page = open_page("/alarms")
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(page.get_by_test_id("alarms").first).to_be_visible()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog").locator("dt").all_inner_texts()
    letters = [key[2:] for key in keys if key.startswith("g ") and not key[2:].isdigit()]
    assert len(letters) == links.count() - 1  # the brand leads to the overview too
    page.keyboard.press("Escape")
    for letter in letters:
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page.locator("nav [aria-current=page]").first).to_be_visible()


@pytest.mark.parametrize("path", ["/", f"/asset/{CNC}", "/alarms", "/connections", "/quality?show=out"])
def test_every_control_is_reached_by_tab_and_shows_it(open_page: Any, path: str) -> None:
    page = open_page(path)
    expect(page.locator("main a:visible").first).to_be_visible()
    settle(page, 0.3)
    assert reached_by_tab(page) == {"unseen": [], "missed": []}


def test_values_move(open_page: Any) -> None:
    page = open_page("/")
    values = page.locator("[data-key]")
    expect(values.first).not_to_have_text("–")
    before = values.all_inner_texts()
    page.wait_for_function(
        "old => [...document.querySelectorAll('[data-key]')].some((e, i) => e.innerText !== old[i])", arg=before
    )


def test_a_silent_server_makes_the_page_stale(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    mock_plant.switch(silent=True)
    expect(page.get_by_test_id("stale")).to_contain_text("STALE")
    expect(page.get_by_test_id("tile").first).to_contain_text("STALE")
    mock_plant.switch(silent=False)
    expect(page.get_by_test_id("stale")).to_have_count(0)


def test_a_lost_socket_comes_back_by_itself(open_page: Any, mock_plant: Any) -> None:
    page = open_page(f"/asset/{CNC}")
    expect(page.get_by_test_id("trend").first).to_be_visible()
    settle(page)
    mock_plant.switch(forget=True, drop=True)
    page.wait_for_function("() => document.querySelector('[data-testid=now] b')")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    refilled(mock_plant, page)


def refilled(mock_plant: Any, page: Page) -> None:
    for _ in range(50):
        if mock_plant.asked("history?tag="):
            return
        settle(page, 0.1)
    raise AssertionError("After the socket came back the page did not ask the history for what it missed.")


def test_drag_asks_the_server_for_the_chosen_time(open_page: Any, mock_plant: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power?span=1h")
    plot = page.locator(".u-over")
    expect(plot).to_be_visible()
    settle(page)
    mock_plant.switch(forget=True)
    box = plot.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=*")
    settle(page)
    asked = mock_plant.asked("history?tag=")[-1]
    parts = dict(part.split("=") for part in asked.split("?")[1].split("&"))
    span = float(parts["end"]) - float(parts["start"])
    assert span == pytest.approx(900_000 * 1.02 + 300_000, rel=0.03)
    assert 200 <= int(parts["points"]) <= 3000
    page.get_by_role("button", name="Live", exact=True).click()
    page.wait_for_url("**span=15min*")


def test_only_what_is_visible_is_subscribed(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/")
    expect(page.get_by_test_id("tile").first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_test_id("alarms")).to_be_visible()
    settle(page)
    assert mock_plant.switch()["subscriptions"][-1] == []
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', {value: true}); document.dispatchEvent(new Event('visibilitychange')); }"  # noqa: E501
    )
    page.go_back()
    settle(page)
    assert mock_plant.switch()["subscriptions"][-1] == []


def test_acknowledge_with_name_and_note(open_page: Any) -> None:
    page = open_page("/alarms")
    row = page.get_by_test_id("alarms").locator("li").filter(has_text="Machine aborted")
    row.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Your name").fill("Wang")
    page.get_by_label("Note").fill("Called maintenance")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(row).to_contain_text("Wang")
    expect(row).to_contain_text("Called maintenance")


def test_progress_of_history_and_training(open_page: Any, mock_plant: Any) -> None:
    mock_plant.switch(busy=0.42)
    page = open_page("/")
    expect(page.get_by_test_id("figures")).to_contain_text("42 %")
    expect(page.get_by_role("progressbar")).to_have_count(2)


def test_scores_stand_beside_the_baseline_with_their_split(open_page: Any) -> None:
    page = open_page("/models")
    model = page.get_by_test_id("model").filter(has_text="tool-life")
    expect(model).to_contain_text("Tested on machines 17 to 20, split by machine and by time.")
    expect(model).to_contain_text("2.60 min")
    expect(model).to_contain_text("5.40 min")
    expect(model).to_contain_text("not better than the baseline")
    expect(model).to_contain_text("91.2 %")


def test_language_and_theme_are_remembered(open_page: Any, mock_plant: Any) -> None:
    page = open_page("/alarms")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="报警")).to_be_visible()
    page.keyboard.press("d")
    page.goto(f"{mock_plant.url}/models")
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_bad_quality_is_named(open_page: Any) -> None:
    page = open_page("/asset/delta/frames/machining/cell-a/cnc-03")
    row = page.get_by_test_id("tags").locator("tr").filter(has_text="coolant.flow")
    expect(row).to_contain_text("BadSensorFailure")


def test_unknown_addresses_say_the_next_step(open_page: Any) -> None:
    page = open_page("/asset/delta/frames/machining/cell-a/cnc-99")
    expect(page.get_by_text("There is no asset")).to_be_visible()
    page = open_page("/nowhere")
    expect(page.get_by_text("There is no page /nowhere")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_first_view_is_light_and_in_one_language(open_page: Any, mock_plant: Any, language: str) -> None:
    import gzip

    import httpx

    page = open_page("/", lang=language)
    expect(page.get_by_test_id("tile").first).to_be_visible()
    files = page.evaluate(
        "performance.getEntriesByType('resource').map(e => e.name).filter(n => n.includes('/assets/'))"
    )
    assert [found[1] for name in files if (found := re.search("/(en|zh)-[^/]+$", name))] == [language]
    weight = sum(len(gzip.compress(httpx.get(name).content)) for name in [mock_plant.url, *files])
    assert weight <= 100_000
    assert all(
        name.startswith(mock_plant.url)
        for name in page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    )


def test_a_language_is_fetched_together_with_the_program(open_page: Any) -> None:
    page = open_page("/alarms")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/assets/core-*.js", hold)
    with page.expect_request("**/assets/zh-*.js"):
        page.goto(page.url.replace("lang=en", "lang=zh"), wait_until="commit")
    for route in held:
        route.continue_()
    expect(page.get_by_role("heading", name="报警")).to_be_visible()


def test_a_text_that_is_no_known_word_stays_as_it_is(open_page: Any) -> None:
    page = open_page(f"/asset/{CNC}", lang="zh")
    row = page.get_by_test_id("tags").locator("tr").filter(has_text="material.lot")
    expect(row).to_contain_text("L-099746")
