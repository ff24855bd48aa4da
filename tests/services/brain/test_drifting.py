"""Drift of a version of the registry: features against training, shifted means, truths outside the interval."""

from pathlib import Path

import numpy as np
import pytest
from shopfloor.models.columns import DAY
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.services.api.drift import DriftView
from shopfloor.services.brain import cards
from shopfloor.services.brain.drifting import LEAST, QUIET, Drifting
from shopfloor.services.brain.recent import STEP, Recent
from shopfloor.services.registry import Label, Prediction, Registry
from sklearn.linear_model import Ridge

ASSETS = [f"works/hall/line/cell/pump-{i}" for i in range(8)]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000, 3)).astype(np.float32)
    y = x @ [1.0, 2.0, 3.0] + rng.normal(0.0, 0.1, 2_000)
    card = Card("flow", "flow of a pump")
    model = compiled(Ridge().fit(x[:1000], y[:1000]), Features(("a", "b", "c")), Calibration(x[1000:], y[1000:]), card)
    return model.save(tmp_path_factory.mktemp("bundle") / "flow.shopfloor"), model.bundle.manifest.spec_sha


def saw(recent: Recent, source: str, days: float, moved: int | None = None) -> None:
    """What live judging saw: standard normal features, feature `moved` higher by 3 on the last day."""
    rng = np.random.default_rng(1)
    end = int(days * DAY)
    for time in range(STEP, end, STEP):
        x = rng.normal(size=(len(ASSETS), 3)).astype(np.float32)
        if moved is not None and time >= end - DAY:
            x[:, moved] += 3.0
        recent.take(source, ASSETS, [time] * len(ASSETS), x)


@pytest.fixture
def registry(tmp_path: Path, sealed):  # type: ignore[no-untyped-def]
    with Registry.open(tmp_path / "registry", lambda: 10 * DAY, cards.card, lambda: ASSETS) as found:
        found.submit(sealed[0], "anna")
        yield found


def test_the_feature_that_moved_is_named_first_and_when(registry, sealed) -> None:  # type: ignore[no-untyped-def]
    recent = Recent()
    drifting = Drifting(registry, recent, registry.clock)
    few = DriftView(**drifting.of("flow", 1))
    assert (few.features, few.sentence) == ([], f"0 windows of {LEAST} that are needed to compare with training.")
    saw(recent, sealed[1], 2.5, moved=1)
    assert drifting.of("flow", 1)["rows"] == 0, "once a minute"
    told = DriftView(**Drifting(registry, recent, registry.clock).of("flow", 1))
    assert told.sentence == "1 of 3 features look much different from training, the mean of 1 has moved."
    first, *rest = told.features
    assert (first.name, first.psi > told.much) == ("b", True)
    assert first.moved is not None
    assert 1.5 * DAY / 1e6 < first.moved <= 2.5 * DAY / 1e6
    assert all(one.psi < told.some and one.moved is None and one.level < 1.0 for one in rest)


def test_before_a_day_was_seen_only_distributions_are_compared(registry, sealed) -> None:  # type: ignore[no-untyped-def]
    recent = Recent()
    saw(recent, sealed[1], 0.5)
    told = DriftView(**Drifting(registry, recent, registry.clock).of("flow", 1))
    assert told.sentence == "0 of 3 features look much different from training."
    assert {one.level for one in told.features} == {None}
    assert 0 < told.steps_missing < QUIET


@pytest.mark.parametrize(("every", "alarm"), [(10, False), (3, True)])
def test_truths_outside_the_interval_raise_the_alarm(registry, every: int, alarm: bool) -> None:  # type: ignore[no-untyped-def]
    sha = registry.state.version("flow", 1).sha
    asset = ASSETS[0]
    registry.scores.write(Prediction("flow", 1, sha, asset, w, False, 0.0, -1.0, 1.0, 9.0, f"p{w}") for w in range(200))
    labels = [(5.0 if w % every == 0 else 0.0, w) for w in range(200)]
    registry.scores.label(Label("flow", asset, value, value, w, f"p{w}") for value, w in labels)
    told = DriftView(**Drifting(registry, Recent(), registry.clock).of("flow", 1)).coverage
    assert told is not None
    assert (told.windows, told.alarm) == (200, alarm)
