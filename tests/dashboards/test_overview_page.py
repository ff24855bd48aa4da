"""The plant in one sentence, of a real server: what is wrong with no asset of its own, and who says nothing."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from looking import go
from playwright.sync_api import Page, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from running_server import COUNT, POWER, TEMPERATURE, running, until
from shopfloor.plant import Sample

pytestmark = pytest.mark.browser


def test_who_is_silent_and_what_is_wrong_with_a_source_is_in_the_sentence(page: Page, tmp_path: Path) -> None:
    """Of three machines one speaks; then the spool of its gateway is full."""
    with running(tmp_path) as server:
        for tag, value in ((POWER, 3.0), (TEMPERATURE, 30.0), (COUNT, 7)):
            server.feed(Sample(tag, time.time_ns(), value))
        go(page, server.url, "/", lang="en")
        sentence = page.get_by_test_id("sentence")
        expect(sentence).to_have_text(re.compile(r"^\s*No alarm\. No values from [23] of 3 assets\.$"))
        for dropped in (0, 9):
            server.post_health(dropped=dropped)
            until(lambda now=dropped: server.get("/health")["sources"][0]["dropped"] == now)
            page.wait_for_timeout(1500)  # the alarms look once a second
        expect(sentence).to_contain_text("Values of machining are being lost. No values from ")
        page.get_by_role("button", name="中文").click()
        expect(sentence).to_contain_text("机加工 的数据正在丢失。3 台设备中有 ")
        page.context.close()
