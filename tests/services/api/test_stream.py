"""The stream for scripts: events or lines, resumed by the id of the last, by whom it is allowed to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_server import CNC, COUNT, POWER, STATE, Running, running, until
from shopfloor.plant import Sample

STREAM = "/api/v1/events/stream"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("stream")) as running_server:
        yield running_server


@contextmanager
def stream(server: Running, headers: dict[str, str] | None = None, **params: Any) -> Iterator[Iterator[str]]:
    """The lines of a stream."""
    with server.client.stream("GET", STREAM, params=params, headers=headers) as answer:
        assert answer.status_code == 200
        yield answer.iter_lines()


def event(lines: Iterator[str], *kinds: str) -> tuple[str, Any]:
    """Id and data of the next event of some kinds."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, text = line.partition(": ")
        if line and name:
            fields[name] = text
        elif fields.get("event") in kinds:
            return fields.get("id", ""), json.loads(fields["data"])
        else:
            fields = {}
    raise AssertionError("the stream ended")


def test_values_and_alarms_come_as_events_and_go_on_where_they_were(server: Running) -> None:
    """Of one tag: others speak of their own in this server. Values and alarms come in any order."""
    now = time.time_ns()
    wanted = {"tag": POWER, "time": now / 1e6, "value": 16.0, "quality": 0}
    with stream(server, tags=POWER, topics="alarms") as lines:
        assert event(lines, "hello")[1]["resumed"] is False
        server.feed(Sample(POWER, now, 16.0))
        values: list[Any] = []
        assets: set[str] = set()
        while wanted not in values or CNC not in assets:
            last, told = event(lines, "values", "alarms")
            values += told.get("values", [])
            assets |= {alarm["asset"] for alarm in told.get("items", [])}
    until(lambda: server.parts.live.clients == 0)
    server.feed(Sample(POWER, now + 1_000_000, 17.0))
    with stream(server, {"Last-Event-ID": last}, tags=POWER, topics="alarms") as lines:
        assert event(lines, "hello")[1]["resumed"] is True
        assert [row["value"] for row in event(lines, "values")[1]["values"]] == [17.0]


def test_lines_for_those_who_ask_for_lines(server: Running) -> None:
    with stream(server, {"Accept": "application/x-ndjson"}, tags=[STATE, COUNT]) as lines:
        assert json.loads(next(lines))["event"] == "hello"
        server.feed(Sample(STATE, time.time_ns(), "EXECUTE"))
        said = json.loads(next(line for line in lines if '"values"' in line))
        assert [(row["tag"], row["value"]) for row in said["data"]["values"]] == [(STATE, "EXECUTE")]


@pytest.mark.parametrize(
    ("params", "status", "word"),
    [
        ({}, 422, "Name something"),
        ({"topics": "weather"}, 422, "weather"),
        ({"tags": "delta/nothing/*"}, 404, "No tag fits"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_answered_with_a_sentence(
    server: Running, params: dict[str, str], status: int, word: str
) -> None:
    answer = server.client.get(STREAM, params=params)
    assert answer.status_code == status
    assert word in answer.json()["detail"]


def test_a_server_with_tokens_asks_for_one(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0") as server:
        token = server.parts.tokens.create("script")
        assert server.client.get(STREAM, params={"topics": "alarms"}).status_code == 401
        with stream(server, {"Authorization": f"Bearer {token}"}, topics="alarms") as lines:
            assert event(lines, "alarms")[1]["items"] == []
        with httpx.Client(base_url=server.url) as other:
            assert other.get(STREAM, headers={"Authorization": "Bearer wrong"}).status_code == 401
