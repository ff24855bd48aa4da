"""Orders, genealogy and energy through the whole server: from a lot to its parts, and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from running_server import CNC, FakeBrain, Running, S, plant, running
from shopfloor.plant import Kind, Sample

PLANT = """
plant: {site: delta}
types:
  machine-tool:
    tags:
      state: {kind: text, states: [EXECUTE, HELD]}
      lot: {kind: text}
      parts: {kind: int64}
      part: {kind: int64}
      dimension: {unit: um}
      probed: {kind: int64}
      power: {unit: kW}
      energy: {unit: kWh}
    production:
      state: state
      states: {EXECUTE: running, HELD: down}
      minor_stop: 20s
      count: parts
      ideal_cycle: 30s
      part: part
      lot: lot
      result: {tag: dimension, part: probed, low: -10, high: 10}
      parameters: [power]
      energy: energy
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool, title: "CNC [01..02]"}
"""
OTHER = CNC.replace("01", "02")
LINE = "delta/frames/machining"
START = (time.time_ns() - 1000 * S) // (60 * S) * (60 * S)  # energy is told from whole minutes
NOW = START + 1000 * S


def ms(at: float) -> float:
    return START / 1e6 + at * 1000


def put(server: Running, asset: str, tag: str, *values: tuple[int, Any], kind: Kind) -> None:
    server.feed(*(Sample(f"{asset}/{tag}", START + at * S, value) for at, value in values), kind=kind)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    brain = FakeBrain(said=[{"asset": CNC, "target": "dimension", "status": "ok"}])
    with running(tmp_path_factory.mktemp("genealogy"), plant(PLANT), brain=brain) as server:
        for asset, first in ((CNC, 100), (OTHER, 900)):
            put(server, asset, "state", (0, "EXECUTE"), (400, "HELD"), (600, "EXECUTE"), kind=Kind.TEXT)
            put(server, asset, "lot", (-500, "L-1"), (300, "L-2"), kind=Kind.TEXT)
            put(server, asset, "part", *((at, first + at // 100) for at in range(0, 1000, 100)), kind=Kind.INT)
            put(server, asset, "parts", *((at, at // 100) for at in range(-100, 1000, 100)), kind=Kind.INT)
            put(server, asset, "energy", *((at, 2 + energy(at)) for at in range(-100, 1001, 50)), kind=Kind.FLOAT)
            put(server, asset, "power", (210, 1.0), (220, 2.0), (230, 6.0), (310, 50.0), kind=Kind.FLOAT)
        put(server, CNC, "dimension", (350, 12.0), (650, 4.0), kind=Kind.FLOAT)
        put(server, CNC, "probed", (350, 102), (650, 105), kind=Kind.INT)
        yield server


def energy(at: int) -> float:
    """36 kW while it runs, 3.6 kW while it stands: kWh."""
    standing = min(max(at - 400, 0), 200)
    return 0.01 * (at - standing) + 0.001 * standing


def post(server: Running, path: str, expected: int = 200, **body: Any) -> Any:
    answer = server.client.post(f"/api/v1/production/{path}", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


def test_a_part_is_told_with_lot_states_parameters_prediction_and_result(server: Running) -> None:
    one = server.get("/production/genealogy/part", asset=CNC, number=102)
    assert (one["lot"], one["result"], one["good"], one["order"]) == ("L-1", 12.0, False, "")
    assert (one["start"], one["end"]) == (ms(200), ms(300))
    assert one["states"] == {"EXECUTE": 100}
    assert one["parameters"] == [{"tag": f"{CNC}/power", "n": 3, "mean": 3.0, "min": 1.0, "max": 6.0}]
    assert [(told["target"], told["value"]) for told in one["predictions"]] == [("dimension", 1.0)]
    later = server.get("/production/genealogy/part", asset=CNC, number=105)
    assert (later["lot"], later["result"], later["good"], later["states"]) == ("L-2", 4.0, True, {"HELD": 100})


def test_a_lot_is_followed_to_its_parts_on_all_machines_and_each_part_leads_back(server: Running) -> None:
    parts = server.get("/production/genealogy/lot", lot="L-1")
    assert [(one["asset"], one["number"]) for one in parts] == [
        *((CNC, number) for number in (100, 101, 102)), *((OTHER, number) for number in (900, 901, 902)),
    ]  # fmt: skip
    assert [one["good"] for one in parts] == [None, None, False, None, None, None]
    for one in parts:
        assert server.get("/production/genealogy/part", asset=one["asset"], number=one["number"])["lot"] == "L-1"
    newest = server.get("/production/genealogy/parts", place=LINE, end=ms(1000), limit=2)
    assert [one["number"] for one in newest] == [109, 909]
    (numbered,) = server.get("/production/genealogy/parts", place="", number=901, end=ms(1000))
    assert (numbered["asset"], numbered["lot"]) == (OTHER, "L-1")


def test_energy_is_per_good_part_and_base_load_is_that_of_standing(server: Running) -> None:
    (line,) = server.get("/production/energy", start=ms(0), end=ms(900))["lines"]
    one = line["machines"][0]
    assert one["total"] == pytest.approx(7 + 0.2)
    assert one["running"] == pytest.approx(7, rel=0.06)  # the curve is straight within each minute
    assert one["stood"] == 200
    assert 3.6 <= one["base_load"] < 9  # both ends share a minute with 36 kW
    assert one["good"] == 8  # 9 parts, one of them out of tolerance
    assert one["per_good"] == pytest.approx(7.2 / 8)
    assert line["total"] == pytest.approx(14.4)


def test_an_order_is_planned_runs_counts_and_is_completed(server: Running) -> None:
    order = post(server, "orders", by="Li", number="A-1", item="FRAME-A", place=LINE, quantity=40, lots=["L-3"])
    assert (order["state"], order["made"], order["runs"], order["lots"]) == ("planned", 0, [], ["L-3"])
    assert post(server, "orders/A-1/start", by="Li")["state"] == "running"
    post(server, "orders", by="Li", number="A-2", place=CNC, quantity=1)
    assert "The order A-1 runs at" in post(server, "orders/A-2/start", 422, by="Li")["detail"]
    now = time.time_ns()
    server.feed(Sample(f"{CNC}/parts", now, 12), kind=Kind.INT)
    server.feed(Sample(f"{CNC}/part", now, 777), Sample(f"{CNC}/part", now + S // 10, 778), kind=Kind.INT)
    time.sleep(0.15)
    made = next(one for one in server.get("/production/orders") if one["number"] == "A-1")
    assert (made["made"], made["good"]) == (3, 3)  # 9 before
    assert server.get("/production/genealogy/part", asset=CNC, number=777)["order"] == "A-1"
    assert post(server, "orders/A-1/stop", by="Wu")["state"] == "stopped"
    assert post(server, "orders/A-1/complete", by="Wu")["state"] == "completed"
    assert "is completed: it cannot start now" in post(server, "orders/A-1/start", 422, by="Wu")["detail"]
    detail = server.get("/production/orders/A-1")
    assert [one["lots"] for one in detail["machines"]] == [["L-2"], ["L-2"]]
    assert detail["kwh"] is not None
    assert [note["what"] for note in server.get("/production/journal")][:3] == ["complete", "stop", "order"]


@pytest.mark.parametrize(
    ("path", "status", "body", "sentence"),
    [
        ("orders", 422, {"number": "B", "place": "nowhere", "quantity": 1}, "There is no machine at 'nowhere'"),
        ("orders/none/start", 404, {}, "There is no order 'none'"),
        ("orders", 422, {"number": "B", "place": CNC, "quantity": 0}, "'quantity'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    server: Running, path: str, status: int, body: dict[str, Any], sentence: str
) -> None:
    assert sentence in post(server, path, status, by="Li", **body)["detail"]


def test_an_unknown_part_or_lot_is_said_and_a_time_without_parts_is_empty(server: Running) -> None:
    assert server.get("/production/genealogy/parts", place="", start=ms(-900), end=ms(-800)) == []
    for path, asked in (("part", {"asset": CNC, "number": 5}), ("lot", {"lot": "L-9"})):
        answer = server.client.get(f"/api/v1/production/genealogy/{path}", params=asked)
        assert answer.status_code == 404
        assert answer.json()["detail"].endswith("in that time: ask for another time.")
