"""Shelving, out of service, suppression, first-out, load and journal through the whole server."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_server import CNC, PLANT, POWER, STATE, TEMPERATURE, Running, S, plant, running, until
from shopfloor.plant import Sample

DECLARED = PLANT.replace("assets:\n", """\
    suppress: [{states: [IDLE], tags: [spindle.temperature]}]
    first_out: {spindle: {tags: ["spindle.*"], within: 30s}}
assets:
""", 1) + "alarms: {shelve_at_most: 8h, retention: 365d}\n"  # fmt: skip
OTHER = POWER.replace("cnc-01", "cnc-02")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("aside"), plant(DECLARED)) as server:
        yield server


def post(server: Running, number: int, what: str, **body: Any) -> Any:
    answer = server.client.post(f"/api/v1/alarms/{number}/{what}", json=body)
    return answer.json() if answer.is_success else (answer.status_code, answer.json()["detail"])


def minutes(aside: Any) -> int:
    return round((aside["until"] - aside["since"]) / 60_000)


def test_what_happens_to_an_alarm_that_is_set_aside(server: Running) -> None:
    """One machine's alarm from the shelf to the journal."""
    now = time.time_ns()
    server.feed(Sample(OTHER, now, 16.0))
    (alarm,) = until(lambda: server.get("/alarms", asset=OTHER[:-14]))
    number = alarm["id"]
    assert (alarm["aside"], alarm["first_out"], alarm["group"]) == (None, True, f"{OTHER[:-14]}/spindle")
    for body, said in [
        ({"minutes": 481, "reason": "x"}, "at most, not for 481 min: shelve it for less"),
        ({"minutes": 15, "reason": " "}, "'reason'"),
        ({"reason": "x"}, "exactly one of 'minutes' and 'until'"),
        ({"minutes": -1, "reason": "x"}, "greater than 0"),
    ]:
        status, sentence = post(server, number, "shelve", by="Anna", **body)
        assert (status, said in sentence) == (422, True), sentence
    assert post(server, 99_999, "shelve", by="Anna", minutes=15, reason="x")[0] == 404
    shelved = post(server, number, "shelve", by="Anna", minutes=15, reason="=Sensor is cleaned")
    assert (shelved["state"], shelved["aside"]["kind"], shelved["aside"]["by"]) == ("active", "shelved", "Anna")
    assert minutes(shelved["aside"]) == 15
    assert server.get("/alarms", asset=OTHER[:-14]) == []
    assert next(a for a in server.get("/assets") if a["path"] == OTHER[:-14])["alarms"]["2"] == 0
    assert [a["id"] for a in server.get("/alarms", state="aside")] == [number]
    back = post(server, number, "unshelve", by="Ben")
    assert (back["aside"], back["state"]) == (None, "active")
    out = post(server, number, "out-of-service", by="Eva", reason="Drive is away.")
    assert (out["aside"]["kind"], out["aside"]["until"]) == ("out-of-service", None)
    server.feed(Sample(OTHER, time.time_ns(), 3.0))
    until(lambda: server.get("/alarms", state="aside")[0]["state"] == "closed")
    assert post(server, number, "in-service", by="Eva", note="Drive is back.")["aside"] is None
    rows = server.get("/alarms/transitions", alarm=number)
    assert [(row["before"], row["after"], row["by"]) for row in reversed(rows)] == [
        ("normal", "active", ""), ("active", "shelved", "Anna"), ("shelved", "active", "Ben"),
        ("active", "out-of-service", "Eva"), ("active", "normal", ""), ("out-of-service", "normal", "Eva"),
    ]  # fmt: skip
    assert [row["aside"] for row in rows if row["kind"] == "alarm-returned"] == ["out-of-service"]
    for only, expected in [
        ({"state": "shelved"}, 1), ({"text": "drive is"}, 2), ({"priority": 1}, 0), ({"limit": 2}, 2),
        ({"before": rows[3]["number"]}, 2), ({"asset": "delta/*/machining"}, 6), ({"asset": "delta/pots"}, 0),
        ({"end": rows[-1]["time"] - 1}, 0), ({"start": 0}, 6),
    ]:  # fmt: skip
        assert len(server.get("/alarms/transitions", alarm=number, **only)) == expected, only
    text = server.client.get("/api/v1/alarms/transitions.csv", params={"alarm": number}).text
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [line["after"] for line in lines] == [row["after"] for row in rows]
    assert lines[4]["reason"] == "'=Sensor is cleaned", "no formula for a spreadsheet"
    assert lines[0]["time"].endswith("Z")


def test_an_alarm_that_never_came_is_taken_out_of_service(server: Running) -> None:
    asset = CNC.replace("cnc-01", "cnc-03")
    key = f"limit:{asset}/spindle.power:high:20"
    (row,) = (one for one in server.get("/alarms/designed", asset=asset) if one["key"] == key)
    assert (row["state"], row["alarm"], row["since"], row["aside"]) == ("normal", None, None, None)
    assert (row["title"], row["limit"], row["unit"], row["priority"]) == ("Spindle power high", 20, "kW", 1)

    def aside(what: str, **body: Any) -> tuple[int, Any]:
        answer = server.client.post(f"/api/v1/alarms/designed/{what}", json={"by": "Eva", **body})
        return answer.status_code, answer.json()

    for body, expected in [
        ({"key": "limit:nothing", "reason": "x"}, 404), ({"key": key, "reason": " "}, 422), ({"reason": "x"}, 422),
    ]:  # fmt: skip
        assert aside("out-of-service", **body)[0] == expected, body
    assert aside("shelve", key=key, minutes=481, reason="x")[0] == 422, "longer than the plant file lets"
    status, out = aside("out-of-service", key=key, reason="Not wired yet.")
    assert (status, out["state"], out["since"], out["aside"]["kind"]) == (200, "closed", 0, "out-of-service")
    (row,) = (one for one in server.get("/alarms/designed", asset=asset) if one["key"] == key)
    assert (row["state"], row["alarm"], row["since"], row["aside"]["by"]) == ("normal", out["id"], None, "Eva")
    assert server.get("/alarms", state="all", asset=asset) == []
    assert out["id"] in {one["id"] for one in server.get("/alarms", state="aside")}
    server.feed(Sample(f"{asset}/spindle.power", time.time_ns(), 21.0))
    (shown,) = until(lambda: server.get("/alarms", asset=asset))
    assert shown["limit"] == 15, "the other limit asks; this one stays hidden"
    hidden = next(one for one in server.get("/alarms", state="aside") if one["limit"] == 20)
    back = post(server, hidden["id"], "in-service", by="Eva")
    assert (back["aside"], back["state"]) == (None, "active")
    assert {one["limit"] for one in server.get("/alarms", asset=asset)} == {15, 20}
    assert [row["after"] for row in server.get("/alarms/transitions", alarm=out["id"])] == ["out-of-service"]


def test_by_design_suppressed_until_the_state_ends_and_the_first_of_a_group(server: Running) -> None:
    now = time.time_ns()
    server.feed(Sample(STATE, now, "IDLE"))
    server.feed(Sample(POWER, now, 16.0), Sample(TEMPERATURE, now + S, 4.0))
    (hidden,) = until(lambda: [a for a in server.get("/alarms", state="aside") if a["asset"] == CNC])
    assert (hidden["aside"]["kind"], hidden["aside"]["reason"]) == ("suppressed", "While state is IDLE.")
    (power,) = server.get("/alarms", asset=CNC)
    assert (power["tag"], power["first_out"], hidden["first_out"]) == (POWER, True, False)
    server.feed(Sample(STATE, now + 2 * S, "EXECUTE"))
    until(lambda: len(server.get("/alarms", asset=CNC)) == 2)
    load = server.get("/alarms/load")
    assert (load["flood"], load["guide"]["per_hour"]) == (None, 6)
    assert {one["key"] for one in load["top"]} >= {f"limit:{POWER}:high:15", f"limit:{TEMPERATURE}:low:5"}


def test_a_restart_remembers_the_state_that_suppresses_and_the_load(tmp_path: Path) -> None:
    with running(tmp_path, plant(DECLARED)) as server:
        server.feed(Sample(STATE, time.time_ns(), "IDLE"))
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        (alarm,) = until(lambda: server.get("/alarms"))
        shelved = post(server, alarm["id"], "shelve", by="Anna", until="end-of-shift", reason="Known.")
        assert minutes(shelved["aside"]) == 8 * 60
    with running(tmp_path, plant(DECLARED)) as server:
        server.sequence, server.accepted["machining"] = 2, 2
        server.feed(Sample(TEMPERATURE, time.time_ns(), 4.0))
        until(lambda: len(server.get("/alarms", state="aside")) == 2)
        assert server.get("/alarms") == []
        assert server.get("/alarms/load")["per_day"] == 1
