"""Maintenance through the whole server: risks by rank, work orders to their end, the record of hits and misses."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from maintained import CNC, MINUTE, POT, WHY, maintained, tell_lives, the_second
from running_server import Running


@pytest.fixture(scope="module")
def now() -> int:
    return the_second()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, now: int) -> Iterator[Running]:
    with maintained(tmp_path_factory.mktemp("maintenance"), now) as server:
        yield server


def post(server: Running, path: str, **body: Any) -> Any:
    return server.client.post(f"/api/v1/work-orders{path}", json={"by": "Li", **body})


def test_what_wears_is_ranked_by_its_risk_and_what_is_not_known_says_so(server: Running, now: int) -> None:
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
    value = pot["prediction"]["value"]
    assert (pot["kind"], pot["shift"]["at_least"], pot["week"]) == (
        "chance", value, {"end": pot["week"]["end"], "at_least": value, "at_most": None},
    )  # fmt: skip
    assert (pot["due"], soon["due"], later["due"]) == ("now", "hour", "")
    assert [told["counts"][key] for key in ("assets", "now", "hour")] == [4, 1, 2]
    lines = ("", "delta/frames", "delta/frame")
    assert [len(server.get("/maintenance", limit=1, line=line)["rows"]) for line in lines] == [1, 1, 0]
    assert (soon["day"]["at_least"], soon["day"]["at_most"]) == (0.95, 1.0)
    assert later["running"] == pytest.approx(0.5, abs=0.02)
    assert later["left"]["value"] == pytest.approx(600 / later["running"] * 60_000 - 60_000, rel=0.01)
    assert (later["day"]["at_least"], later["week"]["at_least"]) == (0.95, 0.95)
    assert (unknown["left"], unknown["week"]["at_least"]) == (None, None)
    assert later["part"] == "tool"
    assert later["changed"] == (now - 120 * MINUTE) / 1e6
    assert (pot["part"], pot["changed"]) == ("anode", (now - 180 * MINUTE) / 1e6)


def test_an_order_freezes_its_reasons_and_its_end_tells_the_truth(server: Running, now: int) -> None:
    made = post(
        server, "", asset=f"{CNC}1", target="tool_life", what="Change the tool", who="Zhao", due=now / 1e6
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
    rows = csv.DictReader(io.StringIO(server.client.get("/api/v1/work-orders.csv").text.lstrip("\ufeff")))
    told = next(row for row in rows if row["number"] == str(made["number"]))
    assert (told["note"], told["target"], told["state"]) == ("'=dull", "tool_life", "done")


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
    tell_lives(server)
    (record,) = [one for one in server.get("/maintenance/record") if one["name"] == "tool-life"]
    (mine,) = [one for one in record["assets"] if one["asset"] == f"{CNC}2"]
    assert (mine["windows"], mine["exact"], mine["inside"]) == (8, 8, 4)
    assert (mine["events"], mine["caught"], mine["alarms"], mine["false"]) == (2, 1, 2, 1)
    assert mine["error"] == pytest.approx((2 + 2 + 6 + 1 + 8 + 12 + 46 + 2) / 8)
    assert len([one for one in record["points"] if one["asset"] == f"{CNC}2"]) == 8
    assert (record["kind"], record["below"], record["nominal"]) == ("life", 15.0, 0.9)
