"""The bench of the live transport, shortened: pages hear at the rate of the feed, beside pages that do not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from shopfloor.services.bench.cache import Cache
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.fanout import browsers
from shopfloor.services.bench.fanout.browsers import fan_out
from shopfloor.services.bench.fanout.page import PAGE


def test_pages_hear_ten_times_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "_SETTLE_S", 0.5)
    part = fan_out((4,), 1.0, Place(tmp_path, Cache(tmp_path / "cache", install=False), None))
    alone, with_pages = part["summary"]
    assert (alone["pages"], with_pages["pages"]) == (0, 4)
    assert with_pages["frames_per_s"] > 1
    assert "| 4 |" in PAGE.table(part)
