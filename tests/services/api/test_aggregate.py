"""Aggregates over real HTTP: by part of the plant, by shift, as JSON and as Arrow, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from pydantic import TypeAdapter
from running_server import CNC, PLANT, POWER, Running, plant, running
from shopfloor.plant import Sample
from shopfloor.services.api import aggregate
from shopfloor.services.api.wire import ARROW

S = 1_000_000_000
SHIFTS = 'timezone: Europe/Berlin, shifts: [{name: early, begins: "06:00"}, {name: late, begins: "18:00"}]'
START = int(datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
OTHER = POWER.replace("cnc-01", "cnc-02")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = plant(PLANT.replace("timezone: Asia/Shanghai", SHIFTS))
    with running(tmp_path_factory.mktemp("data"), config) as running_server:
        for tag, value in ((POWER, 2.0), (OTHER, 4.0)):
            running_server.feed(*(Sample(tag, (START + 60 * n) * S, value) for n in range(36 * 60)))
        yield running_server


def ask(server: Running, **question: Any) -> Any:
    body = {"tags": ["delta/frames"], "start": START * 1000, "end": (START + 36 * 3600) * 1000, **question}
    return server.client.post("/api/v1/aggregate", json=body)


def test_shifts_of_a_line_on_the_night_when_clocks_go_forward(server: Running) -> None:
    answer = ask(server, every="shift", by="line")
    said = answer.json()
    TypeAdapter(aggregate.Summaries).validate_python(said)
    assert said["group"] == ["delta/frames/machining"] * 4
    assert said["shift"] == ["early", "late", "early", "late"]
    assert said["n"] == [2 * 6 * 60, 2 * 11 * 60, 2 * 12 * 60, 2 * 7 * 60]
    assert said["mean"] == [3.0] * 4
    assert (said["end"][1] - said["time"][1]) / 3_600_000 == 11
    assert "first" not in said
    assert "rows" in answer.headers["x-explain"]


def test_a_selector_and_one_number_for_each_asset(server: Running) -> None:
    said = ask(server, tags=[f"{CNC.rpartition('/')[0]}/*/spindle.power"], every="all", by="asset").json()
    assert said["group"] == [CNC, CNC.replace("01", "02")]
    assert (said["mean"], said["n"]) == ([2.0, 4.0], [2160, 2160])


def test_only_the_columns_that_were_asked_for(server: Running) -> None:
    answer = ask(server, tags=[POWER], every="day", of=["max", "mean"])
    said = answer.json()
    TypeAdapter(aggregate.Summaries).validate_python(said)
    assert set(said) == {"every", "by", "group", "time", "end", "mean", "max"}
    assert set(said["mean"] + said["max"]) == {2.0}
    assert "; chosen: hours, about " in answer.headers["x-explain"]


def test_arrow_by_accept(server: Running) -> None:
    body = {"tags": [POWER], "start": START * 1000, "end": (START + 3600) * 1000, "every": "15min"}
    answer = server.client.post("/api/v1/aggregate", json=body, headers={"Accept": ARROW})
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column("n").to_pylist() == [15] * 4
    assert table.column("time").type == pa.timestamp("ns", "UTC")
    assert table.column("first").to_pylist() == [2.0] * 4


@pytest.mark.parametrize(
    ("question", "status", "sentence"),
    [
        ({"tags": ["delta/frame"]}, 404, "No tag fits 'delta/frame'"),
        ({"tags": ["a//b"]}, 422, "'a//b' selects nothing: write a path or its beginning"),
        ({"tags": []}, 422, "The body value 'tags'"),
        ({"every": "fortnight"}, 422, "'every' is 'fortnight' is no duration"),
        ({"every": "0s"}, 422, "'every' is no time at all"),
        ({"every": "1ms"}, 422, "129600000 periods are more than 100000: ask for longer ones"),
        ({"of": ["median"]}, 422, "There is no 'median' by tag: ask for n, bad, mean, sum"),
        ({"of": ["last"], "by": "line"}, 422, "There is no 'last' by line: ask for n, bad, mean, sum, increase, min"),
        ({"by": "hall"}, 422, "The body value 'by' is 'hall'"),
        ({"start": 2, "end": 1}, 422, "'start' (2) is not before 'end' (1)"),
        ({"until": 1}, 422, "The body value 'until'"),
    ],
)
def test_every_refusal_is_one_sentence(server: Running, question: dict[str, Any], status: int, sentence: str) -> None:
    answer = ask(server, **question)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert sentence in answer.json()["detail"]


def test_a_plant_without_shifts_says_so(tmp_path: Any) -> None:
    with running(tmp_path) as server:
        server.feed(Sample(POWER, START * S, 1.0))
        answer = ask(server, every="shift")
        assert answer.status_code == 422
        assert "names no shifts: write them under plant.shifts" in answer.json()["detail"]
