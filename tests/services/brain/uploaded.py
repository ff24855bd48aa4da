"""A small press shop that no built-in model knows, its values as a gateway brings them, and bundles that judge it."""

from __future__ import annotations

import numpy as np
from running_server import plant
from shopfloor.models.columns import SECOND
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.sealing.canonical import pack
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import Batch
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge

PLANT = """
plant: {site: works, title: Works, timezone: UTC}
types:
  press:
    title: Press
    tags:
      ram.force: {unit: kN, title: Force}
      oil.temperature: {unit: °C, title: Oil}
      mode: {kind: text, states: [IDLE, RUN]}
  scale: {title: Scale, tags: {ram.force: {unit: kN}}}
assets:
  - {path: "works/hall/line-1/cell-a/press-[1..3]", type: press, title: "Press [1..3]"}
  - {path: "works/hall/line-1/cell-b/scale-1", type: scale, title: Scale}
sources: [{name: s, kind: opcua, url: "opc.tcp://127.0.0.1:4840", security: none}]
"""
PRESSES = [f"works/hall/line-1/cell-a/press-{i}" for i in (1, 2, 3)]
SCALE = "works/hall/line-1/cell-b/scale-1"
TAGS = ("ram.force", "oil.temperature")
SPEC = StreamSpec.of(TAGS, every=1, hold=30, settle=1, lookback=60, remembered=("ram.force",))
OCTETS = {"Content-Type": "application/octet-stream"}


def config():
    return plant(PLANT)


def batch(start, end, assets=PRESSES, every=SECOND, tags=TAGS):
    """One value of each tag each second in [start, end) UTC ns, with some noise of their own."""
    time = np.arange(-(-start // every) * every, end, every)
    names = tuple(f"{asset}/{tag}" for asset in assets for tag in tags)
    tag = np.repeat(np.arange(len(names), dtype=np.int32), len(time))
    times = np.tile(time, len(names))
    value = np.sin(times / 7e9 + tag) + (times // every * 7919 + tag * 104_729) % 1009 / 1009
    return Batch(names, tag, times, value, np.zeros(len(times), np.uint32))


def rows(spec, n=200, seed=0):
    return np.random.default_rng(seed).normal(size=(n, len(spec.features.names))).astype(np.float32)


def made(name, kind="regression", spec=SPEC, seed=0, **card):
    """A bundle of a kind over the features of a stream; the truth is about the first feature."""
    x = rows(spec, seed=seed)
    y = x[:, 0] + 0.1 * x[:, 1] + seed
    if kind == "novelty":
        model, truth = IsolationForest(n_estimators=20, random_state=0).fit(x[:100]), None
    elif kind == "regression":
        model, truth = Ridge().fit(x[:100], y[:100]), y
    else:
        truth = np.array(["low", "high", "middle"])[np.digitize(y, [0.0] if kind == "probability" else [-0.5, 0.5])]
        model = LogisticRegression().fit(x[:100], truth[:100])
    words = Card(name, name.title(), unit="mm", trained_at=1 + seed, **card)
    return compiled(
        model,
        Features(spec.features.names, spec.to_json()),
        Calibration(x[100:], None if truth is None else truth[100:]),
        words,
    )


def upload(server, sealed, **asked):
    content = pack(dict(sorted(sealed.files.items())))
    asked = {"scope": "works", "by": "Anna", **asked}
    reply = server.client.post("/api/v1/registry/bundles", params=asked, content=content, headers=OCTETS)
    assert reply.status_code == 200, reply.text
    return reply.json()
