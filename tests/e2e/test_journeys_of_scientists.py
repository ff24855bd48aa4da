"""What a data scientist does: let a model speak after a replay, take it back, carry data away."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from journey import ZH, Journey, journey
from plant_under_test import PlantUnderTest, until
from playwright.sync_api import Browser, Download, expect
from shopfloor.models.client import dataset, deploy
from sklearn.linear_model import Ridge

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(600)]
CELL = "delta/frames/machining/cell-a"
TAG = f"{CELL}/cnc-07/spindle.power"
TAGS = ("spindle.power", "spindle.temperature")
S = 1_000_000_000


@pytest.fixture
def versions(learned: PlantUnderTest) -> Iterator[tuple[int, int]]:
    """The numbers of two versions of one model from a notebook: the first speaks, the other is compared with it."""
    now = time.time_ns()
    rows = dataset(
        tags=TAGS, start=now - 1800 * S, end=now - 60 * S, assets=f"{CELL}/*", hop="30s", hold="30min", url=learned.url
    )  # fmt: skip
    warm = rows.labelled(rows.windows[:, -1, 1])
    for alpha in (100.0, 1.0):
        made = deploy(
            Ridge(alpha).fit(warm.x, warm.y), None, warm, name="spindle-warmth", title="Warmth of the spindle",
            by="Anna", scope=CELL, url=learned.url,
        )  # fmt: skip
        if made.number == 1:
            body = {"number": 1, "scope": CELL, "by": "Anna", "why": "the first"}
            assert learned.client.post("/api/v1/registry/spindle-warmth/promote", json=body).is_success
    assert made.label(warm) > 100
    yield 1, made.number
    for number in (1, made.number):
        body = {"number": number, "scope": CELL, "by": "Anna", "why": "only a trial"}
        learned.client.post("/api/v1/registry/spindle-warmth/retire", json=body)
    until("it says nothing more", lambda: all(p["model"] != "spindle-warmth" for p in learned.get("/predictions")))


def test_8_promote_a_model_after_a_replay(learned: PlantUnderTest, browser: Browser, versions: tuple[int, int]) -> None:
    """Shadow beside what speaks, replay, gate, promotion, and the way back."""
    old, new = versions
    with journey(8, "promote after a replay", learned.url, browser, look=ZH, refusals=("422",)) as walk:
        page = walk.page
        walk.go("模型")
        card = page.get_by_test_id("model").filter(has_text="spindle-warmth")
        life = card.get_by_test_id("life")
        expect(life).to_contain_text(f"版本 {old} 正在使用")
        expect(life).to_contain_text(re.compile(f"版本 {new} (正在后台对比|待批准)"))
        expect(life.locator("li.fails").first).to_be_visible()
        walk.look("shadow beside live")
        _replay(walk)
        walk.tap(life.get_by_role("button", name="启用", exact=True))
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_test_id("replayed")).to_be_visible()
        walk.type(dialog.get_by_label("姓名"), "Anna")
        walk.type(dialog.locator("textarea"), "Better in the replay")
        walk.tap(dialog.get_by_role("button", name="启用"))
        expect(dialog.get_by_role("alert")).to_contain_text(re.compile(r"\d+"))
        walk.look("the gate refuses")
        walk.tap(dialog.get_by_role("checkbox"))
        walk.tap(dialog.get_by_role("button", name="启用"))
        expect(life).to_contain_text(f"版本 {new} 正在使用")
        walk.look("promoted")
        walk.tap(life.get_by_role("button", name="回退", exact=True))
        walk.type(dialog.locator("textarea"), "Only a trial")
        walk.tap(dialog.get_by_role("button", name="回退"))
        expect(life).to_contain_text(f"版本 {old} 正在使用")
        walk.look("rolled back")
    events = learned.get("/registry/spindle-warmth/events")
    assert [one["what"] for one in events[:3]] == ["rolled back", "champion", "replayed"], events[:3]


def _replay(walk: Journey) -> None:
    life = walk.page.get_by_test_id("model").filter(has_text="spindle-warmth").get_by_test_id("life")
    walk.tap(life.get_by_text("历史回放"))
    walk.choose(life.locator("form select").last, value="day")
    walk.tap(life.locator("form").get_by_role("button"))
    expect(life.get_by_test_id("replayed")).to_be_visible(timeout=180_000)
    expect(life.get_by_test_id("replayed")).to_contain_text("10 台设备")
    walk.look("replayed")


def test_9_export_data(plant: PlantUnderTest, browser: Browser, tmp_path: Path) -> None:
    """Three files of what a trend shows, and the lines of Python on the page: the same numbers four times."""
    with journey(9, "export data", plant.url, browser) as walk:
        page = walk.page
        until("history of that hour", lambda: plant.get("/history", tag=TAG)["time"], 180)
        walk.tap(page.get_by_test_id("tile").filter(has_text="CNC 07"))
        walk.tap(page.get_by_role("link", name="Spindle power").first)
        walk.tap(page.get_by_role("button", name="1 h", exact=True))
        walk.tap(page.get_by_role("button", name="Earlier"))
        walk.look("trend")
        files = {}
        for kind in ("CSV", "Parquet", "Arrow"):
            with page.expect_download() as taken:
                walk.tap(page.get_by_role("link", name=kind, exact=True))
            files[kind] = _bytes(taken.value, tmp_path)
        walk.tap(page.get_by_role("button", name="Python", exact=True))
        lines = page.locator("dialog pre").inner_text()
        walk.look("python")
    tables = [
        pa.csv.read_csv(io.BytesIO(files["CSV"])), pq.read_table(io.BytesIO(files["Parquet"])),
        pa.ipc.open_stream(files["Arrow"]).read_all(),
    ]  # fmt: skip
    numbers = [np.asarray(table.column("value").to_pylist(), float) for table in tables]
    assert len(numbers[0]) > 100
    run = f"{lines}\nprint(len(table), repr(float(table.iloc[:, 0].sum())))"
    said = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, timeout=120, check=True).stdout
    count, total = said.split()
    assert {len(one) for one in numbers} == {int(count)}
    for one in numbers:
        assert one.sum() == pytest.approx(float(total))


def _bytes(taken: Download, folder: Path) -> bytes:
    path = folder / taken.suggested_filename
    taken.save_as(path)
    return path.read_bytes()
