"""From a fitted estimator in a notebook to shadow scores, on a real server whose brain judges: one call."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from running_server import PLANT, plant, running, until
from shopfloor.models.client import dataset, deploy, scrap
from shopfloor.models.streaming import StreamSpec
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[1] / "models" / "client"))

from strained import ASSETS, TAGS, S, feed

pytestmark = [pytest.mark.e2e]
SPEC = StreamSpec.of(TAGS, every=10, hold=300, lookback=600, remembered=TAGS)


def test_one_call_and_the_page_shows_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, plant(PLANT.replace("machine-tool", "lathe")), thinks=True) as server:
        now = time.time_ns()
        feed(server, now - 3600 * S, now + 120 * S, times=5)
        data = dataset(
            scrap("part.count"), spec=SPEC, start=now - 3600 * S, end=now, before="1min", hop="20s", url=server.url
        )
        model = LogisticRegression().fit(data.x, data.y)
        begun = time.monotonic()
        found = deploy(model, None, data, name="bad-part", title="Bad part soon", by="Anna", url=server.url)
        scores = until(found.scores, 60)
        took = time.monotonic() - begun
        assert {one["asset"] for one in scores} == set(ASSETS)
        assert all(0.0 <= one["low"] <= one["value"] <= one["high"] <= 1.0 for one in scores)
        assert not any(one["live"] for one in scores)
    with capsys.disabled():
        sys.stdout.write(f"\nfrom the call to shadow scores: {took:.2f} s ({found.seconds:.2f} s until it was taken)\n")
