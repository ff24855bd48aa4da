"""A server with small real bundles, for tests of the inference protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile_bundles
import numpy as np
from running_server import CNC, Running, running
from shopfloor.models.bundle import Bundle
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from sklearn.linear_model import LogisticRegression, Ridge


@dataclass(frozen=True)
class Served:
    """A running server, and the bundles that it holds by name."""

    server: Running
    bundles: dict[str, Bundle]

    def post(self, path: str, body: Any, **headers: str) -> Any:
        answer = self.server.client.post(f"/v2/models/{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


def small(name: str, slope: float, estimator: Any) -> Any:
    """A model of two features."""
    x = np.random.default_rng(2).normal(size=(120, 2)).astype(np.float32)
    y = slope * x[:, 0] + 0.3 * x[:, 1]
    truth = y if isinstance(estimator, Ridge) else np.where(y > 0, "worn", "fresh")
    estimator.fit(x[:60].astype(float), truth[:60])
    return compiled(estimator, Features(("load", "speed")), Calibration(x[60:], truth[60:]), Card(name, name, "um"))


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """`boosted` and `forest` (three classes) speak everywhere, `wear` (two classes) nowhere, `ridge` in two versions:
    the first for two machines of three, the second for one."""
    made = hostile_bundles.bundles(("boosted", "forest"))
    made |= {"wear": small("wear", 1.0, LogisticRegression())}
    made |= {f"ridge {i}": small("ridge", float(i), Ridge()) for i in (1, 2)}
    with running(folder / "data") as server:
        registry = server.parts.registry
        versions = {name: registry.submit(one.save(folder / name), "test") for name, one in made.items()}
        for name in ("boosted", "forest"):
            registry.begin_with(versions[name], "*")
        cell = CNC.rpartition("/")[0]
        registry.begin_with(versions["ridge 1"], f"{cell}/cnc-0*")
        registry.promote("ridge", 2, CNC, "Anna", "a test", override=True)
        yield Served(server, {name: one.bundle for name, one in made.items()})
