"""The pages of control charts in headless Chromium against the mock plant, whose charts are judged by the real code."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_control_chart_is_walked_by_its_signals_and_remembers_its_range(open_page: Any, mock_plant: Any) -> None:
    """`n` and `p` go from signal to signal; each says which rule it breaks; the address holds the range."""
    page = open_page("/quality")
    page.get_by_role("button", name="Out of control").click()
    expect(page.get_by_test_id("chart").first).to_contain_text("out of control")
    page.get_by_test_id("chart").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Deviation of the probed part")
    expect(page.get_by_test_id("signal").first).to_be_visible()
    page.keyboard.press("n")
    first = page.get_by_test_id("point").inner_text()
    assert "sigma" in first or "row" in first
    page.keyboard.press("n")
    assert page.get_by_test_id("point").inner_text() != first
    page.keyboard.press("p")
    assert page.get_by_test_id("point").inner_text() == first
    expect(page.get_by_test_id("capability")).to_contain_text("Cpk")
    page.get_by_role("button", name="24 h").click()
    assert "span=24h" in page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**from=*")
    mock_plant.asked("quality?")
    page.reload()
    expect(page.get_by_test_id("control-chart")).to_be_visible()
    assert "from=" in page.url


def test_charts_say_that_there_are_none_and_that_the_server_is_away(open_page: Any, mock_plant: Any) -> None:
    mock_plant.switch(charted=False)
    page = open_page("/quality")
    expect(page.get_by_text("No control chart is declared")).to_be_visible()
    mock_plant.switch(charted=True)
    page.route("**/api/v1/quality", lambda route: route.fulfill(status=422, json={"detail": "The store rests."}))
    page.reload()
    expect(page.get_by_text("The store rests.")).to_be_visible()
