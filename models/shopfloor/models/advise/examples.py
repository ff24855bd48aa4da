"""Small bundles, for the examples in docstrings."""

from __future__ import annotations

import numpy as np
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.sealing.opened import Bundle
from sklearn.linear_model import Ridge


def ridge() -> Bundle:
    """The value is 2 a - b, to within about 0.2."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-5.0, 5.0, (600, 2)).astype(np.float32)
    y = 2.0 * x[:, 0] - x[:, 1] + rng.normal(0.0, 0.1, 600)
    model = Ridge().fit(x[:300], y[:300])
    return compiled(model, Features(("a", "b")), Calibration(x[300:], y[300:]), Card("ridge", "2 a - b")).bundle
