"""Maintenance through the whole server: risks by rank, work orders to their end, the record of hits and misses."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_server import FakeBrain, Running, S, running
from shopfloor.plant import Kind, Sample
from shopfloor.plant.config import loads
from shopfloor.services import learned
from shopfloor.services.registry import Card, Label, Prediction

PLANT = """
plant: {site: delta}
types:
  machine-tool:
    tags:
      state: {kind: text, states: [EXECUTE, IDLE]}
      tool.id: {kind: int64}
      part.count: {kind: int64}
    production: {state: state, states: {EXECUTE: running, IDLE: idle}, count: part.count, ideal_cycle: 30s}
  pot:
    tags:
      state: {kind: text, states: [NORMAL, ANODE_CHANGE]}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..03]", type: machine-tool, title: "CNC [01..03]"}
  - {path: "delta/smelter/potline/row-1/pot-[01..02]", type: pot, title: "Pot [01..02]"}
"""
CNC, POT = "delta/frames/machining/cell-a/cnc-0", "delta/smelter/potline/row-1/pot-0"
MINUTE = 60 * S
NOW = time.time_ns() // S * S
WHY = [{"code": "tag", "sentence": "The tool has cut for 60 min.", "tag": "tool.id", "weight": -9.0, "values": {}}]


def said(asset: str, target: str, value: float | None, **more: Any) -> dict[str, Any]:
    """A prediction of a minute ago."""
    return {
        "asset": asset, "target": target, "title": target, "time": (NOW - MINUTE) / 1e6, "value": value, "low": None,
        "high": None, "coverage": 0.9, "unit": "min", "status": "ok", "sentence": "Said.", "advice": "",
        "baseline": None,
        "reasons": WHY, "model": target.replace("_", "-"), "trained_at": None, "version": 1, **more,
    }  # fmt: skip


SAID = [
    said(f"{CNC}1", "tool_life", 600.0, low=500.0, high=700.0),
    said(f"{CNC}2", "tool_life", 20.0, low=10.0, high=30.0, status="watch"),
    said(f"{CNC}3", "tool_life", None, status="unknown", sentence="No data for 9 minutes."),
    said(f"{CNC}1", "dimension", 4.0, unit="um"),
    said(f"{POT}1", "anode_effect", 0.4, low=0.3, high=0.5, unit="", status="act"),
]
CARDS = {
    "tool-life": Card("tool-life", "tool_life", "Tool life", "regression", "min", 0.9, 0, "ready"),
    "anode-effect": Card("anode-effect", "anode_effect", "Anode effect", "probability", "", 0.9, 0, "ready"),
}


def fill(server: Running, folder: Path) -> None:
    """Machine 1 ran half of the last hours; its tool was changed two hours ago, the anode of pot 1 three hours ago."""
    hours = range(8, 0, -1)
    states = [
        (NOW - n * 60 * MINUTE + half * 30 * MINUTE, name)
        for n in hours
        for half, name in enumerate(("EXECUTE", "IDLE"))
    ]
    server.feed(*(Sample(f"{CNC}1/state", at, name) for at, name in states), kind=Kind.TEXT)
    changed = [(300, 6), (120, 7), (60, 7)]
    server.feed(*(Sample(f"{CNC}1/tool.id", NOW - m * MINUTE, n) for m, n in changed), kind=Kind.INT)
    pots = [(600, "NORMAL"), (180, "ANODE_CHANGE"), (170, "NORMAL")]
    server.feed(*(Sample(f"{POT}1/state", NOW - m * MINUTE, name) for m, name in pots), kind=Kind.TEXT)
    registry = server.parts.registry
    for name in CARDS:
        (folder / name).mkdir()
        (folder / name / "manifest.json").write_text(f'{{"name": "{name}"}}')
        registry.begin_with(registry.submit(folder / name, "test"), "*")
    registry.scores.write(
        Prediction(one["model"], 1, "sha", one["asset"], NOW - MINUTE, True, one["value"], one["low"], one["high"], 1.0)
        for one in SAID
        if one["model"] in CARDS
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("maintenance")
    levels = [{"name": "tool-life", "levels": {"above": None, "below": 15.0}}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned, "card", lambda at: CARDS[at.name] if at.name in CARDS else _card(at))
        with running(folder / "data", loads(PLANT, "plant.yaml", {}), brain=FakeBrain(SAID, levels)) as server:
            fill(server, folder)
            yield server


def _card(at: Path) -> Card:
    return next(card for name, card in CARDS.items() if name in (at / "manifest.json").read_text())


def post(server: Running, path: str, **body: Any) -> Any:
    return server.client.post(f"/api/v1/work-orders{path}", json={"by": "Li", **body})


def test_what_wears_is_ranked_by_its_risk_and_what_is_not_known_says_so(server: Running) -> None:
    told = server.get("/maintenance")
    rows = {(one["asset"][-6:], one["prediction"]["target"]): one for one in told["rows"]}
    assert list(rows) == [
        ("pot-01", "anode_effect"),
        ("cnc-02", "tool_life"),
        ("cnc-01", "tool_life"),
        ("cnc-03", "tool_life"),
    ]
    assert told["silent"] == [f"{POT}2"]
    pot, soon, later, unknown = rows.values()
    assert (pot["kind"], pot["shift"]["at_least"], pot["day"]["at_least"]) == (
        "chance",
        pot["prediction"]["value"],
        None,
    )
    assert (soon["day"]["at_least"], soon["day"]["at_most"]) == (0.95, 1.0)
    assert later["running"] == pytest.approx(0.5, abs=0.02)
    assert later["left"]["value"] == pytest.approx(600 / later["running"] * 60_000 - 60_000, rel=0.01)
    assert (
        (later["day"]["at_least"], later["day"]["at_most"]) == (0.5, 0.95)
        if later["left"]["high"] > 86_400_000
        else (0.95, 1)
    )
    assert (unknown["left"], unknown["week"]["at_least"]) == (None, None)
    assert later["part"] == "tool"
    assert later["changed"] == (NOW - 120 * MINUTE) / 1e6
    assert (pot["part"], pot["changed"]) == ("anode", (NOW - 180 * MINUTE) / 1e6)


def test_an_order_freezes_its_reasons_and_its_end_tells_the_truth(server: Running) -> None:
    made = post(
        server, "", asset=f"{CNC}1", target="tool_life", what="Change the tool", who="Zhao", due=NOW / 1e6
    ).json()
    assert (made["state"], made["why"]["reasons"], made["title"]) == ("open", WHY, "CNC 01")
    assert [one["orders"] for one in server.get("/maintenance")["rows"] if one["asset"] == f"{CNC}1"] == [
        [made["number"]]
    ]
    assert post(server, f"/{made['number']}/start").json()["state"] == "in-work"
    done = post(server, f"/{made['number']}/done", found="early", note="=dull").json()
    assert (done["state"], done["found"], done["sentence"]) == ("done", "early", "")
    (mark,) = server.get("/marks", asset=f"{CNC}1")
    assert (mark["id"], mark["right"], mark["true_high"]) == (done["mark"], True, None)
    assert "replaced early" in mark["note"]
    assert 0 <= mark["true_low"] < 5
    refused = post(server, f"/{made['number']}/take-back")
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        f"Work order {made['number']} is done: make a new one.",
    )
    rows = list(csv.DictReader(io.StringIO(server.client.get("/api/v1/work-orders.csv").text.lstrip("\ufeff"))))
    assert (rows[-1]["note"], rows[-1]["target"], rows[-1]["state"]) == ("'=dull", "tool_life", "done")


def test_worn_or_not_is_the_truth_of_a_chance_and_by_hand_orders_tell_nothing(server: Running) -> None:
    made = post(server, "", asset=f"{POT}1", target="anode_effect", what="Feed").json()
    assert post(server, f"/{made['number']}/done", found="not-worn").json()["mark"]
    (mark,) = server.get("/marks", asset=f"{POT}1")
    assert (mark["right"], mark["true_low"], mark["true_high"]) == (False, 0, 0)
    plain = post(server, "", asset=f"{POT}2", what="Clean").json()
    assert plain["why"] is None
    assert post(server, f"/{plain['number']}/done", found="worn").json()["mark"] is None
    gone = post(server, "", asset=f"{CNC}3", target="tool_life", what="Look").json()
    told = post(server, f"/{gone['number']}/done", found="worn").json()
    assert "was not marked" in told["sentence"]
    assert [one["number"] for one in server.get("/work-orders", state="done", asset="delta/smelter")] == [
        plain["number"],
        made["number"],
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("", {"asset": f"{CNC}9", "what": "x"}, 404, "cnc-0"),
        ("", {"asset": f"{CNC}1", "what": "x", "target": "luck"}, 404, "Nothing is predicted of 'luck'"),
        ("", {"asset": f"{CNC}1", "what": ""}, 422, "what"),
        ("/999/start", {}, 404, "no work order 999"),
        ("/1/done", {"found": "broken"}, 422, "found"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    server: Running, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    answer = post(server, path, **body)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


def test_orders_are_on_disk_and_noted_in_the_audit(server: Running) -> None:
    made = post(server, "", asset=f"{CNC}2", what="Change the tool").json()
    assert post(server, f"/{made['number']}/take-back", note="It was changed.").json()["state"] == "taken-back"
    assert made["number"] not in [one["number"] for one in server.get("/work-orders")]
    noted = server.get("/audit", limit=2)
    assert [one["right"] for one in (noted["entries"] if isinstance(noted, dict) else noted)][:2] == ["work-orders"] * 2


def test_the_record_counts_hits_misses_and_false_alarms(server: Running) -> None:
    scores = server.parts.registry.scores
    rows = [(30, 32), (12, 14), (10, 4), (40, 41), (20, 12), (18, 6), (14, 60), (50, 52)]
    windows = [(n, NOW - (600 - n) * MINUTE, *pair) for n, pair in enumerate(rows)]
    scores.write(
        Prediction("tool-life", 1, "sha", f"{CNC}2", end, True, float(value), value - 5.0, value + 5.0, 1.0, f"p{n}")
        for n, end, value, _ in windows
    )
    scores.label(Label("tool-life", f"{CNC}2", float(true), float(true), NOW, f"p{n}") for n, _, _, true in windows)
    (record,) = [one for one in server.get("/maintenance/record") if one["name"] == "tool-life"]
    (mine,) = [one for one in record["assets"] if one["asset"] == f"{CNC}2"]
    assert (mine["windows"], mine["exact"], mine["inside"]) == (8, 8, 4)
    assert (mine["events"], mine["caught"], mine["alarms"], mine["false"]) == (2, 1, 2, 1)
    assert mine["error"] == pytest.approx((2 + 2 + 6 + 1 + 8 + 12 + 46 + 2) / 8)
    assert len([one for one in record["points"] if one["asset"] == f"{CNC}2"]) == 8
    assert (record["kind"], record["below"], record["nominal"]) == ("life", 15.0, 0.9)
