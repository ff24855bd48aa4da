"""Every sentence on an asset that a model of a data scientist may give, made by the code that says it.

Tags, titles and classes are a plant's own words: short ones here, which the test takes for names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from shopfloor.models.client import seal
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.scorer import Scores, numbers
from shopfloor.models.streaming import StreamSpec
from shopfloor.services.brain.streams import streams, words
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression, Ridge

SPEC = StreamSpec.of(("ram", "oil"), every=10, hold=60)


def sentences() -> Iterator[str]:
    """Of each kind of model, with and without alarm, and where something is missing."""
    x = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
    two, three = np.where(x[:, 0] > 0, "bad", "ok"), np.digitize(x[:, 0], [-0.5, 0.5]).astype(str)
    for model, truth in (
        (Ridge(), x[:, 0]), (LogisticRegression(), two), (LogisticRegression(), three), (LedoitWolf(), None),
    ):  # fmt: skip
        card = Card("jig", "Jig", unit="mm", settings={"act": 0.4, "watch": -0.4})
        fitted = model.fit(x[:60]) if truth is None else model.fit(x[:60], truth[:60])
        told = Calibration(x[60:], None if truth is None else truth[60:])
        bundle = compiled(fitted, Features(SPEC.features.names, SPEC.to_json()), told, card).bundle
        groups = words.groups_of(bundle, SPEC)
        said = numbers(bundle, x)
        gone = Scores(*(np.full(len(x), np.nan) for _ in range(3)))
        for scores in (said, gone):
            for entry in words.entries(bundle, groups, ["m"] * len(x), x, 0, scores):
                yield from (entry["sentence"], entry["advice"], *(reason["sentence"] for reason in entry["reasons"]))
        yield from (group.sentence({"ram": np.nan, "oil": np.nan}) for group in groups)
    yield seal._split(20, 10, 0, 86_400_000_000_000)
    yield streams._lacks(["ram", "oil"])
    yield "No value of ram, oil for 60 s."
