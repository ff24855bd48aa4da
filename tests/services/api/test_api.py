"""Every noun of the API, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter
from running_server import CNC, COUNT, POWER, STATE, FakeBrain, Running, S, running, until
from shopfloor.plant import Batch, Sample
from shopfloor.services.api import alarms, assets, events, health, history, latest, ledger, models, predictions, tags

NOW = time.time_ns() // S * S
PREDICTION: dict[str, Any] = {
    "asset": CNC, "target": "tool_life", "title": "Tool life", "time": NOW / 1e6, "value": 30.0, "low": 20.0,
    "high": 41.0, "coverage": 0.9, "unit": "min", "status": "ok", "sentence": "The tool lasts.", "advice": "",
    "baseline": 25.0, "model": "tool_life-1", "trained_at": 1.0,
    "reasons": [{"code": "worn", "sentence": "The load rises.", "tag": POWER, "weight": 0.7, "values": {}}],
}  # fmt: skip
CARD: dict[str, Any] = {
    "name": "tool_life-1", "target": "tool_life", "title": "Tool life", "state": "ready", "trained_at": 1.0,
    "cpu_s": 2.0, "rows": 100, "split": "By machine.", "coverage": {"nominal": 0.9, "measured": 0.91},
    "metrics": [{"name": "mae", "value": 3.0, "baseline": 9.0, "baseline_name": "mean", "unit": "min",
                 "better": "lower", "beats": True}],
}  # fmt: skip

ABOUT: dict[str, Any] = {
    "asset": CNC, "target": "tool_life", "title": "Tool life", "time": NOW / 1e6, "unit": "min",
    "model": "tool-life", "version": 2, "bundle": "ab" * 32,
}  # fmt: skip
EXPLAINED: dict[str, Any] = ABOUT | {
    "measure": "the value", "value": 30.0, "usual": 41.0, "gap": 0.0,
    "groups": [{"code": "power", "tag": "spindle.power", "sentence": "It rises.", "contribution": -11.0,
                "features": [{"name": "power", "value": 7.0, "usual": None, "contribution": -11.0}]}],
}  # fmt: skip
ADVISED: dict[str, Any] = ABOUT | {
    "coverage": 0.9, "now": {"value": 30.0, "low": 20.0, "high": 41.0}, "found": False, "sentence": "None found.",
    "changes": [], "promised": None, "tried": 300, "left_out": [{"tag": POWER, "sentence": "No setpoint."}],
    "caution": "One step.",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp("data"), brain=FakeBrain([PREDICTION], [CARD], EXPLAINED, ADVISED)
    ) as running_server:
        running_server.feed(*(Sample(POWER, NOW - i * S, float(i)) for i in range(600, -1, -1)))
        running_server.feed(*(Sample(COUNT, NOW - i * S, 7 * i) for i in (2, 1)))
        running_server.feed(Sample(STATE, NOW - 7200 * S, "IDLE"), Sample(STATE, NOW - 60 * S, "EXECUTE"))
        running_server.post_health(accepted=605)
        yield running_server


def valid(model: Any, value: Any) -> Any:
    """What OpenAPI promises is what comes."""
    TypeAdapter(model).validate_python(value, strict=False)
    return value


def test_health_tells_of_processes_sources_and_store(server: Running) -> None:
    said = valid(health.HealthAnswer, server.get("/health"))
    assert said["status"] == "ok"
    assert {p["kind"] for p in said["processes"]} == {"server", "gateway"}
    (source,) = said["sources"]
    assert source["gateway"] == "edge-1"
    assert source["newest_age_s"] < 60
    assert said["history"]["state"] == "none"
    assert said["store"]["rows"] >= 605
    assert said["brain"]["state"] == "ready"


def test_assets_carry_state_alarms_and_tags(server: Running) -> None:
    first, *_ = valid(list[assets.AssetView], server.get("/assets"))
    assert (first["path"], first["title"], first["type_title"]) == (CNC, "CNC 01", "Machine tool")
    assert first["state"] == "EXECUTE"
    assert first["alarms"] == {"1": 0, "2": 0, "3": 0}
    assert first["tags"][0]["normal"] == [0, 12]
    assert first["tags"][0]["limits"][0] == {"side": "high", "value": 15.0, "priority": 2}


def test_tags_of_an_asset_and_of_all(server: Running) -> None:
    assert len(valid(list[tags.TagView], server.get("/tags", asset=CNC))) in {4, 5}
    assert len(server.get("/tags")) >= 12


def test_a_tag_names_the_source_of_its_newest_values(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for at, source in ((-9, "recorded"), (0, "machining"), (-8, "recorded")):
            server.feed(Sample(POWER, NOW + at * S, 1.0), source=source)
        server.post_health()
        (first, *_) = server.get("/assets")
        origins = {tag["path"]: tag["origin"] for tag in first["tags"]}
        assert (origins[POWER], origins[STATE]) == ("edge-1-00c0ffee/machining", None)
        assert {tag["path"]: tag["origin"] for tag in server.get("/tags", asset=CNC)} == origins
        assert origins[POWER] in [source["origin"] for source in server.get("/health")["sources"]]


def test_latest_by_tag_by_asset_and_of_all(server: Running) -> None:
    (power,) = valid(list[latest.Latest], server.get("/latest", tag=POWER))
    assert power == {"tag": POWER, "time": NOW / 1e6, "value": 0.0, "quality": 0, "severity": 0}
    values = {row["tag"]: row["value"] for row in server.get("/latest", asset=CNC)}
    assert values.items() >= {POWER: 0.0, COUNT: 7, STATE: "EXECUTE"}.items()
    assert len(server.get("/latest")) >= 3


def test_history_raw_and_downsampled(server: Running) -> None:
    raw = valid(history.History, server.get("/history", tag=POWER, start=NOW / 1e6 - 10_000, end=NOW / 1e6))
    assert raw["value"] == [float(i) for i in range(10, 0, -1)]
    assert raw["time"][0] == NOW / 1e6 - 10_000
    assert (raw["unit"], raw["downsampled"]) == ("kW", False)
    start, end = NOW / 1e6 - 600_000, NOW / 1e6 + 1
    drawn = valid(history.History, server.get("/history", tag=POWER, points=50, start=start, end=end))
    assert drawn["downsampled"]
    assert 10 < len(drawn["time"]) <= 220
    assert len({len(drawn[name]) for name in ("time", "value", "low", "high", "quality")}) == 1


def test_history_begins_with_the_value_that_holds_when_asked(server: Running) -> None:
    start, end = NOW / 1e6 - 9_500, NOW / 1e6 + 1
    for points in ({}, {"points": 50}):
        held = valid(history.History, server.get("/history", tag=POWER, start=start, end=end, previous=True, **points))
        assert (held["time"][0], held["value"][0]) == (NOW / 1e6 - 10_000, 10.0)
        assert held["value"][1] == 9.0


def test_history_of_a_text_begins_with_the_state_that_holds(server: Running) -> None:
    said = server.get("/history", tag=STATE, start=NOW / 1e6 - 3_600_000, end=NOW / 1e6, points=100)
    assert said["value"] == ["IDLE", "EXECUTE"]
    assert not said["downsampled"]


def test_history_as_arrow_has_nanoseconds(server: Running) -> None:
    answer = server.client.get(
        "/api/v1/history",
        params={"tag": POWER, "start": NOW / 1e6 - 5_000, "end": NOW / 1e6},
        headers={"Accept": "application/vnd.apache.arrow.stream"},
    )
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column("time").cast(pa.int64()).to_pylist() == [NOW - i * S for i in range(5, 0, -1)]
    assert table.schema.metadata[b"unit"] == b"kW"


@pytest.mark.parametrize("points", [{}, {"points": 50}])
def test_history_as_raw_columns_says_the_same_as_json(server: Running, points: dict[str, int]) -> None:
    asked = {"tag": POWER, "start": NOW / 1e6 - 600_000, "end": NOW / 1e6 + 1, **points}
    said = server.get("/history", **asked)
    answer = server.client.get("/api/v1/history", params=asked, headers={"Accept": "application/msgpack, */*;q=0.1"})
    raw = msgspec.msgpack.decode(answer.content)
    assert answer.headers["content-type"] == "application/msgpack"
    for name in ("time", "value", "low", "high"):
        assert np.frombuffer(raw.get(name, b""), "<f8").tolist() == (said.get(name) or [])
    assert np.frombuffer(raw["quality"], "<u4").tolist() == said["quality"]
    assert all(raw[name] == said[name] for name in ("tag", "unit", "downsampled"))


def test_history_of_a_text_is_never_raw(server: Running) -> None:
    answer = server.client.get("/api/v1/history", params={"tag": STATE}, headers={"Accept": "application/msgpack"})
    assert answer.headers["content-type"] == "application/json"


def test_bad_values_are_null_in_json(server: Running) -> None:
    path = f"{CNC}/spindle.temperature"
    server.feed(Sample(path, NOW, float("nan"), 0x8031_0000))
    (row,) = server.get("/latest", tag=path)
    assert (row["value"], row["severity"]) == (None, 2)


def test_a_prediction_is_explained_and_what_would_help_is_asked(server: Running) -> None:
    asked = {"asset": CNC, "target": "tool_life"}
    assert valid(predictions.ExplanationView, server.get("/predictions/explanation", **asked)) == EXPLAINED
    said = valid(predictions.AdviceView, server.get("/predictions/advice", **asked, low=15))
    assert said == ADVISED | {"goal": {"low": 15.0, "high": None}}
    for wrong, code in (({"low": 3, "high": 2}, 422), ({"low": "nan"}, 422), ({"asset": "a/b/c/d/e"}, 404)):
        answer = server.client.get("/api/v1/predictions/advice", params=asked | wrong)
        assert answer.status_code == code
        assert answer.json()["detail"].endswith((".", "?"))


def test_predictions_models_and_their_past(server: Running) -> None:
    assert valid(list[predictions.PredictionView], server.get("/predictions")) == [PREDICTION]
    assert server.get("/predictions", asset=CNC.replace("01", "02")) == []
    valid(predictions.PredictionHistory, server.get("/predictions/history", asset=CNC, target="tool_life"))
    assert valid(list[models.ModelView], server.get("/models")) == [CARD]


def test_ledger_balances(server: Running) -> None:
    said = valid(ledger.LedgerAnswer, server.get("/ledger"))
    assert said["balanced"]
    (source,) = said["sources"]
    assert source["accepted"] == source["stored"] == said["store"]["rows"] >= 605
    assert source["spooled"] == source["rejected"] == 0


def test_events_and_alarms_answer_as_described(server: Running) -> None:
    found = until(lambda: server.get("/events"))
    valid(list[events.EventView], found)
    assert "source-connected" in {event["kind"] for event in found}
    valid(list[alarms.AlarmView], server.get("/alarms", state="all"))


def test_a_tag_beyond_the_plant_file_is_learned(server: Running) -> None:
    path = "delta/frames/machining/cell-a/cnc-01/extra"
    server.feed(Sample(path, NOW, 1.5))
    until(lambda: path in {tag["path"] for tag in server.get("/tags", asset=CNC)})
    assert server.get("/history", tag=path, start=NOW / 1e6 - 1, end=NOW / 1e6 + 1)["value"] == [1.5]


@pytest.mark.parametrize(
    ("path", "params", "status", "sentence"),
    [
        ("/history", {"tag": POWER.replace("spindle", "spindel")}, 404, f"did you mean {POWER!r}?"),
        ("/history", {}, 422, "The query value 'tag': field required; see /docs."),
        ("/history", {"tag": POWER, "start": 2, "end": 1}, 422, "'start' (2) is not before 'end' (1)"),
        ("/history", {"tag": POWER, "start": "yesterday"}, 422, "The query value 'start' is 'yesterday': "),
        ("/history", {"tag": POWER, "start": "nan"}, 422, "'start' is nan: expected Unix epoch milliseconds"),
        ("/history", {"tag": POWER, "end": 1e300}, 422, "expected Unix epoch milliseconds"),
        ("/history", {"tag": POWER, "points": 0}, 422, "'points' is '0'"),
        ("/latest", {"tag": "nothing/like/it"}, 404, "There is no tag 'nothing/like/it'"),
        ("/tags", {"asset": CNC[:-1]}, 404, "There is no asset"),
        ("/predictions", {"asset": "x"}, 404, "There is no asset 'x'"),
        ("/alarms", {"state": "some"}, 422, "'state' is 'some'"),
        ("/nothing", {}, 404, "There is no /api/v1/nothing: see /docs for what there is."),
        ("/ingest", {}, 401, "Gateways alone send here"),
    ],
)
def test_every_error_is_one_sentence(
    server: Running, path: str, params: dict[str, Any], status: int, sentence: str
) -> None:
    answer = server.client.get(f"/api/v1{path}", params=params)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert sentence in answer.json()["detail"]


def test_openapi_is_complete_and_docs_need_no_network(server: Running) -> None:
    api = server.client.get("/openapi.json").json()
    for path, verbs in api["paths"].items():
        for verb, operation in verbs.items():
            assert operation.get("description"), f"{verb} {path} has no description"
            ok = operation["responses"].get("200", operation["responses"].get("204"))
            if "content" in ok:
                assert any(one.get("schema") for one in ok["content"].values()), path
    page = server.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in page.text
    assert server.client.get("/web/docs.js").status_code == 200


def test_strict_headers_and_gzip(server: Running) -> None:
    answer = server.client.get("/api/v1/assets", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert server.client.get("/web/../app.py").status_code in {404, 503}


def test_many_values_arrive_once_and_in_order(server: Running, tmp_path: Path) -> None:
    n = 50_000
    path = CNC.replace("01", "03") + "/spindle.power"
    batch = Batch((path,), np.zeros(n, np.int32), NOW - np.arange(n)[::-1] * 1_000_000, np.arange(n) * 1.0,
                  np.zeros(n, np.uint32))  # fmt: skip
    assert server.send(batch).json() == {"stored": n, "duplicate": False}
    said = server.get("/history", tag=path, start=NOW / 1e6 - 100_000, end=NOW / 1e6 + 1)
    assert said["value"] == [float(i) for i in range(n)]
