"""What a plant engineer does, by clicks, with the shared plant: find, decide, explain a stop, compare, trace."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from journey import TABLET, ZH, Journey, journey
from plant_under_test import PlantUnderTest, free_port, until
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(600)]
DEVICE = """\
name: press
kind: opcua
url: opc.tcp://127.0.0.1:{port}/press
security: none
everything: delta/frames/machining/cell-a/cnc-01
"""
DAY_MS = 86_400_000


@pytest.fixture
def unplugged(plant: PlantUnderTest) -> Iterator[dict[str, Any]]:
    """An alarm that stands as long as a test needs it: the gateway shall connect to a device that is not there."""
    _gateway(plant, "save", text=DEVICE.format(port=free_port()))

    def found() -> dict[str, Any] | None:
        return next((one for one in plant.get("/alarms") if one["title"] == "Source press is down"), None)

    yield until("the alarm of the device", found, 120, why=plant.story)
    _gateway(plant, "remove", name="press")
    until("it is gone", lambda: "press" not in [one["name"] for one in plant.health()["sources"]], 60)


def _gateway(plant: PlantUnderTest, errand: str, **body: str) -> None:
    answer = plant.client.post(f"/api/v1/gateways/edge-1/calls/{errand}", json=body, timeout=60)
    assert json.loads(answer.text.splitlines()[-1]) == {"done": True}, answer.text


def test_1_find_the_abnormal_machine(plant: PlantUnderTest, browser: Browser) -> None:
    """Which machine, what is wrong, why, what to do: at a glance, and one click further."""
    alarms = until("an alarm of an asset", lambda: [one for one in plant.get("/alarms") if one["asset"]], 180)
    with journey(1, "find the abnormal machine", plant.url, browser) as walk:
        page = walk.page
        expect(page.get_by_test_id("sentence")).to_contain_text(re.compile("needs? attention. Worst: "))
        worst = page.get_by_role("navigation", name="Worst first").get_by_role("link").first
        name, title = worst.locator("b").inner_text(), worst.locator("em").inner_text()
        assert alarms
        expect(page.get_by_test_id("tile").filter(has_text=name).locator("svg")).to_be_visible()
        walk.look("overview")
        walk.tap(page.get_by_role("navigation", name="Worst first").get_by_role("link", name=name))
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        card = page.get_by_test_id("alarms").get_by_role("listitem").filter(has_text=title).first
        told = next(one for one in plant.get("/alarms", state="all") if one["title"].startswith(title))
        expect(card).to_contain_text(re.compile("limit of|because|[0-9]"))
        expect(card).to_contain_text(told["advice"][:40])
        expect(page.get_by_test_id("timeline")).to_be_visible()
        walk.look("why and what to do")
        assert walk.taps <= 2
        page.get_by_role("button", name="Wall").click()
        card = page.get_by_test_id("abnormal").filter(has_text=title).first
        expect(card).to_contain_text("Why:")
        expect(card).to_contain_text(
            f"Do: {told['advice'][:40]}" if told["advice"] else (told["why"] or told["sentence"])[:40]
        )
        walk.look("on the wall")


def test_2_acknowledge_and_shelve_an_alarm(plant: PlantUnderTest, browser: Browser, unplugged: dict[str, Any]) -> None:
    """Both with a name and a reason; what is shelved is not gone, and comes back by itself."""
    with journey(2, "acknowledge and shelve", plant.url, browser) as walk:
        page = walk.page
        walk.go("Alarms")
        row = page.get_by_test_id("alarms").get_by_role("listitem").filter(has_text="Source press is down")
        page.get_by_test_id("alarms-open").wait_for()
        _open_its_group(walk)
        expect(row).to_contain_text("Why: Nothing listens at")
        walk.tap(row.get_by_role("button", name="Acknowledge"))
        dialog = page.get_by_role("dialog")
        walk.type(dialog.get_by_label("Your name"), "Anna")
        walk.type(dialog.get_by_role("textbox").nth(1), "Its cabinet is being wired")
        walk.look("acknowledge")
        walk.tap(dialog.get_by_role("button", name="Acknowledge"))
        expect(row).to_contain_text("Anna")
        expect(row).to_contain_text("Its cabinet is being wired")
        walk.tap(row.get_by_role("button", name="Shelve"))
        walk.type(dialog.get_by_label("Why"), "Wiring until noon")
        walk.look("shelve")
        walk.tap(dialog.get_by_role("button", name="15 min"))
        expect(row).to_have_count(0)
        walk.tap(page.get_by_role("button", name=re.compile("^Set aside")))
        aside = page.get_by_test_id("aside").get_by_role("listitem").filter(has_text="Source press is down")
        expect(aside).to_contain_text("Wiring until noon")
        expect(aside).to_contain_text("until")
        walk.look("set aside")
        _let_the_time_pass(plant, unplugged["id"])
        walk.tap(page.get_by_role("button", name=re.compile("^Open")))
        _open_its_group(walk)
        expect(row).to_contain_text("Anna")
        walk.look("back again")
        walk.tap(page.get_by_role("button", name="Journal"))
        expect(page.get_by_text("Wiring until noon").first).to_be_visible()
        walk.look("journal")


def _open_its_group(walk: Journey) -> None:
    """In a flood the list is grouped by line."""
    group = walk.page.get_by_test_id("group").filter(has_text="Sources and gateways")
    if group.count() and group.get_attribute("open") is None:
        walk.tap(group.locator("summary"))


def _let_the_time_pass(plant: PlantUnderTest, alarm: int) -> None:
    """A quarter of an hour is over in half a second: the same shelf, and a time that ends soon."""
    body = {"by": "Anna", "reason": "Wiring until noon", "minutes": 0.01}
    assert plant.client.post(f"/api/v1/alarms/{alarm}/shelve", json=body).is_success


def test_3_tell_why_a_machine_stood(filled: PlantUnderTest, browser: Browser) -> None:
    """Two taps once the name is known, with what was told of such stops before as the first suggestion."""
    plant = filled
    asked = {"at": plant.health()["time"] - DAY_MS, "kind": "down", "untold": True, "order": "newest"}
    asked["place"] = "delta/frames/machining"
    until("stops of that shift", lambda: plant.get("/production/downtime", **asked)["total"] > 3, 60, why=plant.story)
    for stop in plant.get("/production/downtime", **asked)["stops"][:3]:
        body = {"by": "Li", "reason": "Tool/Tool change", "comment": ""}
        answer = plant.client.post(f"/api/v1/production/downtime/{stop['id']}/reason", json=body)
        assert answer.is_success, answer.text
    with journey(3, "tell the reason of a stop", plant.url, browser, look=ZH, size=TABLET) as walk:
        page = walk.page
        page.evaluate("localStorage.setItem('shopfloor.name', 'Wang')")
        walk.go("生产")
        _shift_of_yesterday(walk, "上一班")
        walk.choose(page.get_by_label("类别"), value="down")
        row = page.get_by_test_id("stop").filter(has=page.get_by_role("button", name="填写原因")).first
        expect(row).to_contain_text("停机")
        walk.look("stops")
        before = walk.taps
        walk.tap(row.get_by_role("button", name="填写原因"))
        likely = page.get_by_test_id("likely").get_by_role("button").first
        expect(likely).to_contain_text("换刀")
        walk.look("likely reasons")
        walk.tap(likely)
        assert walk.taps - before == 2
        expect(page.get_by_role("dialog")).to_have_count(0)
        told = plant.get("/production/downtime", **asked | {"untold": False})["stops"]
        assert any(one["by"] == "Wang" and one["reason"] == "Tool/Tool change" for one in told)
        walk.look("told")


def _shift_of_yesterday(walk: Journey, name: str) -> None:
    """Three shifts back."""
    shown = walk.page.get_by_test_id("shift")
    for _ in range(3):
        said = shown.inner_text()
        walk.tap(walk.page.get_by_role("button", name=name, exact=True))
        expect(shown).not_to_have_text(said)


def test_4_compare_two_shifts(filled: PlantUnderTest, browser: Browser) -> None:
    """The indicators of a shift beside those of the one before, then a tag over both."""
    plant = filled
    with journey(4, "compare two shifts", plant.url, browser) as walk:
        page = walk.page
        walk.go("Production")
        table = page.get_by_test_id("oee")
        expect(table).to_contain_text("CNC 20")
        walk.tap(page.get_by_role("button", name="Beside the shift before"))
        expect(page.get_by_test_id("beside")).to_contain_text("of the shift before (")
        line = table.get_by_role("row").nth(1)
        expect(line.locator(".change")).to_have_count(6)
        assert re.search(r"[+−]?\d+\.\d", line.locator(".change").first.inner_text())
        before = plant.get("/production/oee", at=plant.get("/production/oee")["before"])
        expect(line.locator(".change").last).to_have_text(f"{before['lines'][0]['counts']['pq']:.0f}")
        walk.look("both shifts")
        walk.go("Overview")
        walk.tap(page.get_by_test_id("tile").filter(has_text="CNC 03"))
        walk.tap(page.get_by_role("link", name="Spindle temperature").first)
        walk.choose(page.get_by_label("Compare with"), label="the last shift")
        walk.tap(page.get_by_role("button", name="8 h", exact=True))
        expect(page.get_by_test_id("compared")).to_contain_text("┄")
        expect(page.get_by_test_id("now").first).to_contain_text("°C")
        walk.look("tag over both")


def test_5_trace_a_bad_part(learned: PlantUnderTest, browser: Browser) -> None:
    """From the number on a part to its order, lot, states, parameters and result, and to all others of its lot."""
    plant = learned
    bad = until("a part out of tolerance", lambda: _bad_part(plant), 120, 2.0, plant.story)
    young = until("a part that models have judged", lambda: _judged_part(plant), 420, 3.0, plant.story)
    with journey(5, "trace a bad part", plant.url, browser) as walk:
        page = walk.page
        walk.go("Production")
        walk.tap(page.get_by_role("link", name="Orders and genealogy"))
        walk.type(page.get_by_label("Part or lot"), str(bad["number"]), "Enter")
        story = page.get_by_test_id("story")
        expect(_row(page, bad)).to_contain_text("scrap")
        if bad["asset_title"] not in story.inner_text():
            walk.tap(_row(page, bad).get_by_role("button"))
        _tells_everything(story, bad)
        walk.look("its story")
        walk.tap(story.get_by_role("link", name="all parts of this lot"))
        expect(page.get_by_role("heading", name=f"Made of the lot {bad['lot']}")).to_be_visible()
        others = plant.get("/production/genealogy/lot", lot=bad["lot"])
        expect(page.get_by_test_id("parts").locator("tbody tr")).to_have_count(min(500, len(others)))
        expect(page.get_by_test_id("lot-sum")).to_contain_text(f"On {len({one['asset'] for one in others})} machines.")
        _tells_everything(story, bad)
        walk.look("its lot")
        walk.tap(story.get_by_role("link", name="Spindle power"))
        expect(page.get_by_test_id("trend").first).to_be_visible()
        walk.look("a parameter meanwhile")
        page.go_back()
        walk.type(page.get_by_label("Part or lot"), str(young["number"]), "Enter")
        expect(story).to_contain_text(f"Part {young['number']}")
        if young["asset_title"] not in story.inner_text():  # machines count for themselves: another has this number too
            walk.tap(_row(page, young).get_by_role("button"))
        expect(story).to_contain_text(f"{young['asset_title']} · Part {young['number']}")
        expect(story).to_contain_text("Predicted: ")
        walk.look("a new part and its prediction")


def _row(page: Page, part: dict[str, str]) -> Locator:
    """The row of a part in the list of those with its number."""
    named = f"{part['asset_title']} · {part['number']}"
    return page.get_by_test_id("parts").get_by_role("row").filter(has_text=named).first


def _bad_part(plant: PlantUnderTest) -> dict[str, str] | None:
    start = time.time() * 1000 - 2 * DAY_MS
    parts = plant.get("/production/genealogy/parts", place="", start=start, limit=5000)
    return next((one for one in parts if one["good"] is False), None)


def _judged_part(plant: PlantUnderTest) -> dict[str, str] | None:
    for one in plant.get("/production/genealogy/parts", place="delta/frames/machining/cell-a", limit=200)[8::12]:
        asked = {"asset": one["asset"], "number": one["number"]}
        if plant.get("/production/genealogy/part", **asked)["predictions"]:
            return dict(one)
    return None


def _tells_everything(story: Locator, bad: dict[str, str]) -> None:
    for said in (bad["lot"], "µm · scrap", "Running", "Spindle power", "kW", bad["asset_title"]):
        expect(story).to_contain_text(said)
