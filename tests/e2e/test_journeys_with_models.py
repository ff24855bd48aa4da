"""What a plant engineer does with a prediction: ask why, and say whether it was right."""

from __future__ import annotations

import pytest
from journey import journey
from plant_under_test import PlantUnderTest, until
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(600)]


def test_7_see_why_and_mark_it(learned: PlantUnderTest, browser: Browser) -> None:
    """Reasons, course and model of a prediction in one tap; right or wrong in the next; and it may be taken back."""
    spoken = until("a prediction that a model stands behind", lambda: _machines(learned), 180, why=learned.story)
    known = spoken[0].rpartition("/")[2].replace("cnc-", "CNC ")
    with journey(7, "see why and mark it", learned.url, browser) as walk:
        page = walk.page
        page.evaluate("localStorage.setItem('shopfloor.name', 'Wang')")
        walk.tap(page.get_by_test_id("tile").filter(has_text=known))
        card = page.get_by_test_id("prediction").filter(has=page.get_by_role("button", name="Why?")).first
        expect(card).to_be_visible(timeout=120_000)
        walk.look("predictions")
        before = walk.taps
        walk.tap(card.get_by_role("button", name="Why?"))
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("version 1")
        expect(dialog.get_by_role("button", name="Right")).to_be_visible()
        walk.look("why")
        walk.tap(dialog.get_by_role("button", name="Right"))
        marks = dialog.get_by_role("list", name="What people said")
        expect(marks).to_contain_text("Wang")
        assert walk.taps - before <= 2
        walk.look("marked right")
        walk.tap(marks.get_by_role("button", name="Take back"))
        expect(marks).to_have_count(0)


def _machines(plant: PlantUnderTest) -> list[str]:
    return [one["asset"] for one in plant.get("/predictions") if one["target"] == "dimension" and one["status"] == "ok"]
