"""What a shift leader does at the end of a shift: see its report, take it along."""

from __future__ import annotations

import pytest
from journey import journey
from plant_under_test import PlantUnderTest
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(600)]


def test_10_make_a_shift_report(plant: PlantUnderTest, browser: Browser) -> None:
    """The report of the last shift is there at once, whole, and comes as PDF by one more tap."""
    with journey(10, "make a shift report", plant.url, browser) as walk:
        page = walk.page
        walk.go("Reports")
        report = page.frame_locator("iframe")
        expect(report.locator("h1").first).to_be_visible(timeout=120_000)
        for said in ("OEE", "CNC 07", "Downtime", "Alarms"):
            expect(report.get_by_text(said).first).to_be_attached()
        walk.look("the last shift")
        with page.expect_download(timeout=120_000) as taken:
            walk.tap(page.get_by_role("link", name="Download PDF"))
        assert taken.value.suggested_filename.endswith(".pdf")
        assert taken.value.path().read_bytes().startswith(b"%PDF")
        assert walk.taps <= 2
