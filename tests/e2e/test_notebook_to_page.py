"""From a fitted estimator in a notebook to shadow scores on the page of a real server whose brain judges: one call."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import visitor
from running_server import PLANT, plant, running, until
from shopfloor.models.client import dataset, deploy, scrap
from shopfloor.models.streaming import StreamSpec
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "client"))

from strained import ASSETS, TAGS, S, feed

pytestmark = [pytest.mark.e2e]
SPEC = StreamSpec.of(TAGS, every=10, hold=300, lookback=600, remembered=TAGS)


def test_one_call_and_the_page_shows_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, plant(PLANT.replace("machine-tool", "lathe")), thinks=True))
        now = time.time_ns()
        feed(server, now - 3600 * S, now + 120 * S, times=5)
        data = dataset(
            scrap("part.count"), spec=SPEC, start=now - 3600 * S, end=now, before="1min", hop="20s", url=server.url
        )
        earlier, later = data.split(0.5)
        model = LogisticRegression(max_iter=1000).fit(earlier.x, earlier.y)
        guest = stack.enter_context(visitor(server.url))
        page = guest.open("/models")
        page.get_by_role("heading", name="Models").wait_for()
        begun = time.monotonic()
        found = deploy(model, None, later, name="bad-part", title="Bad part soon", by="Anna", url=server.url)
        scores = until(found.scores, 60)
        scored = time.monotonic() - begun
        rows = page.locator("[data-testid=shadow-scores] tbody tr")
        until(lambda: page.wait_for_timeout(20) or rows.count() == len(ASSETS), 60)
        shown = time.monotonic() - begun
        guest.keep("models-shadow")
        assert page.get_by_text("Bad part soon").count()
        assert "CNC 01" in rows.first.inner_text()
        assert {one["asset"] for one in scores} == set(ASSETS)
        assert all(0.0 <= one["low"] <= one["value"] <= one["high"] <= 1.0 for one in scores)
        assert not any(one["live"] for one in scores)
    with capsys.disabled():
        sys.stdout.write(
            f"\ntaken after {found.seconds:.2f} s, scored after {scored:.2f} s, shown after {shown:.2f} s\n"
        )
