"""What each page shows when nothing is there, the server is slow, silent, broken, or refuses one question."""

from __future__ import annotations

import re
from typing import Any

import pytest
from looking import settle
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
CNC = "delta/frames/machining/cell-a/cnc-07"
GATEWAY = "/connect/edge-1-0a1b2c3d"

# Page -> what it asks for itself: the beginning of the address.
ASKING = {
    "/alarms?show=journal": "alarms/transitions",
    "/connections": "ledger",
    "/models": "registry",
    "/quality": "quality",
    f"/quality/dimension/{CNC}": "quality/dimension",
    "/production": "production/oee",
    "/production/orders": "production/",
    "/production/energy": "production/energy",
    f"/tag/{CNC}/spindle.power": "history",
    f"/asset/{CNC}": "history",
}  # fmt: skip
REFUSED = "The store is being repaired."
SPAN = {"start": 1, "end": 2, "shift": "", "day": "", "shift_end": 2, "before": 0, "after": None}
# What stands for an answer that holds nothing.
EMPTY = {
    "/alarms?show=journal": ("alarms/transitions", []),
    "/models": ("models", []),
    "/quality": ("quality", []),
    "/production": ("production/oee", {**SPAN, "lines": []}),
    "/production/energy": ("production/energy", {**SPAN, "lines": []}),
}  # fmt: skip


def walk(page: Page, path: str) -> None:
    """To another page as a click on a link leads there: nothing is loaded anew."""
    page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path)


def matching(part: str) -> Any:
    return lambda url: f"/api/v1/{part}" in url


def unanswered(_: Any) -> None:
    """A server that took the question and never answers."""


def answering(value: Any) -> Any:
    return lambda route: route.fulfill(json=value)


@pytest.fixture
def home(open_page: Any) -> Page:
    """A page that has learned the plant already; what goes wrong then goes wrong on other pages."""
    page: Page = open_page("/alarms")
    expect(page.get_by_role("heading", name="Alarms")).to_be_visible()
    return page


def test_a_refusal_is_told_with_the_next_step_and_goes_by_itself(home: Page) -> None:
    for path, asked in ASKING.items():
        home.route(matching(asked), lambda route: route.fulfill(status=503, json={"detail": REFUSED}))
        walk(home, path)
        expect(home.get_by_role("alert").first, path).to_contain_text(REFUSED)
        home.unroute_all(behavior="ignoreErrors")
    walk(home, "/models")
    expect(home.get_by_test_id("model").first).to_be_visible(timeout=20_000)
    expect(home.get_by_role("alert")).to_have_count(0)


def test_a_server_that_cannot_be_reached_is_told_in_the_language_of_the_page(home: Page) -> None:
    home.get_by_role("button", name="中文").click()
    for path, asked in ASKING.items():
        home.route(matching(asked), lambda route: route.abort())
        walk(home, path)
        expect(home.get_by_role("alert").first, path).to_contain_text("无法连接服务器")
        home.unroute_all(behavior="ignoreErrors")


def test_a_wait_says_how_long_it_goes_on(home: Page) -> None:
    home.route(matching("quality"), unanswered)
    walk(home, "/quality")
    expect(home.get_by_test_id("notice-loading")).to_contain_text("The server is slow")


def test_where_nothing_is_the_page_says_what_would_be_there(home: Page) -> None:
    for path, (asked, nothing) in EMPTY.items():
        home.route(matching(asked), answering(nothing))
        walk(home, path)
        notice = home.get_by_test_id("notice-empty").first
        expect(notice, path).to_be_visible()
        expect(notice.locator(".text"), path).not_to_be_empty()
        home.unroute_all(behavior="ignoreErrors")


def test_no_old_number_looks_fresh(home: Page, mock_plant: Any) -> None:
    """After the server fell silent: a word and an age in the bar, and a mark on what is shown."""
    walk(home, "/quality")
    expect(home.get_by_test_id("chart").first).to_be_visible()
    mock_plant.switch(silent=True)
    expect(home.get_by_test_id("stale")).to_contain_text("STALE")
    expect(home.get_by_test_id("old")).to_contain_text("ago")
    for path, shown in (
        ("/", "tile"),
        ("/line/frames/machining", "tile"),
        (f"/asset/{CNC}", "now"),
        (f"/tag/{CNC}/spindle.power", "now"),
        ("/connections", "source"),
    ):
        walk(home, path)
        expect(home.get_by_test_id(shown).first, path).to_contain_text("STALE", timeout=20_000)
    walk(home, f"/tag/{CNC}/spindle.power")
    expect(home.get_by_test_id("silent")).to_contain_text("STALE since", timeout=20_000)


FOUND = r"""() => {
  const shown = e => e.checkVisibility();
  const nameless = [], measured = {};
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let at = texts.nextNode(); at; at = texts.nextNode()) {
    const e = at.parentElement, value = /4\s?711/.test(at.data);
    if (!shown(e) || !(value || e.matches('[data-key]'))) continue;
    const says = e.closest('[data-unit]');
    const quality = says?.dataset.quality;
    const told = says?.textContent.includes(says.dataset.unit) && (quality || !value);
    if (!told) nameless.push(e.outerHTML.slice(0, 120));
    if (value) measured[quality] = (measured[quality] ?? 0) + 1;
  }
  return { nameless, measured };
}"""


def test_every_measured_number_has_its_unit_and_its_quality(home: Page, mock_plant: Any) -> None:
    """On a desk, then on a wall: every tag has one number that is met nowhere else, wherever it stands in a page."""
    numbered = ("/", "/line/frames/machining", "/line/smelter/potline", f"/asset/{CNC}", f"/tag/{CNC}/spindle.power")
    others = ("/quality", "/maintenance", "/models", "/connections")
    for worth, quality, paths in ((0, "good", numbered), (0x40930000, "uncertain", (*numbered, *others))):
        mock_plant.switch(fixed=4711.0, worth=worth)
        home.reload()
        for path in paths:
            walk(home, path)
            if path in numbered:
                told = home.locator(f"main [data-quality={quality}]:visible").filter(has_text=re.compile("4.?711"))
                expect(told.first, path).to_be_visible(timeout=20_000)
            else:
                expect(home.locator("main [data-key]").first, path).to_be_visible(timeout=20_000)
            settle(home, 0.3)
            found = home.evaluate(FOUND)
            assert found["nameless"] == [], path
            assert set(found["measured"]) <= {quality}, path
        home.keyboard.press("w")


def test_a_plant_that_cannot_be_asked_at_all_says_so(open_page: Any, mock_plant: Any) -> None:
    mock_plant.switch(broken=True)
    page = open_page("/")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    mock_plant.switch(broken=False)
    expect(page.get_by_test_id("tile").first).to_be_visible()


def test_an_updated_server_has_other_parts_and_the_page_is_loaded_anew_once(home: Page) -> None:
    loaded: list[str] = []
    home.on("load", lambda page: loaded.append(page.url))
    home.route("**/assets/Quality-*.js", lambda route: route.fulfill(status=503))
    walk(home, "/quality")
    expect(home.get_by_role("alert")).to_contain_text("The server lacks a part of this page")
    home.wait_for_timeout(500)
    assert [url.partition("?")[0].rpartition("/")[2] for url in loaded] == ["quality"]
    home.unroute_all(behavior="ignoreErrors")
    home.reload()
    expect(home.get_by_role("heading", name="Quality")).to_be_visible()


def test_a_part_that_a_server_keeps_from_who_is_signed_out_leads_to_sign_in(home: Page) -> None:
    for what in ("**/assets/Quality-*.js", matching("me")):
        home.route(what, lambda route: route.fulfill(status=401, json={"detail": "Sign in."}))
    walk(home, "/quality")
    home.wait_for_url("**/login?next=%2Fquality")


def test_a_language_that_does_not_come_leaves_the_page_as_it_is(home: Page) -> None:
    for what in ("**/assets/zh-*.js", matching("me")):
        home.route(what, lambda route: route.abort())
    home.get_by_role("button", name="中文").click()
    expect(home.get_by_role("alert")).to_have_text(re.compile("^Chinese could not be loaded.+cannot be reached"))
    expect(home.get_by_role("heading", name="Alarms")).to_be_visible()
    expect(home.locator("html")).to_have_attribute("lang", "en")
    home.unroute_all(behavior="ignoreErrors")
    home.get_by_role("button", name="中文").click()
    expect(home.get_by_role("heading", name="报警")).to_be_visible()
    expect(home.get_by_role("alert")).to_have_count(0)


def test_a_page_whose_language_does_not_come_says_so_in_both_and_tries_again(home: Page) -> None:
    home.route("**/assets/zh-*.js", lambda route: route.fulfill(status=503))
    home.goto(home.url.replace("/alarms?lang=en", "/?lang=zh"))
    told = re.compile("The server lacks a part of this page.+本页面的语言没有加载")
    expect(home.get_by_role("alert")).to_have_text(told)
    home.unroute_all(behavior="ignoreErrors")
    expect(home.get_by_role("link", name="报警", exact=True)).to_be_visible(timeout=20_000)
    expect(home.get_by_text(told)).to_have_count(0)
