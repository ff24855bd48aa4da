"""The trend page in headless Chromium: tags, zoom, comparison, one moment for all charts, files and Python."""

from __future__ import annotations

import ast
import inspect
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from looking import settle
from playwright.sync_api import Page, expect
from shopfloor.models.client import history

pytestmark = pytest.mark.browser

CNC = "delta/frames/machining/cell-a/cnc-07"
START = 1_790_000_000_000 // 3_600_000 * 3_600_000
XY: tuple[tuple[Any, Any], ...] = (("x", "width"), ("y", "height"))
HOUR = {"from": str(START), "to": str(START + 3_600_000)}


def asked(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


def readings(page: Page) -> list[str]:
    return page.get_by_test_id("now").all_inner_texts()


def test_tags_are_added_by_typing_and_the_address_holds_everything(open_page: Any, mock_plant: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power", **HOUR)
    field = page.get_by_role("combobox", name="Add a tag")
    for typed in ("pot 13 volt", "cnc 07 vibration"):
        field.fill(typed)
        expect(page.get_by_role("option").first).to_be_visible()
        field.press("Enter")
    expect(page.get_by_test_id("trend")).to_have_count(3)
    page.get_by_label("Compare with").select_option("day")
    page.locator(".u-over").first.click(position={"x": 300, "y": 20})
    page.get_by_role("button", name="One chart").click()
    expect(page.get_by_test_id("together")).to_be_visible()
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=now]')].every(e => /\\d/.test(e.innerText))"
    )
    before = readings(page)
    assert len(before) == 3
    mock_plant.switch(forget=True)
    page.reload()
    page.wait_for_function(
        "old => JSON.stringify([...document.querySelectorAll('[data-testid=now]')].map(e => e.innerText)) === old",
        arg=page.evaluate("a => JSON.stringify(a)", before),
    )
    assert {"with", "view", "compare", "at", "from", "to"} <= asked(page).keys()
    starts = sorted(float(parse_qs(line)["start"][0]) for line in mock_plant.asked("history?tag=") if "voltage" in line)
    assert starts[-1] - starts[0] == 24 * 3_600_000
    page.get_by_role("button", name="Remove CNC 07 Spindle power").click()
    page.wait_for_url("**/pot-13/voltage?**")
    expect(page.get_by_test_id("together").locator("figcaption a")).to_have_count(2)


def test_wheel_drag_and_keys_move_the_window(open_page: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power", **HOUR)
    plot = page.locator(".u-over")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 40)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => !location.search.includes('from={START}')")
    now = asked(page)
    first, last = float(now["from"]), float(now["to"])
    assert last - first == pytest.approx(3_600_000 / 1.25**3, rel=0.01)
    assert first + (last - first) / 4 == pytest.approx(START + 900_000, abs=2 * 3_600_000 / box["width"])
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    moved = asked(page)
    assert float(moved["from"]) == pytest.approx(first - (last - first) / 4, abs=(last - first) / 100)
    for _ in range(23):
        page.keyboard.press("+")
    assert float(asked(page)["to"]) - float(asked(page)["from"]) == pytest.approx(1, abs=0.002)
    page.keyboard.press("Home")
    page.wait_for_function("() => !location.search.includes('from=')")


def test_fingers_move_and_zoom_the_window_and_let_the_page_scroll(open_page: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power", width=834, height=700, **HOUR, **{"with": f"{CNC}/spindle.load"})
    page.wait_for_selector(".plot[data-drawn]")
    box = page.locator(".u-over").first.bounding_box()
    assert box
    hand = page.context.new_cdp_session(page)
    hand.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def between(a: tuple[float, float], b: tuple[float, float], share: float) -> dict[str, float]:
        return {k: box[k] + box[side] * (p + (q - p) * share) for (k, side), p, q in zip(XY, a, b, strict=True)}

    def touch(*fingers: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Each finger goes from one place to another, in shares of the chart."""
        for step in range(6):
            points = [{"id": i, **between(a, b, step / 5)} for i, (a, b) in enumerate(fingers)]
            kind = "touchMove" if step else "touchStart"
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            settle(page, 0.05)
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        settle(page, 0.3)

    touch(((0.5, 0.5), (0.75, 0.5)))
    moved = asked(page)
    assert float(moved["from"]) == pytest.approx(START - 900_000, abs=60_000)
    assert float(moved["to"]) - float(moved["from"]) == pytest.approx(3_600_000, rel=0.001)
    touch(((0.4, 0.5), (0.3, 0.5)), ((0.6, 0.5), (0.7, 0.5)))
    zoomed = asked(page)
    assert float(zoomed["to"]) - float(zoomed["from"]) == pytest.approx(1_800_000, rel=0.02)
    assert float(zoomed["from"]) + 900_000 == pytest.approx(float(moved["from"]) + 1_800_000, abs=60_000)
    assert "at" not in zoomed, "a pinch reads no moment"
    touch(((0.5, 0.9), (0.5, -0.6)))
    page.wait_for_function("() => scrollY > 50")
    assert asked(page) == zoomed


def test_the_best_run_lies_under_the_one_that_goes_on_from_the_begin_of_both(open_page: Any, mock_plant: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power")
    page.get_by_label("Compare with").select_option("best")
    expect(page.get_by_test_id("best-run")).to_have_text("P-12: OEE 81 %, the best of 7")
    expect(page.get_by_test_id("compared")).to_be_visible()
    held = asked(page)
    assert (held["compare"], float(held["to"]) - float(held["from"])) == ("best", 3_600_000)
    mock_plant.switch(forget=True)
    page.reload()
    expect(page.get_by_test_id("compared")).to_be_visible()
    page.wait_for_selector(".plot[data-drawn]")
    starts = {float(parse_qs(line)["start"][0]) for line in mock_plant.asked("history?tag=") if "power" in line}
    assert max(starts) - min(starts) == 24 * 3_600_000


def test_the_same_tags_of_every_machine_of_the_line_are_drawn_to_one_scale(open_page: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power", **HOUR)
    page.get_by_role("button", name="By machine").click()
    expect(page.get_by_test_id("together").first).to_be_visible()
    titles = page.get_by_test_id("machines").locator("figcaption > a").all_inner_texts()
    assert len(titles) > 5
    assert "CNC 07" in titles
    page.wait_for_function("n => document.querySelectorAll('.plot[data-drawn]').length === n", arg=len(titles))
    assert asked(page)["view"] == "machines"


def test_all_charts_follow_one_moment_with_value_unit_and_quality(open_page: Any) -> None:
    """26 to 28 minutes after the hour the mock is uncertain, the minute before bad."""
    more = {"with": f"{CNC}/spindle.load,{CNC}/state", "at": str(START + 27 * 60_000)}
    page = open_page(f"/tag/{CNC}/spindle.power", **HOUR, **more)
    expect(page.get_by_test_id("now").first).to_contain_text("UncertainSensorNotAccurate")
    expect(page.get_by_test_id("now").first).to_contain_text("kW")
    page.get_by_label("Moment that is read").fill(str(25.5 / 60 * 1000))
    expect(page.get_by_test_id("now").last).to_contain_text("BadSensorFailure")
    expect(page.get_by_test_id("timeline").first).to_contain_text("Running")
    left = "() => [...document.querySelectorAll('.scrubbed')].map(e => e.style.left)"
    assert len(set(page.evaluate(left))) == 1
    before = page.evaluate(left)[0]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Play back").click()
    page.wait_for_function(f"old => ({left})()[0] !== old", arg=before)
    page.get_by_role("button", name="Pause").click()
    settle(page, 0.1)
    assert float(asked(page)["at"]) > START


PIXELS = """() => {
  const drawn = document.querySelector('[data-testid=together] canvas');
  const over = document.querySelector('[data-testid=together] .u-over');
  const [left, top] = [over.offsetLeft, over.offsetTop];
  const at = minute => Math.round(left + over.clientWidth * minute / 60);
  const paper = new OffscreenCanvas(drawn.width, drawn.height).getContext('2d', { willReadFrequently: true });
  paper.drawImage(drawn, 0, 0);
  const { data } = paper.getImageData(at(25.2), top, at(25.8) - at(25.2), over.clientHeight);
  let [any, brown] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3]) any++;
    if (data[i + 3] && data[i] - data[i + 2] > 40) brown++;
  }
  return [any, brown].map(count => count / (data.length / 4));
}"""


def test_one_chart_of_several_tags_has_their_band_and_hatches_each_where_it_is_bad(open_page: Any) -> None:
    """In the minute that is bad, where no line is drawn: how much of it has ink, and that of the second line."""
    pot = "delta/smelter/potline/row-1/pot"
    page = open_page(f"/tag/{pot}-13/voltage", **HOUR, **{"with": f"{pot}-01/voltage", "view": "one"})
    page.wait_for_selector(".plot[data-drawn]")
    ink, second = page.evaluate(PIXELS)
    assert (ink > 0.4, second > 0.001) == (True, True)
    page = open_page(f"/tag/{pot}-13/voltage", **HOUR, **{"with": f"{CNC}/spindle.load", "view": "one"})
    page.wait_for_selector(".plot[data-drawn]")
    ink, second = page.evaluate(PIXELS)
    assert (ink < 0.2, second > 0.001) == (True, True), "a band of two units would not say whose it is"


def test_files_and_the_lines_of_python_hold_what_is_shown(open_page: Any) -> None:
    page = open_page(f"/tag/{CNC}/spindle.power", **HOUR, **{"with": f"{CNC}/state"})
    for name in ("CSV", "Parquet", "Arrow"):
        href = page.get_by_role("link", name=name, exact=True).get_attribute("href") or ""
        question = parse_qs(urlsplit(href).query)
        assert urlsplit(href).path == "/api/v1/history/export"
        assert question["tag"] == [f"{CNC}/spindle.power", f"{CNC}/state"]
        assert [*question["start"], *question["end"], *question["format"]] == [*HOUR.values(), name.lower()]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Python").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    lines = ast.parse(page.evaluate("navigator.clipboard.readText()"))
    (call,) = [
        node for node in ast.walk(lines) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "history"
    ]
    given = inspect.signature(history).bind(*call.args, **{str(word.arg): word.value for word in call.keywords})
    assert {"tags", "start", "end", "url"} == given.arguments.keys()


def test_a_refusal_is_said_and_goes_away_by_itself_or_by_asking_again(open_page: Any, mock_plant: Any) -> None:
    """Of the whole plant, and of one chart."""
    mock_plant.switch(broken=True)
    page = open_page(f"/tag/{CNC}/spindle.power", **HOUR)
    expect(page.get_by_role("alert")).to_contain_text("The store is being repaired.")
    mock_plant.switch(broken=False)
    expect(page.get_by_test_id("trend")).to_be_visible()
    mock_plant.switch(broken=True)
    page.keyboard.press("+")
    expect(page.get_by_role("alert")).to_contain_text("The store is being repaired.")
    mock_plant.switch(broken=False)
    page.keyboard.press("-")
    expect(page.get_by_role("alert")).to_have_count(0)
