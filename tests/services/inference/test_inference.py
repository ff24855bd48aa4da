"""The Open Inference Protocol on a real server: what is answered is what the bundle says, to the last bit."""

from __future__ import annotations

import json
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from running_server import running
from served_models import Served
from shopfloor.models.scorer import likely, score
from shopfloor.services.api import inference
from shopfloor.services.inference.message import HEADER
from shopfloor.services.security import Scope, Tokens

X = np.array([[0.5, -1.0, 3.0], [np.nan, 0.2, 1.0]], np.float32)


def tensor(name: str, array: np.ndarray, datatype: str = "FP32", **more: Any) -> dict[str, Any]:
    data = [None if isinstance(value, float) and np.isnan(value) else value for value in array.ravel().tolist()]
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": data, **more}


def columns(answer: dict[str, Any]) -> dict[str, np.ndarray]:
    return {one["name"]: np.array(one["data"]).reshape(one["shape"]) for one in answer["outputs"]}


def test_the_server_and_its_models_tell_of_themselves(served: Served) -> None:
    client = served.server.client
    forms = {
        "": inference.ServerMetadata, "/": inference.ServerMetadata, "/health/live": inference.Alive,
        "/health/ready": inference.Alive, "/models/boosted": inference.ModelMetadata,
        "/models/boosted/versions/1": inference.ModelMetadata, "/models/boosted/ready": inference.ModelReady,
        "/models/ridge/versions/2/ready": inference.ModelReady,
    }  # fmt: skip
    for path, form in forms.items():
        answer = client.get(f"/v2{path}")
        assert answer.status_code == 200, answer.text
        TypeAdapter(form).validate_python(answer.json())
    said = client.get("/v2/models/boosted").json()
    assert said["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 3]}]
    assert said["parameters"]["features"] == ["a", "b", "c"]
    assert [one["name"] for one in client.get("/v2/models/forest").json()["outputs"]] == ["class", "scores", "likely"]


def test_rows_are_answered_as_the_bundle_scores_them(served: Served) -> None:
    bundle = served.bundles["boosted"]
    said = score(bundle, X)
    names = dict(zip("abc", X.T, strict=True))
    forms = [
        [tensor("features", X)],
        [{**tensor("features", X), "data": [[0.5, -1.0, 3.0], [None, 0.2, 1.0]]}],
        [tensor("features", X, "FP64")],
        [tensor(name, column) for name, column in reversed(names.items())],
        [tensor("a", X[:, 0]), tensor("b", X[:, 1:2]), tensor("c", X[:, 2].astype(int), "INT64")],
        [tensor("features", X, "BYTES", data=["0.5", "-1", "3", "", "0.2", "1"])],
    ]
    for inputs in forms:
        answer = served.post("boosted/infer", {"inputs": inputs, "id": "42"})
        TypeAdapter(inference.InferenceAnswer).validate_python(answer)
        assert (answer["model_name"], answer["model_version"], answer["id"]) == ("boosted", "1", "42")
        assert answer["parameters"]["bundle"] == bundle.manifest.sha
        found = columns(answer)
        for name in ("value", "low", "high"):
            assert found[name].tolist() == getattr(said, name).tolist()


def test_classes_and_probabilities(served: Served) -> None:
    x = np.nan_to_num(X)
    said = likely(served.bundles["forest"], x)
    found = columns(served.post("forest/infer", {"inputs": [tensor("features", x)]}))
    assert found["scores"].tolist() == said.score.tolist()
    assert found["likely"].tolist() == said.likely.tolist()
    assert found["class"].tolist() == [served.bundles["forest"].manifest.classes[i] for i in said.score.argmax(axis=1)]
    asked = {"inputs": [tensor("features", x[:, :2])], "outputs": [{"name": "probabilities"}, {"name": "value"}]}
    answer = served.post("wear/versions/1/infer", asked)
    assert [one["name"] for one in answer["outputs"]] == ["probabilities", "value"]
    assert np.allclose(columns(answer)["probabilities"].sum(axis=1), 1.0)
    assert served.server.client.get("/v2/models/wear").status_code == 404


def test_tensors_travel_as_bytes_both_ways(served: Served) -> None:
    texts = [str(value).encode() for value in X.ravel().tolist()]
    kinds = {
        "FP32": X.tobytes(),
        "FP64": X.astype(float).tobytes(),
        "BYTES": b"".join(struct.pack("<I", len(text)) + text for text in texts),
    }
    said = score(served.bundles["boosted"], X)
    for kind, raw in kinds.items():
        one = {"name": "features", "shape": [2, 3], "datatype": kind, "parameters": {"binary_data_size": len(raw)}}
        asked: dict[str, Any] = {"inputs": [one], "parameters": {"binary_data_output": True}}
        asked["outputs"] = [{"name": "value"}, {"name": "low", "parameters": {"binary_data": False}}]
        text = json.dumps(asked).encode()
        answer = served.server.client.post(
            "/v2/models/boosted/infer", content=text + raw, headers={HEADER: str(len(text))}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/octet-stream"
        size = int(answer.headers[HEADER])
        value, low = json.loads(answer.content[:size])["outputs"]
        assert np.frombuffer(answer.content[size:]).tolist() == said.value.tolist()
        assert (value["parameters"], low["data"]) == ({"binary_data_size": 16}, said.low.tolist())


def test_without_a_version_the_one_speaks_that_most_assets_have(served: Served) -> None:
    row = {"inputs": [tensor("features", np.array([[1.0, 0.0]]))]}
    assert [served.post(f"ridge/{path}infer", row)["model_version"] for path in ("", "versions/2/")] == ["1", "2"]


GOOD = tensor("features", np.zeros((1, 3)))
WRONG = [
    ("boosted", {}, 400, "missing required field `inputs`"),
    ("boosted", [], 400, "expected `object`"),
    ("boosted", {"inputs": []}, 400, "lacks 'a', 'b', 'c'"),
    ("boosted", {"inputs": [GOOD, GOOD]}, 400, "comes twice"),
    ("boosted", {"inputs": [{**GOOD, "datatype": "FLOAT"}]}, 400, "expected one of FP64"),
    ("boosted", {"inputs": [{**GOOD, "shape": [3]}]}, 400, "needs [n, 3]"),
    ("boosted", {"inputs": [{**GOOD, "shape": [1, 4]}]}, 400, "has 3 elements"),
    ("boosted", {"inputs": [{**GOOD, "shape": [1, -3]}]}, 400, "expected are rows"),
    ("boosted", {"inputs": [{**GOOD, "shape": [2**40, 2**40]}]}, 400, "expected are rows"),
    ("boosted", {"inputs": [{**GOOD, "shape": [1, 1, 3]}]}, 400, "expected are rows"),
    ("boosted", {"inputs": [{**GOOD, "shape": [0, 3], "data": []}]}, 400, "0 rows: from 1"),
    ("boosted", {"inputs": [{**GOOD, "shape": [20_001, 3], "data": [0] * 60_003}]}, 400, "20001 rows: from 1 to 20000"),
    ("boosted", {"inputs": [{**GOOD, "data": [0, "1", 2]}]}, 400, "no numbers or null, as FP32"),
    ("boosted", {"inputs": [{**GOOD, "data": [0, 1, 1e39]}]}, 400, "'c' of row 0 is infinite"),
    ("boosted", {"inputs": [{**GOOD, "data": [[0, 1], [2]]}]}, 400, "do not fit its shape"),
    ("boosted", {"inputs": [{**GOOD, "datatype": "INT8", "data": [0, 1, 300]}]}, 400, "does not fit into INT8"),
    ("boosted", {"inputs": [{**GOOD, "datatype": "BYTES", "data": ["0", "1", "x"]}]}, 400, "no number"),
    ("boosted", {"inputs": [{**GOOD, "data": None}]}, 400, "needs its data"),
    ("boosted", {"inputs": [{**GOOD, "parameters": {"binary_data_size": 12}}]}, 400, "one of them"),
    ("boosted", {"inputs": [{**GOOD, "data": None, "parameters": {"binary_data_size": 12}}]}, 400, "more than the 0"),
    ("boosted", {"inputs": [{**GOOD, "name": "a", "shape": [3]}]}, 400, "lacks 'b', 'c'"),
    ("boosted", {"inputs": [GOOD], "outputs": [{"name": "y"}]}, 400, "it has value, low, high"),
    ("nothing", {"inputs": [GOOD]}, 404, "There is no model 'nothing'"),
    ("boosted/versions/9", {"inputs": [GOOD]}, 404, "no version 9"),
    ("boosted/versions/one", {"inputs": [GOOD]}, 404, "it has 1 to 1"),
    ("wear", {"inputs": [GOOD]}, 404, "No version of wear speaks yet"),
]


@pytest.mark.parametrize(("path", "body", "status", "sentence"), WRONG)
def test_each_mistake_is_one_sentence(served: Served, path: str, body: Any, status: int, sentence: str) -> None:
    answer = served.server.client.post(f"/v2/models/{path}/infer", json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert sentence in answer.json()["error"]


def test_bodies_that_are_no_requests(served: Served) -> None:
    client, path = served.server.client, "/v2/models/boosted/infer"
    nested = b'{"inputs": ' + b"[" * 100_000
    cases: list[tuple[bytes, dict[str, str], int, str]] = [
        (b"", {}, 400, "is no JSON"),
        (b"\xff\xfe", {}, 400, "is no JSON"),
        (nested, {}, 400, "The request is"),
        (b"{}", {HEADER: "3"}, 400, "at most the 2 of the body"),
        (b"{}", {HEADER: "-1"}, 400, "number of bytes of the JSON"),
        (b"x" * 4_000_001, {}, 413, "larger than 4 MB"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "compressed"),
        (json.dumps({"inputs": [GOOD]}).encode() + b"..", {HEADER: str(len(json.dumps({"inputs": [GOOD]})))}, 400,
         "2 bytes are behind"),
    ]  # fmt: skip
    for body, headers, status, sentence in cases:
        answer = client.post(path, content=body, headers=headers)
        assert (answer.status_code, sentence in answer.json()["error"]) == (status, True), answer.text
    answer = client.post(path, content=iter([b"x" * 3_000_000] * 2))
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    for method, odd in (("GET", "/v2/nothing"), ("POST", "/v2/models"), ("GET", "/v2/models/boosted/infer")):
        answer = client.request(method, odd, json={})
        assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_many_at_once_are_answered_each_with_its_own(served: Served) -> None:
    rows = np.arange(90, dtype=np.float32).reshape(30, 1, 3)
    wanted = [score(served.bundles["boosted"], row).value.tolist() for row in rows]

    def ask(i: int) -> Any:
        return served.post("boosted/infer", {"id": str(i), "inputs": [tensor("features", rows[i])]})

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(30)))
    assert [one["id"] for one in found] == [str(i) for i in range(30)]
    assert [one["outputs"][0]["data"] for one in found] == wanted


def test_a_token_that_may_read_may_ask(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    reader, writer = (tokens.create(scope.value, scope) for scope in (Scope.READ, Scope.WRITE))
    with running(tmp_path, host="0.0.0.0") as server:
        for token, status in (("", 401), ("wrong", 401), (writer, 403), (reader, 400)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            for path in ("/v2/models/boosted/infer", "/v2/models/boosted/versions/1/infer"):
                answer = server.client.post(path, content=b"{}", headers=headers)
                assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
        foreign = {"Authorization": f"Bearer {reader}", "Origin": "https://evil.example"}
        assert server.client.post("/v2/models/boosted/infer", headers=foreign).status_code == 403
        assert server.client.get("/v2", headers={"Accept": "text/html"}).json()["error"].startswith("This server asks")
