"""Time in state over real HTTP: by shift and line, as JSON and as Arrow, what a token may ask, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from pydantic import TypeAdapter
from running_server import CNC, PLANT, Running, plant, running
from shopfloor.plant import Sample
from shopfloor.plant.quality import BAD
from shopfloor.services.api import states
from shopfloor.services.api.wire import ARROW
from shopfloor.services.security.scope import Scope

S = 1_000_000_000
SHIFTS = 'timezone: Europe/Berlin, shifts: [{name: early, begins: "06:00"}, {name: late, begins: "18:00"}]'
START = int(datetime(2026, 3, 28, 18, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
STATE, DOOR = f"{CNC}/state", f"{CNC.replace('01', '02')}/door"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = plant(PLANT.replace("timezone: Asia/Shanghai", SHIFTS))
    with running(tmp_path_factory.mktemp("data"), config) as running_server:
        visits = [(0, "IDLE"), (3600, "EXECUTE"), (11 * 3600 - 60, "IDLE"), (11 * 3600 + 60, "EXECUTE")]
        running_server.feed(*(Sample(STATE, (START + at) * S, text) for at, text in visits))
        doors = [(1800, 1.0, 0), (7200, 0.0, 0), (9000, 0.0, BAD)]
        running_server.feed(*(Sample(DOOR, (START + at) * S, value, bad) for at, value, bad in doors))
        yield running_server


def ask(server: Running, **question: Any) -> Any:
    body = {"tags": ["delta/frames"], "start": START * 1000, "end": (START + 12 * 3600) * 1000, **question}
    return server.client.post("/api/v1/states", json=body)


def test_shifts_on_the_night_when_clocks_go_forward(server: Running) -> None:
    said = ask(server, tags=[STATE], every="shift", end=(START + 12 * 3600) * 1000).json()
    TypeAdapter(states.TimeInState).validate_python(said)
    assert said["shift"] == ["late", "late", "early", "early"]
    assert said["state"] == ["EXECUTE", "IDLE"] * 2
    assert said["seconds"] == [10 * 3600 - 60, 3660, 12 * 3600 - 60, 60], "the night has eleven hours"
    assert said["share"][0] == pytest.approx((10 * 3600 - 60) / (11 * 3600))


def test_what_is_not_known_is_null_and_all_adds_up(server: Running) -> None:
    answer = ask(server, tags=[DOOR], every="all", end=(START + 10_000) * 1000)
    said = answer.json()
    assert (said["state"], said["seconds"]) == (["0", "1", None], [1800, 5400, 2800])
    assert sum(said["share"]) == pytest.approx(1.0)
    assert "memory" in answer.headers["x-explain"]


def test_the_tags_of_a_line_together(server: Running) -> None:
    said = ask(server, every="all", by="line", end=(START + 7200) * 1000).json()
    assert said["group"] == ["delta/frames/machining"] * 4
    found = dict(zip(said["state"], said["seconds"], strict=True))
    assert found == {"1": 5400, None: 1800, "IDLE": 3600, "EXECUTE": 3600}
    assert said["state"][-1] is None


def test_arrow_by_accept(server: Running) -> None:
    body = {"tags": [STATE], "start": START * 1000, "end": (START + 7200) * 1000, "every": "hour"}
    answer = server.client.post("/api/v1/states", json=body, headers={"Accept": ARROW})
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column("time").type == pa.timestamp("ns", "UTC")
    assert table.select(["state", "seconds", "share"]).to_pylist() == [
        {"state": "IDLE", "seconds": 3600.0, "share": 1.0},
        {"state": "EXECUTE", "seconds": 3600.0, "share": 1.0},
    ]


def test_a_reading_token_may_ask() -> None:
    assert Scope.READ.allows("POST", "/api/v1/states")
    assert not Scope.WRITE.allows("POST", "/api/v1/states")


@pytest.mark.parametrize(
    ("question", "status", "sentence"),
    [
        ({"tags": ["delta/frame"]}, 404, "No tag fits 'delta/frame'"),
        ({"every": "fortnight"}, 422, "'every' is 'fortnight' is no duration"),
        ({"every": "1ms"}, 422, "periods are more than 100000: ask for longer ones"),
        ({"by": "hall"}, 422, "The body value 'by' is 'hall'"),
        ({"states": True}, 422, "The body value 'states'"),
    ],
)
def test_every_refusal_is_one_sentence(server: Running, question: dict[str, Any], status: int, sentence: str) -> None:
    answer = ask(server, **question)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert sentence in answer.json()["detail"]
