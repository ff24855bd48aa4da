"""Truths of uploaded models of every kind over the API: evidence, gate and promotion; and what no truth can be."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import uploaded
from running_server import running
from shopfloor.services.api.life import EvidenceView
from shopfloor.services.registry import Prediction
from uploaded import PRESSES, made, upload

HOUR = 3_600 * 10**9
N = 600


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("data"), uploaded.config()) as found:
        yield found


# kind: what version 1 says, what version 2 says, where the truth is 0 and where it is 1; how truths are told
SAID = {
    "regression": ((3.0, 4.0), (0.1, 1.1), lambda t: {"low": t, "high": t}),
    "probability": ((0.5, 0.5), (0.02, 0.98), lambda t: {"truth": ("high", "low")[t]}),
    "classes": ((2.0, 2.0), (0.0, 1.0), lambda t: {"truth": ("high", "low", "middle")[t]}),
    "novelty": ((1.4, 1.4), (0.3, 1.2), lambda t: {"low": t, "high": t}),
}


def judged(server, name, kind, truths):
    """Both versions on windows an hour apart; version 1 is as right as version 2 in one window of five.

    Every tenth interval of version 2 misses, as it promises.
    """
    registry, (one, two, _) = server.parts.registry, SAID[kind]
    for number, said in ((1, one), (2, two)):
        version = registry.state.version(name, number)
        rows = []
        for w in range(N):
            value = (two if w % 5 == 0 else said)[truths[w]]
            half = 0.05 if w % 10 == 0 else 0.5
            rows.append(Prediction(name, number, version.sha, PRESSES[w % 3], (w + 1) * HOUR, number == 1, value,
                                   value - half, value + half, 50.0))  # fmt: skip
        registry.scores.write(rows)


@pytest.mark.parametrize("kind", SAID)
def test_the_better_version_of_every_kind_is_promoted_on_its_truths(server, kind):
    for seed in (0, 1):
        upload(server, made(kind, kind, seed=seed))

    def step(what, **body):
        said = {"scope": "works", "by": "Anna", **body}
        return server.client.post(f"/api/v1/registry/{kind}/{what}", json=said)

    assert step("promote", number=1, why="a pilot", override=True).is_success
    truths = np.random.default_rng(0).integers(0, 2, N).tolist()
    judged(server, kind, kind, truths)
    labels = [
        {
            "asset": PRESSES[w % 3],
            "start": (w + 1) * HOUR / 1e6,
            "end": (w + 1) * HOUR / 1e6,
            **SAID[kind][2](truths[w]),
        }
        for w in range(N)
    ]
    early = step("promote", number=2)
    assert (early.status_code, "is not promoted" in early.text) == (422, True), early.text
    assert server.client.post(f"/api/v1/registry/{kind}/labels", json=labels).json() == {"kept": N}
    evidence = EvidenceView(**server.get(f"/registry/{kind}/evidence", number=2, scope="works"))
    assert (evidence.against, evidence.exact, evidence.windows) == (1, N, N)
    assert evidence.difference < -0.1
    assert evidence.upper < 0.0
    assert [c.sentence for c in evidence.conditions if not c.holds] == []
    promoted = step("promote", number=2)
    assert promoted.is_success, promoted.text
    worse = EvidenceView(**server.get(f"/registry/{kind}/evidence", number=1, scope="works"))
    assert worse.difference > 0.1
    assert "loss" in [c.name for c in worse.conditions if not c.holds]


def test_what_can_be_no_truth_is_refused_and_nothing_of_it_kept(server):
    for name, kind in (("say", "regression"), ("risky", "probability"), ("sorts", "classes"), ("odd", "novelty")):
        upload(server, made(name, kind))
    good = {"asset": PRESSES[0], "part": "p", "low": 1.0, "high": 1.0}
    cases = [
        ("say", {"truth": "high"}, "is no class of say"),
        ("say", {"low": None}, "is a number"),
        ("say", {"low": 2.0}, "low not above high"),
        ("say", {"part": ""}, "names no windows"),
        ("say", {"part": "", "start": 5.0, "end": 4.0}, "names no windows"),
        ("risky", {"low": 0.5, "high": 0.5}, "whether something is so"),
        ("risky", {"high": None}, "whether something is so"),
        ("odd", {"low": 0.0, "high": 1.0}, "whether something is so"),
        ("odd", {"truth": "high"}, "is no class of odd"),
        ("sorts", {"low": 3.0, "high": 3.0}, "says one of high, low, middle"),
        ("sorts", {"truth": "lowest"}, "its classes are high, low, middle"),
    ]
    for name, change, said in cases:
        reply = server.client.post(f"/api/v1/registry/{name}/labels", json=[good, {**good, **change}])
        assert (reply.status_code, said in reply.json()["detail"]) == (422, True), (said, reply.text)
        assert server.parts.registry.scores.truths(name, 0) == []


def test_classes_of_one_name_stay_the_same(server):
    upload(server, made("sorted", "classes"))
    other = made("sorted", "probability")
    with pytest.raises(AssertionError, match="tells high, low, middle apart"):
        upload(server, other)
