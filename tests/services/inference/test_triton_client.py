"""NVIDIA's own HTTP client of the protocol, in an environment of its own, asks a real server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from foreign_python import interpreter
from served_models import Served
from shopfloor.models.scorer import likely, score

CLIENT: Final = Path(__file__).with_name("triton_client.py")
X: Final = np.array([[0.5, -1.0, 3.0], [np.nan, 0.2, 1.0]], np.float32)


@pytest.mark.foreign
def test_tritonclient_hears_what_the_bundle_says(served: Served) -> None:
    url = served.server.url.removeprefix("http://")
    done = subprocess.run(
        [interpreter("tritonclient"), CLIENT, url], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["alive"] == [True, True, True, True, False]
    assert (said["server"]["name"], said["server"]["extensions"]) == ("shopfloor", ["binary_tensor_data"])
    assert said["model"]["versions"] == ["1"]
    bundle = served.bundles["boosted"]
    truth, whole = score(bundle, X), score(bundle, np.nan_to_num(X))
    for way in ("bytes", "named", "texts"):
        assert [said[way][name] for name in ("value", "low", "high")] == [
            truth.value.tolist(), truth.low.tolist(), truth.high.tolist()
        ], way  # fmt: skip
    assert said["bytes"]["id"] == "42"
    assert said["json"] == {"value": whole.value.tolist(), "low": whole.low.tolist(), "id": None, "version": "1"}
    forest = served.bundles["forest"]
    best = likely(forest, np.nan_to_num(X)).score.argmax(axis=1)
    assert said["classes"] == [forest.manifest.classes[i] for i in best]
    status, sentence = said["refused"]
    assert (status, "needs [n, 3]" in sentence) == ("400", True)
