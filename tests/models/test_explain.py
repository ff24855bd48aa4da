"""Contributions add up, are Shapley's where those are known, and do not depend on the company a row is judged in."""

import numpy as np
import pytest
from shopfloor.models.advise.explain import contributions, explain, reference_rows
from shopfloor.models.compile import Calibration, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.scorer import pull
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

RNG = np.random.default_rng(5)
X = RNG.normal(size=(1200, 6)).astype(np.float32)
X[RNG.random(X.shape) < 0.05] = np.nan
KNOWN = np.nan_to_num(X)
Y = KNOWN[:, 0] + 2.0 * KNOWN[:, 1] * KNOWN[:, 2] - KNOWN[:, 3]
NAMES = ("a", "b", "c", "d", "e", "f")


def sealed(estimator, x=X, y=Y):
    estimator.fit(x[:800], y[:800])
    return compiled(estimator, Features(NAMES), Calibration(x[800:], y[800:]), Card("m", "M")).bundle


@pytest.fixture(scope="module")
def boosted():
    return sealed(HistGradientBoostingRegressor(max_iter=60, random_state=0))


@pytest.fixture(scope="module")
def likely():
    return sealed(HistGradientBoostingClassifier(max_iter=40, random_state=0), y=Y > 1.0)


@pytest.mark.parametrize("name", ["boosted", "likely"])
def test_the_features_add_up_to_what_the_model_says(name, request):
    bundle = request.getfixturevalue(name)
    for row in X[:20]:
        said = explain(bundle, row)
        assert said.value == pull(bundle, row[None])[0]
        assert abs(said.gap) < 1e-9
        assert abs(said.features.sum()) > 1e-6


def test_a_linear_model_gives_the_exact_shares():
    bundle = sealed(Ridge(alpha=1e-6), KNOWN.astype(np.float32), KNOWN @ np.array([1.0, -2.0, 0.5, 0.0, 3.0, 0.0]))
    row, backgrounds = KNOWN[3].astype(np.float32), reference_rows(bundle)
    exact = (row - backgrounds.astype(np.float64).mean(axis=0)) * np.array([1.0, -2.0, 0.5, 0.0, 3.0, 0.0])
    assert np.allclose(explain(bundle, row).features, exact, atol=1e-4)


def test_a_product_is_shared_alike_by_both(boosted):
    """Occlusion would give the whole product to each of the two, and add up to twice of it."""
    row, nothing = np.array([0, 1.5, 1.5, 0, 0, 0], np.float32), np.zeros((1, 6), np.float32)
    said = explain(boosted, row, nothing)
    assert said.features[1] == pytest.approx(said.features[2], rel=0.3)
    assert said.features[1] + said.features[2] == pytest.approx(4.5, rel=0.25)
    assert np.abs(said.features[[0, 3, 4, 5]]).max() < 0.5


def test_groups_add_up_and_a_row_is_explained_alike_in_company(boosted):
    groups = [[0, 3], [1], [2, 4]]
    against = np.repeat(reference_rows(boosted, 2)[None], 3000, axis=0)
    rows = np.resize(X, (3000, 6))
    together = contributions(boosted, rows, against, groups)
    alone = contributions(boosted, rows[2999:], against[:1], groups)
    assert (together[2999] == alone[0]).all()
    kept = against.copy()
    kept[:, :, 5] = rows[:, None, 5]
    base = pull(boosted, kept.reshape(-1, 6)).reshape(3000, 2).mean(axis=1)
    assert np.allclose(together.sum(axis=1), pull(boosted, rows) - base, atol=1e-9)
    assert contributions(boosted, rows[:0], against[:0], groups).shape == (0, 3)
