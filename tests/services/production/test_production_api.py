"""Production through the whole server: from states and counters over HTTP to OEE, losses, stops and their reasons."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from running_server import CNC, Running, S, plant, running, until
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.services.historian import Historian
from shopfloor.services.production.circumstances import Circumstances
from shopfloor.services.production.machine import machines
from shopfloor.services.production.store import ProductionStore
from shopfloor.services.production.watcher import Watcher

PLANT = """
plant:
  site: delta
  shifts: [{name: early, begins: "06:00"}, {name: late, begins: "18:00"}]
types:
  machine-tool:
    tags:
      state: {kind: text, states: [EXECUTE, IDLE, HELD]}
      program: {kind: text}
      parts: {kind: int64}
      dimension: {unit: um}
      probed: {kind: int64}
      power: {limits: [{high: 5, advice: Look.}]}
    production:
      state: state
      states: {EXECUTE: running, IDLE: idle, HELD: down}
      minor_stop: 20s
      loading: 5s
      count: parts
      ideal_cycle: 30s
      item: program
      ideal_cycles: {FAST: 20s}
      result: {tag: dimension, part: probed, low: -10, high: 10}
      reasons: {Tool: [Broken, Change], People: [Break]}
      scrap_reasons: [Surface]
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool, title: "CNC [01..02]"}
"""
OTHER = CNC.replace("01", "02")
NOW = time.time_ns() // S * S
START = NOW - 1000 * S
"""Within the last hour: 1000 s in which both machines did something."""


DONE = [
    (0, "EXECUTE"),
    (300, "HELD"),
    (400, "EXECUTE"),
    (500, "IDLE"),
    (515, "EXECUTE"),
    (600, "IDLE"),
    (605, "EXECUTE"),
]


def put(server: Running, asset: str, tag: str, *values: tuple[int, Any], kind: Kind) -> None:
    server.feed(*(Sample(f"{asset}/{tag}", START + at * S, value) for at, value in values), kind=kind)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("production"), plant(PLANT)) as server:
        put(server, CNC, "power", (-100, 6.0), kind=Kind.FLOAT)
        for asset in (CNC, OTHER):
            put(server, asset, "state", *DONE, kind=Kind.TEXT)
        put(server, CNC, "program", (0, "SLOW"), (500, "FAST"), kind=Kind.TEXT)
        counted = [(-50, 7), (30, 8), (60, 9), (90, 11), (450, 2), (600, 3)]  # after 11 it began anew, at 2
        put(server, CNC, "parts", *counted, kind=Kind.INT)
        put(server, CNC, "dimension", (60, 3.0), (90, 11.5), (95, 12.0), kind=Kind.FLOAT)
        put(server, CNC, "probed", (60, 8), (90, 9), (95, 9), kind=Kind.INT)
        until(lambda: all(stops(server, asset) for asset in (CNC, OTHER)))
        yield server


def ms(at: float) -> float:
    return START / 1e6 + at * 1000


def oee(server: Running, place: str = CNC, first: float = 0, last: float = 1000) -> Any:
    (line,) = server.get("/production/oee", place=place, start=ms(first), end=ms(last))["lines"]
    return line


def stops(server: Running, place: str) -> Any:
    return server.get("/production/downtime", place=place, start=ms(0), end=ms(1000))["stops"]


def post(server: Running, path: str, expected: int = 200, **body: Any) -> Any:
    answer = server.client.post(f"/api/v1/production/{path}", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json() if answer.content else None


def test_oee_of_a_machine_is_that_of_its_states_and_counters(server: Running) -> None:
    """4 parts at 30 s, then a reset with 2 at 30 s, then 1 at 20 s; one of the probed is out of tolerance."""
    (said,) = oee(server)["machines"]
    assert said["counts"] == {"pq": 7, "gq": 6, "sq": 1, "rq": 0, "planned_run": 200}
    assert (said["times"]["pbt"], said["times"]["apt"], said["times"]["adet"]) == (1000, 885, 115)
    assert said["kpis"]["oee"] == pytest.approx(885 / 1000 * 200 / 885 * 6 / 7)
    losses = {loss["kind"]: loss["seconds"] for loss in said["losses"] if loss["seconds"]}
    assert losses["down"] == 100
    assert losses["minor-stop"] == 15
    assert losses["speed"] == 685
    assert sum(losses.values()) == pytest.approx(1000, abs=1e-9)
    assert said["doing"] == "running"


def test_a_line_is_the_sum_of_its_machines_and_a_border_cuts_a_stop_without_making_it_a_minor_one(
    server: Running,
) -> None:
    line = oee(server, "delta/frames")
    assert line["path"] == "delta/frames/machining"
    assert line["times"]["pbt"] == 2000
    assert line["counts"]["pq"] == 7
    assert [one["title"] for one in line["machines"]] == ["CNC 01", "CNC 02"]
    first, second = oee(server, last=310), oee(server, first=310)
    assert [first["times"]["adet"], second["times"]["adet"]] == [10, 105]
    assert {loss["kind"]: loss["seconds"] for loss in first["losses"]}["down"] == 10
    assert first["counts"]["pq"] + second["counts"]["pq"] == 7


def test_the_shift_of_now_ends_now_and_time_before_the_first_state_is_unknown(server: Running) -> None:
    said = server.get("/production/oee", place=CNC)
    assert said["shift"] in {"early", "late"}
    assert said["start"] < said["end"] <= said["shift_end"]
    (line,) = said["lines"]
    assert line["times"]["pot"] == pytest.approx((said["end"] - said["start"]) / 1000, abs=1e-6)
    before = server.get("/production/oee", place=CNC, at=said["before"])
    assert before["shift"] != said["shift"]
    assert before["end"] == said["start"]
    (old,) = oee(server, first=-5000, last=-4000)["machines"]
    assert old["times"]["unknown"] == 1000
    assert (old["kpis"]["availability"], old["kpis"]["oee"]) == (None, None)


def test_a_stop_is_recorded_told_split_merged_and_counted_by_reason(server: Running) -> None:
    (stop,) = until(lambda: stops(server, CNC))
    assert (stop["start"], stop["end"], stop["kind"]) == (ms(300), ms(400), "down")
    assert stop["suggested"] == ["Tool/Broken", "Tool/Change", "People/Break"]
    told = post(server, f"downtime/{stop['id']}/reason", by="Li", reason="People/Break", comment="Lunch")
    assert (told["reason"], told["by"], told["comment"]) == ("People/Break", "Li", "Lunch")
    (other,) = until(lambda: stops(server, OTHER))
    assert other["suggested"][0] == "People/Break"
    _, second = post(server, f"downtime/{stop['id']}/split", by="Li", time=ms(340))
    post(server, f"downtime/{second['id']}/reason", by="Li", reason="Tool/Change")
    down = next(loss for loss in oee(server)["losses"] if loss["kind"] == "down")
    assert down["reasons"] == {"Tool/Change": 60, "People/Break": 40}
    put(server, CNC, "state", (310, "HELD"), kind=Kind.TEXT)  # it looks again, and leaves what a person parted
    server.parts.production._watcher.turn()
    assert len(stops(server, CNC)) == 2
    whole = post(server, f"downtime/{stop['id']}/merge", by="Wu", other=second["id"])
    assert (whole["start"], whole["end"], whole["reason"]) == (ms(300), ms(400), "People/Break")
    journal = server.get("/production/journal")
    assert [note["what"] for note in journal if note["subject"] == CNC][:4] == ["merge", "reason", "split", "reason"]
    downtime = server.get("/production/downtime", place=CNC, start=ms(0), end=ms(1000))
    assert downtime["told"] >= 1


def test_an_open_stop_closes_and_late_values_correct_what_nobody_has_told(server: Running) -> None:
    put(server, OTHER, "state", (700, "HELD"), kind=Kind.TEXT)
    newest = until(lambda: (found := stops(server, OTHER)) and len(found) == 2 and found[0])
    assert newest["end"] is None
    put(server, OTHER, "state", (760, "EXECUTE"), kind=Kind.TEXT)
    until(lambda: stops(server, OTHER)[0]["end"] == ms(760))
    put(server, OTHER, "state", (710, "EXECUTE"), (740, "IDLE"), kind=Kind.TEXT)
    until(lambda: len(stops(server, OTHER)) == 1)


def test_an_idle_time_that_looked_like_loading_becomes_a_stop_while_nothing_comes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The watcher alone, whose clock the test turns: it is asked at each second, and told nothing after the state."""
    config, now = plant(PLANT), NOW
    with Historian.open(tmp_path_factory.mktemp("idle")) as store, ProductionStore(tmp_path_factory.mktemp("db")) as db:
        watcher = Watcher(machines(config), store.reader, db, lambda: now, lambda _, __: Circumstances())
        batch = Batch.of([Sample(f"{CNC}/state", NOW - 500 * S, "EXECUTE"), Sample(f"{CNC}/state", NOW - S, "IDLE")])
        store.ingest("edge", 1, "machining", 2, batch)
        watcher.watch(batch)
        begun = None
        for second in range(60):
            now = NOW + second * S
            watcher.turn()
            begun = begun or (second if db.stops(0, now, CNC) else None)
        assert begun is not None
        assert 19 < begun < 24  # a minor stop may last 20 s
        (stop,) = db.stops(0, now, CNC)
        assert (stop.start, stop.end, stop.kind) == (NOW - S, None, "idle")


def test_scrap_is_entered_with_a_reason_lowers_quality_and_is_taken_back(server: Running) -> None:
    at = ms(800)
    entry = post(server, "scrap", by="Li", asset=CNC, quantity=2, reason="Surface", time=at)
    assert oee(server)["counts"]["sq"] == 3
    rework = post(server, "scrap", by="Li", asset=CNC, kind="rework", reason="Surface", time=at)
    assert oee(server)["counts"] == {"pq": 7, "gq": 3, "sq": 3, "rq": 1, "planned_run": 200}
    assert len(server.get("/production/scrap", place=CNC, start=ms(0), end=ms(1000))) == 2
    for one in (entry, rework):
        post(server, f"scrap/{one['id']}/take-back", 204, by="Li")
    assert oee(server)["counts"]["sq"] == 1


@pytest.mark.parametrize(
    ("path", "status", "body", "sentence"),
    [
        ("downtime/9999/reason", 404, {"reason": ""}, "There is no stop 9999: ask /api/v1/production/downtime for"),
        ("scrap", 404, {"asset": "x", "reason": "y"}, "'x' is no machine: ask /api/v1/production/oee for"),
        ("scrap", 422, {"asset": CNC, "reason": "y"}, "'y' is no reason: expected one of Surface."),
        ("scrap", 422, {"asset": CNC, "reason": "Surface", "time": 9e15}, "Scrap is entered for a moment that was"),
        ("scrap/77/take-back", 404, {}, "There is no entry 77"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    server: Running, path: str, status: int, body: dict[str, Any], sentence: str
) -> None:
    assert sentence in post(server, path, status, by="Li", **body)["detail"]


def test_a_stop_is_not_split_outside_of_it_nor_merged_with_itself(server: Running) -> None:
    (stop,) = until(lambda: stops(server, CNC))
    number = stop["id"]
    assert "choose a moment within it" in post(server, f"downtime/{number}/split", 422, by="Li", time=ms(900))["detail"]
    assert "Two different stops" in post(server, f"downtime/{number}/merge", 422, by="Li", other=number)["detail"]
    assert "is no reason of" in post(server, f"downtime/{number}/reason", 422, by="Li", reason="Tool/?")["detail"]
    answer = server.client.get("/api/v1/production/oee", params={"place": "nowhere"})
    assert answer.status_code == 404
    answer = server.client.get("/api/v1/production/oee", params={"start": ms(-90 * 86_400), "end": ms(0)})
    assert answer.json()["detail"].startswith("Performance is told for up to 35 days")


def test_tables_of_a_time_are_files_and_no_text_in_them_is_a_formula(server: Running) -> None:
    """The entry's comment begins with an equals sign: a spreadsheet must not compute it."""
    entry = post(server, "scrap", by="Li", asset=CNC, reason="Surface", time=ms(800), comment="=1+1")
    time = {"place": CNC, "start": ms(0), "end": ms(1000)}
    rows = {}
    for what in ("oee", "downtime", "scrap", "orders", "parts", "process"):
        answer = server.client.get(f"/api/v1/production/export/{what}", params=time)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows[what] = list(csv.DictReader(io.StringIO(answer.text)))
    assert (rows["oee"][0]["pq"], rows["oee"][0]["apt"]) == ("7.0", "885.0")
    assert rows["downtime"][0]["kind"] == "down"
    assert (rows["scrap"][0]["comment"], rows["scrap"][0]["quantity"]) == ("'=1+1", "1")
    assert (rows["orders"], rows["process"]) == ([], [])
    post(server, f"scrap/{entry['id']}/take-back", 204, by="Li", comment="A try")
    assert server.get("/production/journal")[0]["sentence"].endswith("Surface. A try")
    assert server.client.get("/api/v1/production/export/nothing").status_code == 422
