"""Somebody says of a prediction that it was right or wrong: over the API, into the scores, and back."""

import math
from typing import Any

import pytest
from running_server import Running, plant, running
from shopfloor.services import learned
from shopfloor.services.registry import Label, Prediction
from small_registry import HOUR, bundle, card

CNC = "delta/frames/machining/cell-a/cnc-01"
MS = HOUR / 1e6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A server with two models of numbers and one of chances, and predictions of all."""
    folder = tmp_path_factory.mktemp("marks")
    with pytest.MonkeyPatch.context() as patch, running(folder / "data", plant()) as running_server:
        patch.setattr(learned, "card", card)
        registry = running_server.parts.registry
        registry.check = card
        models = (("life", "regression", 20.0), ("wear", "regression", 20.0), ("effect", "probability", 0.7))
        for name, kind, value in models:
            version = registry.submit(bundle(folder, 1, kind, name=name, target=f"{name}_target"), "test")
            registry.begin_with(version, "*")
            registry.scores.write(
                Prediction(name, 1, version.sha, CNC, n * HOUR, True, value, value * 0.8, value * 1.2, 1.0,
                           f"p{n}" if kind == "regression" else "")
                for n in range(1, 5)
            )  # fmt: skip
        yield running_server


def post(server: Running, path: str, **body: Any) -> Any:
    return server.client.post(f"/api/v1/marks{path}", json={"by": "Li", **body})


def life(server: Running, hour: int, name: str = "life", **said: Any) -> Any:
    return post(server, "", name=name, asset=CNC, time=hour * MS, **said)


def labels(server: Running, name: str = "life") -> dict[str, tuple[float, float]]:
    found = server.parts.registry.scores.truths(name, 0)
    return {one.part or str(one.start // HOUR): (one.low, one.high) for one in found}


def test_right_is_a_label_where_the_prediction_said_and_wrong_is_what_it_really_was(server: Running) -> None:
    right = life(server, 1, right=True).json()
    assert (right["value"], right["true_low"], right["true_high"], right["by"]) == (20.0, 16.0, 24.0, "Li")
    assert life(server, 2, right=False, low=5, high=5, note="the edge was broken").is_success
    assert life(server, 3, right=False, low=40).json()["true_high"] is None
    assert labels(server) == {"p1": (16.0, 24.0), "p2": (5.0, 5.0), "p3": (40.0, math.inf)}
    assert [one["part"] for one in server.get("/marks", start=0)] == ["p3", "p2", "p1"]
    evidence = server.get("/registry/life/evidence", number=1)
    assert (evidence["windows"], evidence["loss"]) == (3, pytest.approx((0 + 15 + 20) / 3))


def test_a_mark_outranks_machines_until_it_is_taken_back(server: Running) -> None:
    scores = server.parts.registry.scores
    scores.label([Label("wear", CNC, 11.0, 11.0, HOUR, "p4")])
    first = life(server, 4, "wear", right=False, low=3, high=3).json()
    scores.label([Label("wear", CNC, 12.0, 12.0, 2 * HOUR, "p4")])
    assert labels(server, "wear")["p4"] == (3.0, 3.0)
    second = life(server, 4, "wear", right=True).json()
    assert post(server, f"/{first['id']}/take-back").status_code == 404
    gone = post(server, f"/{second['id']}/take-back").json()
    assert gone["back_by"] == "Li"
    assert gone["back"] is not None
    assert labels(server, "wear")["p4"] == (12.0, 12.0)
    stands = {one["id"] for one in server.get("/marks", start=0)}
    assert not stands & {first["id"], second["id"]}
    assert {first["id"], second["id"]} <= {one["id"] for one in server.get("/marks", start=0, gone=True)}


def test_a_chance_is_marked_by_what_came_and_counts_more_than_the_stretch_around_it(server: Running) -> None:
    scores = server.parts.registry.scores
    scores.label([Label("effect", CNC, 0.0, 0.0, 9 * HOUR, start=1, end=5 * HOUR)])
    time = 2 * MS + 60_000  # a minute after a kept window
    made = post(server, "", name="effect", asset=CNC, time=time, right=True, low=1, high=1).json()
    assert made["time"] == 2 * MS
    rows = scores.labelled("effect", 1, None, "*")
    assert dict(zip(rows.window_end // HOUR, rows.truth_low, strict=True)) == {1: 0, 2: 1, 3: 0, 4: 0}
    assert post(server, f"/{made['id']}/take-back").is_success
    assert scores.labelled("effect", 1, None, "*").truth_low.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"right": False}, 422, "Say what it really was, in min"),
        ({"right": False, "low": 9, "high": 3}, 422, "low not above high"),
        ({"right": True, "name": "effect"}, 422, "as 1 (it was)"),
        ({"right": True, "name": "nothing"}, 404, "no model 'nothing'"),
        ({"right": True, "time": 90 * MS}, 404, "is kept of that moment"),
        ({"right": True, "by": "admin"}, 422, "no person"),
        ({"right": True, "asset": CNC + "9"}, 404, "cnc-01"),
    ],
)
def test_what_cannot_be_is_one_sentence(server: Running, body: dict[str, Any], status: int, said: str) -> None:
    before = labels(server)
    answer = post(server, "", **{"name": "life", "asset": CNC, "time": MS, **body})
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert labels(server) == before
