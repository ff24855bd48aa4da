"""Replays over the API and the command line, on a real server with a real store and real bundles."""

from __future__ import annotations

import json
import math
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "brain"))

from running_server import CNC, FakeBrain, plant, running, until
from shopfloor.models import toy
from shopfloor.models.bundle import load
from shopfloor.models.columns import DAY, HOUR
from shopfloor.models.features import MEMORY, part_features
from shopfloor.models.inputs import MACHINE
from shopfloor.models.parts import finished
from shopfloor.models.scorer import score
from shopfloor.models.train import History, seal, train
from shopfloor.services.cli import main
from shopfloor.services.registry import Prediction
from shopfloor.services.registry.seen import Seen
from stored_past import Bringing

START = 20_000 * DAY
END = START + 36 * HOUR
NAMES = [f"{CNC[:-1]}{i}" for i in (1, 2, 3)]
SPAN = ["--start", "2024-10-05", "--end", "2024-10-05T12:00:00Z"]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):  # type: ignore[no-untyped-def]
    """Two versions of the dimension model, of one day and of a day and a half; and the past they learned from."""
    past = {name: toy.machine(i, 1.5, start=START) for i, name in enumerate(NAMES)}
    found = []
    for hours in (24, 36):
        history = History(START, START + hours * HOUR)
        for name, columns in past.items():
            history.add(name, MACHINE, {tag: steps.before(history.end) for tag, steps in columns.items()})
        folder = tmp_path_factory.mktemp("bundles")
        seal(folder, train(history, lambda *_: None))
        found.append(folder / "dimension")
    return found, past


@pytest.fixture
def server(bundles, tmp_path):  # type: ignore[no-untyped-def]
    """A server whose store holds the past, version 1 the champion."""
    folders, past = bundles
    with running(tmp_path / "data", plant(), brain=FakeBrain()) as found:
        Bringing(found.parts.historian).bring(past)
        one, _ = (found.parts.registry.submit(folder, "test") for folder in folders)
        found.parts.registry.begin_with(one, "*")
        yield found


def replayed(server, **more):  # type: ignore[no-untyped-def]
    body = {"number": 2, "start": (START + DAY) / 1e6, "end": END / 1e6, "by": "Anna", **more}
    reply = server.client.post("/api/v1/registry/dimension/replay", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def ended(server, job):  # type: ignore[no-untyped-def]
    return until(
        lambda: (told := server.get(f"/registry/replays/{job['id']}"))["state"] != "running" and told, seconds=60
    )  # fmt: skip


def test_a_replay_is_kept_in_the_audit_and_named_by_the_promotion(server) -> None:  # type: ignore[no-untyped-def]
    told = ended(server, replayed(server, cost_miss=50.0))
    assert [(job["id"], job["state"], job["result"]) for job in server.get("/registry/replays")] == [
        (told["id"], "done", None)
    ]
    assert (told["state"], told["progress"]) == ("done", 1.0)
    result = told["result"]
    assert (result["assets"], result["version"]["number"], result["against"]["number"]) == (3, 2, 1)
    assert result["evidence"]["windows"] > 100
    (event,) = [e for e in server.get("/registry/dimension/events") if e["what"] == "replayed"]
    assert (event["sequence"], event["by"], event["detail"]["costs"]["miss"]) == (result["event"], "Anna", 50.0)
    step = {"number": 2, "by": "Anna", "why": "replayed well", "override": True}
    promoted = server.client.post("/api/v1/registry/dimension/promote", json=step).json()
    assert promoted["detail"]["replay"] == event["sequence"]
    assert server.get("/registry/audit")["whole"] is True


class Held:
    """A reader that answers when it is let go."""

    def __init__(self, reader) -> None:  # type: ignore[no-untyped-def]
        self.reader, self.go = reader, threading.Event()

    def read(self, *asked, **more):  # type: ignore[no-untyped-def]
        assert self.go.wait(30)
        return self.reader.read(*asked, **more)


def test_a_replay_is_cancelled_and_a_second_one_waits(server) -> None:  # type: ignore[no-untyped-def]
    held = server.parts.replays.reader = Held(server.parts.replays.reader)
    job = replayed(server, start=(START + HOUR) / 1e6)
    second = server.client.post(
        "/api/v1/registry/dimension/replay", json={"number": 2, "start": 1.0, "end": 2.0}
    )  # fmt: skip
    cancelled = server.client.post(f"/api/v1/registry/replays/{job['id']}/cancel", json={})
    assert cancelled.status_code == 200
    held.go.set()
    told = ended(server, job)
    assert told["state"] == "cancelled"
    assert (second.status_code, "goes on already" in second.text) == (422, True)
    assert not [e for e in server.get("/registry/dimension/events") if e["what"] == "replayed"]


def test_what_cannot_be_replayed_is_refused_in_one_sentence(server) -> None:  # type: ignore[no-untyped-def]
    good = {"number": 2, "start": 1.0, "end": 2.0}
    cases = [
        ("registry/dimension/replay", {**good, "end": 0.5}, 422, "a later end"),
        ("registry/dimension/replay", {**good, "number": 7}, 404, "no version 7"),
        ("registry/life/replay", good, 404, "no model 'life'"),
        ("registry/replays/none/cancel", {}, 404, "no replay"),
        ("registry/predictions/none/replay", {}, 404, "no recorded prediction"),
    ]
    for path, body, status, said in cases:
        answer = server.client.post(f"/api/v1/{path}", json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    job = replayed(server, scope="delta/frames/nowhere")
    assert ended(server, job)["sentence"].startswith("No asset of delta/frames/nowhere")


def recorded(server, bundles, *, off: float = 0.0) -> Prediction:  # type: ignore[no-untyped-def]
    """What version 2 said of the 900th part of the first machine, as live judging records it."""
    (_, folder), past = bundles
    parts = finished(past[NAMES[0]])
    x = part_features(parts, np.array([900]))
    said = score(load(folder), x)
    version = server.parts.registry.state.version("dimension", 2)
    one = Prediction(
        "dimension", 2, version.sha, NAMES[0], int(parts.end[900]), True, float(said.value[0]) + off,
        float(said.low[0]), float(said.high[0]), 9.0, "", Seen.of(int(parts.end[901 - MEMORY]), MEMORY, x[0]),
    )  # fmt: skip
    server.parts.registry.scores.write([one])
    return one


def test_a_recorded_prediction_is_made_anew(  # type: ignore[no-untyped-def]
    server, bundles, capsys: pytest.CaptureFixture[str]
) -> None:
    one = recorded(server, bundles)
    (shown,) = server.get(
        "/registry/dimension/predictions", number=2, asset=NAMES[0], start=0, end=END / 1e6
    )  # fmt: skip
    assert shown["id"] == one.id
    assert main(["models", "replay", "--prediction", one.id, "--url", server.url]) == 0
    assert "Equal to the last bit." in capsys.readouterr().out


def test_one_bit_less_is_told(server, bundles, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    one = recorded(server, bundles)
    registry = server.parts.registry
    value = math.nextafter(one.value or 0.0, math.inf)
    with registry.scores._lock, registry.scores._db as db:
        db.execute("UPDATE prediction SET value = ? WHERE id = ?", (value, one.id))
    assert main(["models", "replay", "--prediction", one.id, "--url", server.url]) == 1
    assert "The features are the same to the last bit, the score is not" in capsys.readouterr().out


def test_the_command_replays_a_version_and_a_path(  # type: ignore[no-untyped-def]
    server, bundles, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "replay", "dimension", "2", *SPAN, "--url", server.url]) == 0
    shown = capsys.readouterr()
    assert "version 2" in shown.out
    assert "alarms a day" in shown.out
    assert shown.err == ""
    paths = [str(folder) for folder in bundles[0]]
    offline = ["models", "replay", paths[1], "--against", paths[0], "--data", str(server.folder), *SPAN, "--json"]
    assert main(offline) == 0
    local = json.loads(capsys.readouterr().out)
    assert main(["models", "replay", "dimension", "2", *SPAN, "--url", server.url, "--json"]) == 0
    remote = json.loads(capsys.readouterr().out)
    for key in ("hits", "misses", "alarms", "events", "caught", "cost"):
        assert local["version"][key] == remote["version"][key]
    assert local["evidence"]["loss"] == remote["evidence"]["loss"]
    assert main(["models", "replay", "dimension", "2", "--url", server.url]) == 2
    assert "--start and --end" in capsys.readouterr().err
