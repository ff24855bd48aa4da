"""The best earlier run of what a machine makes, through the whole server: by orders, by the item tag, by shifts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from running_server import CNC, Running, S, plant, running
from shopfloor.plant import Kind, Sample
from shopfloor.services.api.production.best import BestView

PLANT = """
plant: {site: delta}
types:
  machine-tool:
    tags: {state: {kind: text}, program: {kind: text}, parts: {kind: int64}}
    production:
      {state: state, states: {EXECUTE: running, HELD: down}, count: parts, ideal_cycle: 60s, item: program}
  press:
    tags: {state: {kind: text}, parts: {kind: int64}}
    production: {state: state, states: {EXECUTE: running}, count: parts, ideal_cycle: 60s}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool}
  - {path: delta/frames/machining/cell-a/press-01, type: press}
"""
OTHER, PRESS = CNC.replace("01", "02"), CNC.replace("cnc", "press")
NOW = time.time_ns() // S * S
START = NOW - 7 * 3600 * S
RUNS = [("A", 40), ("B", 60), ("A", 55), ("A", 4), ("A", 50), ("B", 10)]
"""Every hour another program, and so many parts in it; the fourth is no run of its own: A goes on."""


def at(hour: float) -> int:
    return START + int(hour * 3600) * S


def feed(server: Running, asset: str, tag: str, values: list[tuple[float, Any]], kind: Kind) -> None:
    server.feed(*(Sample(f"{asset}/{tag}", at(hour), value) for hour, value in values), kind=kind)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("best"), plant(PLANT)) as server:
        made, counted = 0, [(0.0, 0)]
        for hour, (_, parts) in enumerate([*RUNS, ("A", 20)]):
            counted += [(hour + (part + 0.5) / parts, made + part + 1) for part in range(parts)]
            made += parts
        for asset in (CNC, OTHER, PRESS):
            feed(server, asset, "state", [(0, "EXECUTE")], Kind.TEXT)
            feed(server, asset, "parts", counted, Kind.INT)
        programs = [(float(hour), program) for hour, (program, _) in enumerate([*RUNS, ("A", 20)])]
        feed(server, CNC, "program", programs, Kind.TEXT)
        yield server


def best(server: Running, asset: str, hour: float = 6.5) -> dict[str, Any]:
    return BestView.model_validate(server.get("/production/best", asset=asset, at=at(hour) / 1e6)).model_dump()


def test_runs_of_the_same_program_are_compared_by_oee(server: Running) -> None:
    said = best(server, CNC)
    assert (said["basis"], said["item"], said["by"], said["runs"]) == ("item", "A", "oee", 2)
    assert said["now"]["start"] == at(6) / 1e6
    assert (said["best"]["start"], said["best"]["end"]) == (at(0) / 1e6, at(1) / 1e6)
    assert said["best"]["made"] == 40
    assert said["best"]["oee"] == pytest.approx(40 / 60)


def test_a_run_without_an_equal_before_has_no_best_one(server: Running) -> None:
    said = best(server, CNC, 0.5)
    assert (said["runs"], said["best"]) == (0, None)


def test_shifts_are_compared_where_nobody_says_what_is_made(server: Running) -> None:
    said = best(server, PRESS)
    assert (said["basis"], said["item"]) == ("shift", "")
    assert said["now"]["start"] <= at(6.5) / 1e6 < said["now"]["end"]


def test_runs_of_orders_come_before_what_the_machine_says(server: Running) -> None:
    for number in ("F-1", "F-2"):
        order = {"by": "Eva", "number": number, "item": "frame", "place": OTHER, "quantity": 100}
        for path, body in (("", order), (f"/{number}/start", {"by": "Eva"}), (f"/{number}/complete", {"by": "Eva"})):
            if (number, path) != ("F-2", "/F-2/complete"):
                server.client.post(f"/api/v1/production/orders{path}", json=body).raise_for_status()
    said = server.get("/production/best", asset=OTHER)
    assert (said["basis"], said["item"], said["now"]["name"]) == ("order", "frame", "F-2")
    assert (said["runs"], said["best"]) == (0, None), "a run of a moment tells nothing"


def test_what_is_no_machine_is_said(server: Running) -> None:
    answer = server.client.get("/api/v1/production/best", params={"asset": "delta/x/y/z/none"})
    assert answer.status_code == 404
    assert "There is no machine" in answer.json()["detail"]
