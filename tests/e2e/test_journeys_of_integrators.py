"""What an integrator does: a device that speaks OPC UA, with a certificate that nobody knows yet, in five clicks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journey import Journey, journey
from plant_under_test import PlantUnderTest, free_port, until
from playwright.sync_api import Browser, expect
from secure_servers import Stand, issue

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(600)]
POLICY = "Basic256Sha256_SignAndEncrypt"
TAG = "delta/frames/machining/cell-a/cnc-01/counter"


@pytest.fixture
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an OPC UA server that only speaks encrypted; its machine is named as one of the plant file."""
    stand = Stand()
    try:
        own = issue(tmp_path_factory.mktemp("device"), "press-controller")
        with stand.served(free_port(), own, [POLICY], counting=0.5) as address:
            yield address
    finally:
        stand.close()


def test_6_add_a_plc_in_five_clicks(plant: PlantUnderTest, browser: Browser, device: str) -> None:
    """Address, certificate, tree, pick, values: the address is typed, everything else is a click."""
    with journey(6, "add a plc", plant.url, browser) as walk:
        page = walk.page
        walk.go("Connections")
        walk.tap(page.get_by_role("link", name="Add a connection").first)
        walk.type(page.get_by_label("Address"), device, "Enter")
        waiting = page.get_by_test_id("certificates").get_by_role("listitem").filter(has_text="press-controller")
        expect(waiting).to_contain_text("Fingerprint", timeout=60_000)
        walk.look("its certificate")
        walk.tap(waiting.get_by_role("button", name="Approve"))
        page.get_by_role("searchbox").wait_for(timeout=60_000)
        walk.type(page.get_by_role("searchbox"), "counter")
        row = page.get_by_role("treeitem").filter(has_text="Counter").first
        walk.tap(row.locator("[data-part=tick]"))
        expect(row.locator(".quality")).to_have_text("Good")
        expect(page.get_by_test_id("dry-run")).to_contain_text("adds 1 tag ")
        walk.look("picked and alive")
        walk.tap(page.get_by_role("button", name="Save"))
        saved = page.get_by_test_id("saved")
        expect(saved).to_contain_text("is saved")
        assert walk.taps <= 5
        walk.look("saved")
        _is_a_file(walk, plant)
        until("a value is stored", lambda: plant.get("/latest", tag=TAG), 60, why=plant.story)
        walk.tap(saved.get_by_role("link", name="See the values of CNC 01"))
        shown = page.get_by_role("row").filter(has_text="counter").first
        expect(shown).to_contain_text("Good", timeout=60_000)
        walk.look("its values")
    _remove(plant)


def _is_a_file(walk: Journey, plant: PlantUnderTest) -> None:
    """What is shown, what is downloaded and what the gateway keeps are one text."""
    shown = walk.page.get_by_test_id("text").text_content()
    walk.page.get_by_text("As a file").click()
    with walk.page.expect_download() as taken:
        walk.page.get_by_role("link", name="Download").click()
    kept = plant.data / "gateway" / "connections" / "127-0-0-1.yaml"
    assert taken.value.path().read_text() == shown == kept.read_text()


def _remove(plant: PlantUnderTest) -> None:
    """Other tests find the plant as it was."""
    answer = plant.client.post("/api/v1/gateways/edge-1/calls/remove", json={"name": "127-0-0-1"}, timeout=60)
    assert '"removed": true' in answer.text
    until("it is gone", lambda: "127-0-0-1" not in [one["name"] for one in plant.health()["sources"]], 60)
