"""The registry over the API and the command line, on a real server."""

from pathlib import Path

import pytest
from running_server import Running, plant, running
from shopfloor.services import learned
from shopfloor.services.api import life
from shopfloor.services.cli import main
from shopfloor.services.registry import Label, Prediction
from small_registry import HOUR, bundle, card

CNC = "delta/frames/machining/cell-a/cnc-01"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A server with two versions of a model; the second is better, and proposed."""
    monkeypatch.setattr(learned, "card", card)
    with running(tmp_path / "data", plant()) as running_server:
        registry = running_server.parts.registry
        one, two = (registry.submit(bundle(tmp_path, seed), "system: brain") for seed in (1, 2))
        registry.begin_with(one, "*")
        registry.shadow("life", 2, "*", "system: brain", "It waits.", propose=True)
        yield running_server, one, two


def better(server: Running, one, two) -> None:  # type: ignore[no-untyped-def]
    """Evidence that version 2 is the better one, a tenth of its intervals missing."""
    scores = server.parts.registry.scores
    for version, off in ((one, 3.0), (two, 1.0)):
        scores.write(
            Prediction("life", version.number, version.sha, CNC, w * HOUR, False, 10 + off * (1 if w % 10 else 2),
                       10 - off * 1.5, 10 + off * 1.5, 50.0, f"p{w}")
            for w in range(400)
        )  # fmt: skip
    scores.label(Label("life", CNC, 10.0 if w % 10 else 20.0, 10.0 if w % 10 else 20.0, w, f"p{w}") for w in range(400))


def test_models_are_listed_with_their_versions_and_places(server) -> None:  # type: ignore[no-untyped-def]
    client = server[0]
    (model,) = [life.ModelLife(**one) for one in client.get("/registry")]
    assert [v.number for v in model.versions] == [2, 1]
    (place,) = model.places
    assert (place.scope, place.champion, place.shadows, place.proposed) == ("*", 1, [2], 2)
    events = [life.EventView(**one) for one in client.get("/registry/life/events")]
    assert [event.what for event in events] == ["proposed", "champion", "submitted", "submitted"]


def test_a_refusal_is_one_sentence_and_changes_nothing(server) -> None:  # type: ignore[no-untyped-def]
    client = server[0]
    cases = [
        ("life/approve", {"by": "Anna"}, 422, "0 labelled windows of 200"),
        ("life/approve", {}, 422, "no person"),
        ("life/promote", {"number": 9, "by": "Anna"}, 404, "no version 9"),
        ("live/promote", {"number": 1, "by": "Anna"}, 404, "no model 'live'"),
        ("life/promote", {"number": 2, "by": "Anna", "override": True}, 422, "no reason"),
        ("life/rollback", {"by": "Anna", "why": "worse"}, 422, "nothing to roll back to"),
        ("life/rollback", {"scope": "a//b", "by": "Anna", "why": "worse"}, 422, "no scope"),
        ("life/rollback", {"by": "system: loss", "why": "worse"}, 422, "no person"),
        ("life/shadow", {"number": 2, "why": "a trial"}, 422, "no person"),
        ("life/wave", {"by": "Anna", "why": "good enough"}, 422, "Nothing spreads"),
        ("life/retire", {"number": 2, "by": "Anna"}, 422, "no reason"),
    ]
    for path, body, status, said in cases:
        answer = client.client.post(f"/api/v1/registry/{path}", json=body)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert client.get("/registry/audit")["events"] == 4


def test_good_evidence_is_approved_and_rolled_back(server) -> None:  # type: ignore[no-untyped-def]
    client, one, two = server
    better(client, one, two)
    evidence = life.EvidenceView(**client.get("/registry/life/evidence", number=2))
    assert (evidence.against, evidence.exact) == (1, 400)
    assert [c.sentence for c in evidence.conditions if not c.holds] == []
    event = client.client.post("/api/v1/registry/life/approve", json={"by": "Anna", "why": "better"}).json()
    assert (event["after"]["champion"], event["by"], event["detail"]["overridden"]) == (2, "Anna", [])
    back = client.client.post("/api/v1/registry/life/rollback", json={"by": "Ben", "why": "worse"}).json()
    assert (back["before"]["champion"], back["after"]["champion"]) == (2, 1)
    assert client.get("/registry/audit")["whole"] is True


def test_truths_come_over_the_api(server) -> None:  # type: ignore[no-untyped-def]
    client, one, _ = server
    client.parts.registry.scores.write(
        [Prediction("life", 1, one.sha, CNC, 5_000_000, True, 3.0, 2.0, 4.0, 9.0, part) for part in ("p",)]
    )
    labels = [
        {"asset": CNC, "part": "p", "low": 3.5},
        {"asset": CNC, "start": 4.0, "end": 6.0, "low": 3.5, "high": 3.5},
    ]
    assert client.client.post("/api/v1/registry/life/labels", json=labels).json() == {"kept": 2}
    rows = client.parts.registry.scores.labelled("life", 1, None, "*")
    assert (len(rows), rows.truth_low.tolist()) == (1, [3.5])


def test_the_command_line_lists_promotes_rolls_back_and_checks(  # type: ignore[no-untyped-def]
    server, capsys: pytest.CaptureFixture[str]
) -> None:
    client = server[0]
    url = ["--url", client.url]
    assert main(["models", "list", *url]) == 0
    assert "champion 1  compared 2  proposed 2" in capsys.readouterr().out
    assert main(["models", "promote", "life", "2", "--by", "Anna", *url]) == 2
    refused = capsys.readouterr()
    assert (refused.out, refused.err.count("\n")) == ("", 1)
    forced = ["models", "promote", "life", "2", "--by", "Anna", "--why", "a new sensor", "--override", *url]
    assert main(forced) == 0
    assert "the champion there is 2" in capsys.readouterr().out
    assert main(["models", "rollback", "life", "--by", "Ben", "--why", "worse", *url]) == 0
    assert main(["models", "train", *url]) == 0
    for step, number, shown in (
        ("shadow", ["2"], "shadow: version 2"),
        ("rollout", ["2", "--override"], "rollout: version 2"),
        ("wave", [], "wave: version 2"),
        ("retire", ["2"], "retired: version 2"),
    ):
        assert main(["models", step, "life", *number, "--by", "Anna", "--why", "a trial", *url]) == 0
        assert shown in capsys.readouterr().out
    capsys.readouterr()
    assert main(["models", "audit", "--data", str(client.folder)]) == 0
    said, head = capsys.readouterr().out.splitlines()
    assert said == "The audit is whole: 10 events."
    assert main(["models", "audit", "--data", str(client.folder), "--head", head.removeprefix("head ")]) == 0
    assert main(["models", "audit", "--data", str(client.folder), "--head", f"10:{'0' * 64}"]) == 1
