"""Alarms through the whole server: from a value to the acknowledgement, and over a restart."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from running_server import CNC, POWER, FakeBrain, Running, S, plant, running, until
from shopfloor.plant import Sample
from shopfloor.services.clock import to_ms


def raised(server: Running, state: str = "open") -> Any:
    return until(lambda: server.get("/alarms", state=state))


def test_a_value_beyond_its_limit_is_an_alarm_until_it_returned_and_was_seen(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        now = time.time_ns()
        server.feed(Sample(POWER, now, 16.0))
        (alarm,) = raised(server)
        assert alarm["state"] == "active"
        assert alarm["sentence"] == "Spindle power of CNC 01 is 16 kW, above its limit of 15 kW."
        assert alarm["advice"] == "Reduce the feed."
        assert next(a for a in server.get("/assets") if a["path"] == CNC)["alarms"] == {"1": 0, "2": 1, "3": 0}
        url = f"/api/v1/alarms/{alarm['id']}/acknowledge"
        seen = server.client.post(url, json={"by": "Anna", "note": "Feed reduced."}).json()
        assert (seen["state"], seen["acknowledged"]["by"]) == ("acknowledged", "Anna")
        assert server.client.post(url, json={"by": "Ben"}).json()["acknowledged"]["by"] == "Anna"
        server.feed(Sample(POWER, now + S, 14.0))
        until(lambda: not server.get("/alarms"))
        (closed,) = server.get("/alarms", state="all", asset=CNC)
        assert closed["state"] == "closed"
        assert closed["returned"] == to_ms(now + S)
        kinds = [event["kind"] for event in server.get("/events", asset=CNC)]
        assert set(kinds) == {"alarm-returned", "alarm-acknowledged", "alarm-raised"}
        assert server.parts.registry.alarmed(now, now + S) == [(CNC, now)], "evidence for models without a truth"


def test_an_open_alarm_survives_a_restart_and_is_not_doubled(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        (before,) = raised(server)
    with running(tmp_path) as server:
        server.sequence = 1
        server.accepted["machining"] = 1
        server.feed(Sample(POWER, time.time_ns(), 17.0))
        assert [a["id"] for a in server.get("/alarms")] == [before["id"]]
        server.feed(Sample(POWER, time.time_ns(), 3.0))
        until(lambda: server.get("/alarms")[0]["state"] == "returned")


def test_a_limit_that_left_the_plant_file_returns_its_alarm(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        raised(server)
    from running_server import PLANT

    with running(tmp_path, plant(PLANT.replace("high: 15", "high: 18"))) as server:
        assert [a["state"] for a in server.get("/alarms")] == ["returned"]


def test_an_import_of_history_raises_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        old = time.time_ns() - 3600 * S
        server.feed(*(Sample(POWER, old + i * S, 99.0) for i in range(100)), Sample(POWER, old + 100 * S, 3.0))
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        (alarm,) = raised(server)
        assert alarm["value"] == 16.0


def test_a_prediction_that_asks_for_action_is_an_alarm(tmp_path: Path) -> None:
    brain = FakeBrain()
    with running(tmp_path, brain=brain) as server:
        brain.said.append({"asset": CNC, "target": "tool_life", "title": "Tool life", "status": "act",
                           "sentence": "It ends.", "reasons": []})  # fmt: skip
        (alarm,) = raised(server)
        assert (alarm["kind"], alarm["code"], alarm["asset"]) == ("model", "tool_life", CNC)
        assert server.parts.registry.alarmed(0, 2**62) == [], "a model's own alarm proves nothing"


def test_an_unknown_alarm_and_a_wrong_acknowledgement(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        answer = server.client.post("/api/v1/alarms/7/acknowledge", json={"by": "Anna"})
        assert (answer.status_code, answer.json()["detail"][:20]) == (404, "There is no alarm 7:")
        answer = server.client.post("/api/v1/alarms/7/acknowledge", json={"by": ""})
        assert answer.status_code == 422
        assert "'by' is ''" in answer.json()["detail"]


def test_the_journal_tells_every_time_that_an_alarm_was_there(tmp_path: Path) -> None:
    """One alarm that comes, goes and comes again is one row in the list, and two in the journal."""
    with running(tmp_path) as server:
        now = time.time_ns() // S * S - 60 * S
        for second, value in enumerate((16.0, 3.0, 21.0)):
            server.feed(Sample(POWER, now + second * S, value))
            until(lambda at=now + second * S, above=value > 15: _turned(server, at, above))
        asked = {"start": to_ms(now), "end": to_ms(now + 60 * S)}
        first, second, urgent = server.get("/alarms/journal", **asked)
        assert (first["start"], first["end"]) == (to_ms(now), to_ms(now + S))
        assert (second["start"], second["end"]) == (to_ms(now + 2 * S), None)
        assert (first["alarm"], first["tag"], first["asset"]) == (second["alarm"], POWER, CNC)
        assert first["sentence"].endswith("16 kW, above its limit of 15 kW.")
        numbers = [first["number"], second["number"], urgent["number"]]
        for only, expected in [
            ({"priority": 1}, numbers[2:]), ({"text": "21 KW"}, numbers[1:]), ({"tag": "spindle.power"}, numbers),
            ({"tag": "power"}, []), ({"kind": "model"}, []), ({"asset": "delta/*/machining"}, numbers),
            ({"asset": "delta/pots"}, []), ({"after": numbers[0], "limit": 1}, numbers[1:2]),
            ({"code": first["code"]}, numbers), ({"code": "other"}, []),
            ({"end": to_ms(now + S)}, numbers[:1]), ({"start": to_ms(now + S)}, numbers[1:]),
        ]:  # fmt: skip
            assert [one["number"] for one in server.get("/alarms/journal", **{**asked, **only})] == expected, only


def _turned(server: Running, at: int, above: bool) -> bool:
    kind = "alarm-raised" if above else "alarm-returned"
    return any(e["kind"] == kind and e["time"] == to_ms(at) for e in server.get("/events"))
