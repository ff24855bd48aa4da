"""Uploaded bundles judged live on a real server: a plant of presses, no model of its own, values as they come."""

import json
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import uploaded
from running_server import running, until
from shopfloor.models.columns import SECOND
from shopfloor.services.api.predictions import PredictionView
from shopfloor.services.api.scores import ScoresView
from shopfloor.services.cli import main
from uploaded import PRESSES, SCALE, made, upload


class Feeding:
    """Brings the presses' values each half second, as they become true."""

    def __init__(self, server):
        self.server, self.over, self.upto = server, threading.Event(), time.time_ns() - 200 * SECOND
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.3):
            self.bring()

    def bring(self):
        now = time.time_ns()
        sent = uploaded.batch(self.upto, now)
        self.upto = now
        if len(sent):
            self.server.send(sent, "s")

    def __enter__(self):
        self.bring()
        self.server.send(uploaded.batch(self.upto - 5 * SECOND, self.upto, [SCALE], tags=("ram.force",)), "s")
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("data"), uploaded.config(), thinks=True) as found, Feeding(found):
        yield found


def scores(server, name, number=1, **asked):
    return ScoresView(**server.get(f"/registry/{name}/scores", number=number, **asked))


def test_an_upload_is_judged_as_a_shadow_and_never_shown(server, capsys):
    begun = time.perf_counter()
    said = upload(server, made("shadowed", metrics=[{"name": "MAE", "value": 0.2}, {"name": "odd", "value": "?"}]))
    found = until(lambda: (s := scores(server, "shadowed")).scores and s, 60)
    with capsys.disabled():
        sys.stdout.write(f"\nfrom upload to shadow scores: {time.perf_counter() - begun:.2f} s\n")
    assert said["stage"] == "shadow"
    assert {one.asset for one in found.scores} == set(PRESSES)
    assert all(one.value is not None and one.low < one.value < one.high for one in found.scores)
    assert all(not one.live and one.champion is None for one in found.scores)
    (left_out,) = found.left_out
    assert (left_out.asset, "oil.temperature" in left_out.sentence) == (SCALE, True)
    assert [p for p in server.get("/predictions") if p["target"] == "shadowed"] == []
    (card,) = [m for m in server.get("/models") if m["name"] == "shadowed"]
    assert [(m["name"], m["unit"], m["baseline"]) for m in card["metrics"]] == [("MAE", "", None)]


def test_a_champion_is_shown_explained_and_its_shadow_recorded_beside_it(server):
    upload(server, made("spoken"), scope="works/hall/line-1")
    promoted = server.client.post(
        "/api/v1/registry/spoken/promote", json={"number": 1, "scope": "works/hall/line-1", "by": "Anna"}
    )
    assert promoted.status_code == 200, promoted.text
    upload(server, made("spoken", seed=1), scope="works/hall/line-1")
    both = until(lambda: [s for s in scores(server, "spoken", 2).scores if s.champion == 1], 60)
    assert abs(both[0].value - both[0].champion_value) > 0.5
    shown = {p["asset"]: PredictionView(**p) for p in server.get("/predictions") if p["target"] == "spoken"}
    assert shown.keys() == {*PRESSES, SCALE}
    assert (shown[SCALE].status, shown[SCALE].value) == ("unknown", None)
    assert "oil.temperature" in shown[SCALE].sentence
    press = shown[PRESSES[0]]
    assert (press.status, press.unit, press.sentence.startswith("Spoken: ")) == ("ok", "mm", True)
    assert {r.tag for r in press.reasons} <= {"ram.force", "oil.temperature"}
    why = server.get("/predictions/explanation", asset=PRESSES[0], target="spoken")
    assert abs(why["value"] - why["usual"] - sum(g["contribution"] for g in why["groups"])) < 1e-6
    assert {g["tag"] for g in why["groups"]} == {"ram.force", "oil.temperature"}
    advice = server.get("/predictions/advice", asset=PRESSES[0], target="spoken", high=-1000.0)
    assert (advice["found"], advice["version"]) == (False, 1)
    refused = server.client.get("/api/v1/predictions/advice", params={"asset": PRESSES[0], "target": "spoken"})
    assert (refused.status_code, "give low, high or both" in refused.text) == (422, True)
    past = until(lambda: server.get("/predictions/history", asset=PRESSES[0], target="spoken")["value"], 60)
    assert past
    assert [m["version"] for m in server.get("/models") if m["name"] == "spoken"] == [1]


def test_other_kinds_are_judged_too(server):
    for name, kind in (("risk", "probability"), ("sort", "classes")):
        upload(server, made(name, kind), scope=PRESSES[1])
        server.client.post(f"/api/v1/registry/{name}/promote", json={"number": 1, "scope": PRESSES[1], "by": "Anna"})
    shown = until(
        lambda: (
            len(found := {p["target"]: p for p in server.get("/predictions") if p["target"] in ("risk", "sort")}) == 2
            and found
        ),
        60,
    )
    assert "%" in shown["risk"]["sentence"]
    assert shown["sort"]["value"] in (0.0, 1.0, 2.0)
    assert any(word in shown["sort"]["sentence"] for word in ("low", "high", "middle"))
    assert scores(server, "sort").classes == ["high", "low", "middle"]


def test_a_replay_and_a_prediction_anew_on_the_server_and_outside_it(server, tmp_path, capsys):
    upload(server, made("again"), scope=PRESSES[0])
    said = until(lambda: scores(server, "again").scores, 60)[0]
    now = time.time()
    body = {"number": 1, "scope": "works", "start": (now - 150) * 1e3, "end": now * 1e3, "by": "Ben"}
    reply = server.client.post("/api/v1/registry/again/replay", json=body)
    assert reply.status_code == 200, reply.text
    told = until(lambda: (j := server.get(f"/registry/replays/{reply.json()['id']}"))["state"] != "running" and j, 60)
    assert (told["state"], told["result"]["assets"]) == ("done", 3), told
    assert told["result"]["version"]["windows"] > 300
    (kept,) = server.get(
        "/registry/again/predictions", number=1, asset=said.asset, start=said.time, end=said.time + 1, most=1
    )
    assert main(["models", "replay", "--prediction", kept["id"], "--url", server.url]) == 0
    assert "Equal to the last bit." in capsys.readouterr().out
    bundle = made("again").save(tmp_path / "again.shopfloor")
    span = [f"--{at}={datetime.fromtimestamp(body[at] / 1e3, UTC).isoformat()}" for at in ("start", "end")]
    assert main(["models", "replay", str(bundle), "--data", str(server.folder), *span, "--json"]) == 0
    outside = json.loads(capsys.readouterr().out)
    assert (outside["assets"], outside["version"]["windows"]) == (3, told["result"]["version"]["windows"])
