"""A signal of a control chart in headless Chromium against the server itself: in the alarm list, and its chart."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_end import modules
from looking import fits, go, settle, violations
from playwright.sync_api import Page, expect
from shopfloor.plant import Sample

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))
from running_server import CNC, Running, S, plant, running, until

pytestmark = pytest.mark.browser
PLANT = """
plant: {site: delta, title: Delta works}
types:
  machine-tool:
    tags: {diameter: {unit: mm, title: Diameter, decimals: 3}}
    quality:
      single: {chart: i-mr, tag: diameter, baseline: 10, rules: [nelson-1], alarm: true, advice: Measure the next part.}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-01", type: machine-tool, title: "CNC 01"}
"""
NOW = time.time_ns() // S * S


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("signal"), plant(PLANT)) as server:
        sizes = [10.0 + 0.01 * (i * 7 % 5 - 2) for i in range(40)]
        server.feed(*(Sample(f"{CNC}/diameter", NOW - (60 - i) * S, size) for i, size in enumerate(sizes)))
        until(lambda: server.get("/quality")[0]["state"] == "in-control", 30)
        yield server


def test_a_signal_leads_from_the_alarm_list_to_its_chart_whose_limits_are_made_anew(
    page: Page, server: Running
) -> None:
    go(page, server.url, "/quality")
    expect(page.get_by_test_id("chart")).to_contain_text("in control")
    server.feed(Sample(f"{CNC}/diameter", NOW - 5 * S, 11.0))
    expect(page.get_by_test_id("chart")).to_contain_text("out of control", timeout=20_000)  # told, not asked for
    go(page, server.url, "/alarms")
    page.get_by_test_id("to-chart").click()
    expect(page.get_by_test_id("control-chart")).to_be_visible()
    expect(page.get_by_test_id("point")).to_contain_text("beyond three sigma")
    page.get_by_role("button", name="Make the limits anew").click()
    page.get_by_label("Your name").fill("Li")
    page.get_by_label("What changed in the process").fill("New fixture")
    page.get_by_role("dialog").get_by_role("button", name="Make the limits anew").click()
    expect(page.get_by_test_id("revisions")).to_contain_text("New fixture", timeout=20_000)
    settle(page, 0.3)
    fits(page, "chart-anew", "desk")
    page.evaluate((modules() / "axe-core/axe.min.js").read_text("utf-8"))
    assert violations(page) == []
