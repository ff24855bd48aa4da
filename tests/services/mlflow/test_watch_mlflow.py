"""An alias of a real MLflow that moves is a proposal; no pickle is ever opened, and nothing is proposed twice."""

from __future__ import annotations

import http.server
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_server import FakeBrain, Running, plant, running, until
from shopfloor.models.client.server import Server
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import QuestionError, StoreError
from shopfloor.services.cli import main
from shopfloor.services.mlflow.refusal import AliasRefused
from shopfloor.services.mlflow.tracking import Tracking
from shopfloor.services.mlflow.watch import Watch, Wish
from sklearn.linear_model import Ridge

SPEC = StreamSpec.of(("spindle.power", "spindle.temperature"), every=10, hold=60, lookback=60)


def sealed(folder: Path, name: str, seed: int) -> Path:
    """A small regression on two tags as `NAME.shopfloor`."""
    x = np.random.default_rng(seed).normal(size=(80, 2)).astype(np.float32)
    calibration = Calibration(x[40:], x[40:, 0] + seed, x[40:, None].astype(np.float64))
    model = Ridge().fit(x[:40], x[:40, 0] + seed)
    made = compiled(model, Features(SPEC.features.names, SPEC.to_json()), calibration, Card(name, name, trained_at=1))
    folder.mkdir(exist_ok=True)
    return made.save(folder / f"{name}.shopfloor")


class Boom:
    """A pickle that does harm when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("data"), plant(), brain=FakeBrain()) as found:
        yield found


def places(server: Running, name: str) -> Any:
    (model,) = [one for one in server.get("/registry") if one["name"] == name]
    return model["places"][0]["shadows"], model["places"][0]["proposed"]


@pytest.mark.foreign
def test_each_move_of_the_alias_is_proposed_once(mlflow, server: Running, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, second = (sealed(tmp_path / str(seed), "heat", seed) for seed in (1, 2))
    with Tracking.open(mlflow.url) as tracking:
        watch = Watch(tracking, Wish("heat", "champion", "delta/frames", "Anna"), Server(server.url))
        with pytest.raises(AliasRefused, match="not found"):
            watch.look()
        assert mlflow.log("heat", first) == "1"
        assert "MLflow's version 1 of heat is version 1 of heat: " in watch.look()
        assert watch.look() == ""
        assert mlflow.log("heat", second) == "2"
        assert "is version 2 of heat" in watch.look()
        assert places(server, "heat") == ([1, 2], 2)
        event = server.get("/registry/heat/events")[0]
        assert (event["what"], event["by"]) == ("proposed", "Anna")
        assert event["why"].startswith("MLflow: champion of heat moved to version 2 (run ")
        body = {"number": 2, "scope": "delta/frames", "by": "Ben", "why": "worse"}
        assert server.client.post("/api/v1/registry/heat/retire", json=body).status_code == 200
        again = Watch(tracking, watch.wish, watch.server)
        assert "came before" in again.look()
        assert places(server, "heat") == ([1], None)
        mlflow.tell("alias", "heat", "champion", "1")
        assert "is version 1 of heat" in again.look()
        mlflow.tell("alias", "heat", "champion", "2")
        assert "is version 2 of heat" in again.look()
        assert places(server, "heat") == ([1, 2], 2)


@pytest.mark.foreign
def test_a_pickle_is_never_opened_and_damage_is_told(mlflow, server: Running, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mark, model, pickled = tmp_path / "mark", tmp_path / "model.pkl", tmp_path / "odd.shopfloor"
    for file in (model, pickled):
        file.write_bytes(pickle.dumps(Boom(mark)))
    damaged = tmp_path / "cut.shopfloor"
    damaged.write_bytes(sealed(tmp_path / "whole", "cut", 3).read_bytes()[:-1])
    several = [sealed(tmp_path / "several", name, 4) for name in ("one", "two")]
    cases = [
        (
            "plain",
            [model],
            "a pickle is never opened here: log one there with mlflow.log_artifact(sealed.save('plain.sh",
        ),
        ("odd", [pickled], "not written as bundles are"),
        ("cut", [damaged], "MLflow's version 1 of cut is not proposed: it is cut short"),
        ("three", several, "has 2 .shopfloor files: name one of them three.shopfloor"),
    ]
    with Tracking.open(mlflow.url) as tracking:
        for name, files, sentence in cases:
            mlflow.log(name, *files)
            watch = Watch(tracking, Wish(name, "champion", "delta/frames", "Anna"), Server(server.url))
            with pytest.raises(AliasRefused) as refused:
                watch.look()
            assert sentence in str(refused.value)
            assert watch.look() == ""
        mlflow.log("elsewhere", sealed(tmp_path / "e", "elsewhere", 5))
        watch = Watch(tracking, Wish("elsewhere", "champion", "nowhere", "Anna"), Server(server.url))
        with pytest.raises(QuestionError, match="No asset of this plant lies in the scope nowhere"):
            watch.look()
    assert not mark.exists()
    assert {one["name"] for one in server.get("/registry")} <= {"heat", "named"}


@pytest.mark.foreign
def test_the_command_goes_on_while_a_server_is_away(mlflow, server: Running, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mlflow.log("named", sealed(tmp_path, "named", 6), alias="live")
    asked = ["models", "watch-mlflow", "--tracking", mlflow.url, "--model", "named", "--by", "Anna", "--scope", "delta"]
    assert main([*asked, "--alias", "nothing", "--once"]) == 2
    command = [sys.executable, "-m", "shopfloor.services.cli", *asked, "--alias", "live", "--every", "0.1"]
    out = tmp_path / "out"
    with out.open("w") as said, subprocess.Popen([*command, "--url", server.url], stdout=said) as process:
        until(lambda: "is version 1 of named" in out.read_text(), 60)
        process.terminate()
    with Tracking.open(mlflow.url) as tracking:
        watch = Watch(tracking, Wish("named", "live", "delta", "Anna"), Server("http://127.0.0.1:9"))
        for _ in range(2):
            with pytest.raises(StoreError, match="No server answers"):
                watch.look()


def test_what_is_no_mlflow_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        seen: str | None = None

        def do_GET(self) -> None:
            Other.seen = self.headers["Authorization"]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret-word")
    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}"
        with Tracking.open(url) as tracking, pytest.raises(StoreError, match="not as MLflow does"):
            tracking.at("heat", "champion")
        other.shutdown()
    assert Other.seen == "Bearer secret-word"
    with Tracking.open(url) as tracking, pytest.raises(StoreError, match="No MLflow server answers") as away:
        tracking.at("heat", "champion")
    assert "secret-word" not in str(away.value)
    for odd in ("sqlite:///mlflow.db", "databricks", "file:./mlruns"):
        with pytest.raises(QuestionError, match="no address of an MLflow server"), Tracking.open(odd):
            pass
