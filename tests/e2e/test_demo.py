"""`shopfloor demo`: one command, a living plant. The plant is shared, in any order (conftest.py)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pyarrow as pa
import pytest
from browser import visitor
from plant_under_test import API, PlantUnderTest, free_port, shopfloor, until
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
MACHINE = "delta/frames/machining/cell-a/cnc-07"
POT = "delta/smelter/potline/row-1/pot-05"


def test_sixty_assets_send_over_opcua_and_mqtt(plant: PlantUnderTest) -> None:
    assert len(plant.get("/assets")) == 60
    live = [s for s in plant.health()["sources"] if s["kind"] in {"opcua", "mqtt"}]
    assert {s["kind"] for s in live} == {"opcua", "mqtt"}
    until(
        "3,000 values/s",
        lambda: sum(s["values_per_s"] for s in plant.health()["sources"] if s["kind"] != "recording") >= 3000,
        why=lambda: str(plant.health()["sources"]),
    )


def test_every_asset_has_young_values(plant: PlantUnderTest) -> None:
    def young() -> bool:
        now = plant.health()["time"]
        latest = {v["tag"]: v for v in plant.get("/latest")}
        tags = [
            f"{a['path']}/{'voltage' if a['type'] == 'reduction-pot' else 'spindle.power'}"
            for a in plant.get("/assets")
        ]
        return all(t in latest and now - latest[t]["time"] < 5000 and latest[t]["severity"] == 0 for t in tags)

    until("a young, good value of every asset", young, 60)


def test_last_hour_of_history_is_there_before_the_rest(plant: PlantUnderTest) -> None:
    now = time.time() * 1000

    def hour() -> bool:
        answer = plant.get("/history", tag=f"{MACHINE}/spindle.power", start=now - 3_600_000, end=now, points=500)
        return len(answer["time"]) > 50 and answer["time"][0] < now - 50 * 60_000

    until("an hour of history", hour, 120, why=lambda: str(plant.health()["history"]))


def test_history_is_complete_and_zooms(filled: PlantUnderTest) -> None:
    now = time.time() * 1000
    tag = f"{POT}/voltage"
    whole = filled.get("/history", tag=tag, start=now - 2 * 86_400_000, end=now, points=1000)
    assert whole["downsampled"]
    assert 100 < len(whole["time"]) <= 4200
    assert whole["time"][0] < now - 47 * 3_600_000
    assert whole["time"] == sorted(whole["time"])
    part = filled.get("/history", tag=tag, start=now - 600_000, end=now)
    assert not part["downsampled"]
    assert part["unit"] == "V"
    health = filled.health()["history"]
    assert health["rows"] == health["rows_expected"] > 0


def test_arrow_tells_the_same_as_json(filled: PlantUnderTest) -> None:
    end = filled.health()["time"] - 3 * 3_600_000
    query: dict[str, Any] = {"tag": f"{MACHINE}/spindle.power", "start": end - 3_600_000, "end": end}
    rows = filled.get("/history", **query)
    answer = filled.client.get(
        f"{API}/history", params=query, headers={"Accept": "application/vnd.apache.arrow.stream"}
    )
    table = pa.ipc.open_stream(answer.content).read_all()
    assert len(rows["value"]) > 10
    assert table.column("value").to_pylist() == rows["value"]


def test_every_machine_has_predictions_with_interval_and_reason(learned: PlantUnderTest) -> None:
    def told() -> bool:
        predictions = learned.get("/predictions")
        by_asset: dict[str, set[str]] = {}
        for p in predictions:
            by_asset.setdefault(p["asset"], set()).add(p["target"])
        machines = [a["path"] for a in learned.get("/assets") if a["type"] == "machine-tool"]
        pots = [a["path"] for a in learned.get("/assets") if a["type"] == "reduction-pot"]
        return all({"tool_life", "dimension", "out_of_tolerance"} <= by_asset.get(m, set()) for m in machines) and all(
            {"pot_unusual", "anode_effect"} <= by_asset.get(p, set()) for p in pots
        )

    until("predictions for all assets", told, 90, why=learned.story)
    predictions = learned.get("/predictions")
    known = [p for p in predictions if p["status"] != "unknown"]
    assert sum("/cnc-" in p["asset"] for p in known) >= 40, "of three targets one may abstain after two days"
    assert all(p["sentence"] for p in predictions), "who abstains says why"
    for p in known:
        assert p["low"] <= p["value"] <= p["high"], p
        assert p["reasons"], p


def test_models_are_shown_beside_their_baselines(learned: PlantUnderTest) -> None:
    models = learned.get("/models")
    assert {m["target"] for m in models} >= {
        "tool_life",
        "dimension",
        "out_of_tolerance",
        "pot_unusual",
        "anode_effect",
    }
    for model in models:
        assert model["split"]
        assert model["metrics"]


def test_at_least_one_alarm_explains_itself(learned: PlantUnderTest) -> None:
    """One of a device is acknowledged at the device, and so a little later."""

    def of(state: str, *, done: bool) -> list[Any]:
        return [one for one in learned.get("/alarms", state=state) if bool(one["acknowledged"]) is done]

    first, *_ = until("an alarm", lambda: of("open", done=False), 240, why=learned.story)
    assert first["sentence"]
    answer = learned.client.post(f"{API}/alarms/{first['id']}/acknowledge", json={"by": "Test", "note": "seen"})
    assert answer.is_success, answer.text
    until("its acknowledgement", lambda: [one for one in of("all", done=True) if one["id"] == first["id"]], 30)
    (same,) = [one for one in of("all", done=True) if one["id"] == first["id"]]
    assert same["acknowledged"]["by"] == "Test"


def test_ledger_balances_while_all_flows(learned: PlantUnderTest) -> None:
    ledger = until("a balanced ledger", lambda: (x := learned.get("/ledger"))["balanced"] and x, 30, why=learned.story)
    assert {"machining", "potline"} <= {s["source"] for s in ledger["sources"]}
    assert all(s["rejected"] == 0 for s in ledger["sources"])


def test_all_processes_fit_into_two_gigabytes(learned: PlantUnderTest) -> None:
    """Proportional set size: pages that processes share are counted once."""
    family = [psutil.Process(learned.process.pid), *psutil.Process(learned.process.pid).children(recursive=True)]
    total = sum(p.memory_full_info().pss for p in family)
    assert total < 2_000_000_000, {p.name(): p.memory_full_info().pss >> 20 for p in family}


def test_second_instance_says_one_sentence(plant: PlantUnderTest) -> None:
    with (plant.data / "second.out").open("wb") as sink:
        second = shopfloor(
            "demo", "--port", str(free_port()), "--data", plant.data, "--no-browser", stdout=sink, stderr=sink
        )
    assert second.wait(30) == 2
    said = Path(sink.name).read_text().strip()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said


@pytest.mark.browser
def test_every_page_shows_the_living_plant(learned: PlantUnderTest, browser: Browser) -> None:
    until("predictions", lambda: len(learned.get("/predictions")) > 100, 90, why=learned.story)
    with visitor(learned.url, browser) as guest:
        page = guest.open("/")
        expect(page.get_by_test_id("tile")).to_have_count(60)
        guest.keep("overview")
        for name, path in {"machining": "/line/frames/machining", "potline": "/line/smelter/potline"}.items():
            expect(guest.open(path).get_by_test_id("tile").first).to_be_visible()
            guest.keep(name)
        for name, asset, predictions in (("machine", MACHINE, 3), ("pot", POT, 2)):
            page = guest.open(f"/asset/{asset}")
            expect(page.get_by_test_id("prediction")).to_have_count(predictions)
            expect(page.get_by_test_id("timeline")).to_be_visible()
            guest.keep(name)
        for name in ("alarms", "connections", "models"):
            guest.open(f"/{name}")
            expect(
                page.get_by_test_id({"alarms": "alarms", "connections": "ledger", "models": "model"}[name]).first
            ).to_be_visible()
            guest.keep(name)
        guest.open("/", "lang=zh&theme=dark&wall")
        expect(page.get_by_test_id("tile")).to_have_count(60)
        guest.keep("overview-wall-dark-zh")


@pytest.mark.browser
def test_a_trend_moves_and_zooms(filled: PlantUnderTest, browser: Browser) -> None:
    with visitor(filled.url, browser) as guest:
        page = guest.open(f"/tag/{POT}/voltage")
        now = page.get_by_test_id("now").first
        expect(now).to_contain_text("V")
        said = now.inner_text()
        expect(now).not_to_have_text(said)
        page.get_by_role("button", name="24 h", exact=True).click()
        box = page.get_by_test_id("trend").first.bounding_box()
        assert box
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.4, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
        with page.expect_response(lambda answer: "/api/v1/history" in answer.url and "voltage" in answer.url) as asked:
            page.mouse.up()
        assert msgspec.msgpack.decode(asked.value.body())["time"]
        guest.keep("tag-zoomed")
