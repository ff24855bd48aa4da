"""Compiled: the same answers as the estimator, from data that cannot run, at a cost that is known."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hostile_bundles import resealed
from shopfloor.models.bundle import Budget, RefusedBundle, load, load_files
from shopfloor.models.compile import Calibration, CannotCompile, Card, Features
from shopfloor.models.compile import compile as compiled
from shopfloor.models.scorer import likely, score
from shopfloor.models.sealing.program import Step
from sklearn import covariance, ensemble, impute, linear_model, neural_network, preprocessing, svm
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

FEATURES = Features(("a", "b", "c", "d"), {"window": 60})
CARD = Card("example", "An example", unit="um", split="first half, second half", trained_at=1)
RNG = np.random.default_rng(3)
X = RNG.normal(size=(600, 4)).astype(np.float32)
X[:, 3] = RNG.integers(0, 6, 600)
Y = X[:, 0] + X[:, 1] * X[:, 2] + (X[:, 3] % 2) + RNG.normal(0, 0.1, 600)
GAPS = np.where(RNG.random(X.shape) < 0.1, np.float32(np.nan), X)
GAPS[:, 3] = X[:, 3]
THREE, TWO, NORMAL = np.digitize(Y, [0.0, 1.0]), Y > 0.5, None
HGB = {"max_iter": 20, "random_state": 0}
HALVES = [("boosted", ensemble.HistGradientBoostingClassifier(**HGB)), ("trees", ensemble.ExtraTreesClassifier(10))]
MEAN = ensemble.VotingClassifier(HALVES, voting="soft")
splines = preprocessing.SplineTransformer
scaled = lambda *steps: make_pipeline(preprocessing.StandardScaler(), *steps)  # noqa: E731
viewed = lambda columns, last: make_pipeline(ColumnTransformer([("view", "passthrough", columns)]), last)  # noqa: E731
mlp = {"hidden_layer_sizes": (8, 5), "max_iter": 3000, "random_state": 0}

CENSUS = {
    "boosted numbers": (ensemble.HistGradientBoostingRegressor(categorical_features=[3], **HGB), GAPS, Y),
    "boosted three classes": (ensemble.HistGradientBoostingClassifier(**HGB), GAPS, THREE),
    "boosted two classes": (ensemble.HistGradientBoostingClassifier(**HGB), GAPS, TWO),
    "boosted after scaling": (scaled(ensemble.HistGradientBoostingRegressor(**HGB)), X, Y),
    "mean of boosted numbers": (
        ensemble.VotingRegressor([
            ("all", ensemble.HistGradientBoostingRegressor(categorical_features=[3], **HGB)),
            ("gone", "drop"),
            ("some", viewed([2, 1], ensemble.HistGradientBoostingRegressor(**HGB))),
        ], weights=[1, 5, 2]),
        GAPS, Y,
    ),
    "forest numbers": (ensemble.RandomForestRegressor(10), GAPS, Y),
    "forest three classes": (ensemble.RandomForestClassifier(10), X, THREE),
    "forest two classes": (ensemble.RandomForestClassifier(10), X, TWO),
    "forest after scaling": (scaled(ensemble.RandomForestRegressor(10)), X, Y),
    "extra trees": (ensemble.ExtraTreesRegressor(10), X, Y),
    "extra trees three classes": (ensemble.ExtraTreesClassifier(10), X, THREE),
    "gradient numbers": (ensemble.GradientBoostingRegressor(n_estimators=10), X, Y),
    "gradient three classes": (ensemble.GradientBoostingClassifier(n_estimators=10), X, THREE),
    "gradient two classes": (ensemble.GradientBoostingClassifier(n_estimators=10), X, TWO),
    "mean of three classes": (MEAN, X, THREE),
    "mean of two classes": (clone(MEAN), GAPS, TWO),
    "isolation": (ensemble.IsolationForest(), X, NORMAL),
    "splines": (scaled(splines(4, degree=2, knots="quantile", extrapolation="linear"), linear_model.Ridge()), X, Y),
    "cubic splines": (make_pipeline(splines(include_bias=False), linear_model.Ridge()), X, Y),
    "products": (scaled(preprocessing.PolynomialFeatures(3), linear_model.Ridge()), X, Y),
    "covariance": (covariance.LedoitWolf(), X, NORMAL),
    "covariance after scaling": (scaled(covariance.LedoitWolf()), X, NORMAL),
    "ridge": (scaled(linear_model.Ridge()), X, Y),
    "lasso": (make_pipeline(preprocessing.RobustScaler(), linear_model.Lasso(0.01)), X, Y),
    "logistic two": (scaled(linear_model.LogisticRegression()), X, TWO),
    "logistic three": (scaled(linear_model.LogisticRegression()), X, THREE),
    "linear svm": (make_pipeline(preprocessing.MinMaxScaler(clip=True), svm.LinearSVC()), X, THREE),
    "linear svr": (scaled(svm.LinearSVR()), X, Y),
    "filled and turned": (
        make_pipeline(impute.SimpleImputer(), preprocessing.MaxAbsScaler(), PCA(3, whiten=True), linear_model.Ridge()),
        GAPS, Y,
    ),
    "mlp numbers": (scaled(neural_network.MLPRegressor(**mlp)), X, Y),
    "mlp two": (scaled(neural_network.MLPClassifier(activation="logistic", **mlp)), X, TWO),
    "mlp three": (scaled(neural_network.MLPClassifier(activation="tanh", **mlp)), X, THREE),
    "searched": (GridSearchCV(scaled(linear_model.Ridge()), {"ridge__alpha": [1.0, 9.0]}), X, Y),
}  # fmt: skip


def fitted(estimator, x=X, y=Y):
    return estimator.fit(x[:300].astype(np.float64), None if y is None else y[:300])


def made(estimator, x=X, y=Y, card=CARD):
    return compiled(estimator, FEATURES, Calibration(x[300:], None if y is None else y[300:]), card)


def asked(estimator, x):
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if isinstance(last, covariance.LedoitWolf):
        return last.mahalanobis(estimator[:-1].transform(x) if last is not estimator else x)
    if isinstance(last, ensemble.IsolationForest):
        return -estimator.score_samples(x)
    for method in ("predict_proba", "decision_function", "predict"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(x)
    raise AssertionError


@pytest.mark.parametrize("name", CENSUS)
def test_a_bundle_answers_as_its_estimator_does(name, tmp_path):
    estimator, x, y = CENSUS[name]
    sealed = made(fitted(estimator, x, y), x, y)
    for place in ("folder", "one.shopfloor"):
        bundle = load(sealed.save(tmp_path / place), FEATURES.names)
        truth = np.asarray(asked(estimator, x.astype(np.float64)), float).reshape(len(x), -1)
        said = bundle.outputs("value", x)
        off = np.abs(said - truth[:, -said.shape[1] :]) / truth.std()
        assert off.max() < 1e-6
        assert np.array_equal(bundle.outputs("value", x[5:6]), said[5:6]), "a row is judged otherwise in company"


@pytest.mark.parametrize("outputs", [1, 20])
def test_a_layer_rounds_a_row_alike_alone_in_company_and_in_any_layout(outputs):
    rng = np.random.default_rng(0)
    dense = Step("dense", {"weight": rng.normal(size=(140, outputs)), "bias": np.zeros(outputs)})
    rows = rng.normal(size=(300, 140))
    said = dense(rows)
    assert all(np.array_equal(dense(rows[i : i + 1])[0], said[i]) for i in range(300))
    assert np.array_equal(dense(np.asfortranarray(rows)), said)
    length = Step("length", {})
    assert all(length(rows[i : i + 1])[0] == length(np.asfortranarray(rows))[i] for i in range(300))


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (svm.SVC(), "SVC cannot be compiled into a bundle: use one of .*HistGradientBoostingRegressor"),
        (make_pipeline(preprocessing.KBinsDiscretizer(), linear_model.Ridge()), "KBinsDiscretizer .* features"),
        (make_pipeline(splines(extrapolation="periodic"), linear_model.Ridge()), "extrapolate linearly"),
        (
            ensemble.VotingRegressor([("flat", linear_model.Ridge())]),
            r"VotingRegressor cannot be compiled \(it holds Ridge: expected HistGradientBoostingRegressor",
        ),
        (
            ensemble.VotingRegressor([("mask", viewed([True] * 4, ensemble.HistGradientBoostingRegressor(**HGB)))]),
            "ColumnTransformer does more than pass one list of column numbers",
        ),
        (make_pipeline(impute.SimpleImputer(missing_values=0), linear_model.Ridge()), "let it fill NaN"),
        (scaled(clone(MEAN)), "vote softly over two models of trees"),
        (ensemble.VotingClassifier(HALVES), "vote softly over two models of trees"),
        (clone(MEAN).set_params(trees=linear_model.LogisticRegression()), "vote softly over two models of trees"),
    ],
)  # fmt: skip
def test_what_has_no_plain_form_is_refused_in_one_sentence(estimator, reason):
    with pytest.raises(CannotCompile, match=reason):
        made(fitted(estimator, y=TWO))


def test_rows_must_be_what_a_feature_spec_emits():
    model = fitted(linear_model.Ridge())
    with pytest.raises(CannotCompile, match="float64: a feature spec emits float32"):
        compiled(model, FEATURES, Calibration(X.astype(float), Y), CARD)
    with pytest.raises(CannotCompile, match=r"\(600, 3\): expected are rows of 4 features"):
        compiled(model, FEATURES, Calibration(X[:, :3], Y), CARD)
    with pytest.raises(CannotCompile, match="no truth for each row"):
        compiled(model, FEATURES, Calibration(X), CARD)
    with pytest.raises(CannotCompile, match="says 2 numbers for a row"):
        made(linear_model.Ridge().fit(X, np.c_[Y, Y]))


def test_an_estimator_that_answers_otherwise_than_its_compiled_form_is_refused():
    class Odd(linear_model.Ridge):
        def predict(self, x):
            return super().predict(x) + 1e-3 * x[:, 0]

    model = fitted(Odd())
    model.__class__ = type("Ridge", (Odd,), {})
    with pytest.raises(CannotCompile):
        made(model)


def test_the_same_training_gives_the_same_bytes_but_for_when():
    first = made(fitted(ensemble.HistGradientBoostingRegressor(**HGB)))
    second = made(fitted(ensemble.HistGradientBoostingRegressor(**HGB)))
    assert first.files == second.files
    later = made(fitted(ensemble.HistGradientBoostingRegressor(**HGB)), card=replace(CARD, trained_at=2, cpu_s=3.0))
    assert (later.sha, later.files != first.files) == (first.sha, True)
    other = made(fitted(ensemble.HistGradientBoostingRegressor(**{**HGB, "max_iter": 21})))
    assert other.sha != first.sha


def test_intervals_and_sets_cover_what_they_promise():
    forest = made(fitted(ensemble.ExtraTreesRegressor(30, random_state=0)))
    said = score(forest.bundle, X[300:])
    assert 0.88 <= np.mean((said.low <= Y[300:]) & (Y[300:] <= said.high)) <= 0.94
    classes = made(fitted(ensemble.RandomForestClassifier(30, random_state=0), y=THREE), y=THREE)
    found = likely(classes.bundle, X[300:])
    assert np.mean(found.likely[np.arange(300), THREE[300:]]) >= 0.9
    assert classes.bundle.manifest.classes == ["0", "1", "2"]
    normal = made(fitted(ensemble.IsolationForest(random_state=0), y=None), y=None)
    assert np.mean(score(normal.bundle, X[300:]).value > 1.0) == pytest.approx(0.01, abs=0.005)


def test_the_manifest_tells_where_the_model_comes_from():
    told = made(fitted(linear_model.Ridge())).bundle.manifest
    assert {"numpy", "scikit-learn", "treelite", "python"} <= told.lineage.versions.keys()
    assert all(len(sha) == 64 for sha in (told.lineage.rows_sha, told.lineage.code_sha, told.lineage.lock_sha))
    assert told.spec == {"window": 60}


def test_golden_windows_must_give_the_golden_features():
    windows = RNG.normal(size=(20, 10, 4))
    mean = lambda w: w.mean(axis=1).astype(np.float32)  # noqa: E731
    rows = np.concatenate([mean(windows), X[300:]])
    truth = np.concatenate([np.zeros(20), Y[300:]])
    model = fitted(linear_model.Ridge())
    files = compiled(model, FEATURES, Calibration(rows, truth, windows), CARD).files
    assert load_files(files, "it", describe=mean).arrays["golden.window"].shape == (20, 10, 4)
    with pytest.raises(RefusedBundle, match="golden windows give other features"):
        load_files(files, "it", describe=lambda w: w[:, -1].astype(np.float32))


def test_a_bundle_that_is_too_slow_or_too_large_for_its_budget_is_refused():
    files = dict(made(fitted(ensemble.ExtraTreesRegressor(60))).files)
    with pytest.raises(RefusedBundle, match=r"one row takes \d+ us, its budget is 0.5 us"):
        load_files(resealed(files, budget={"row_us": 0.5, "memory_mb": 64.0}), "it")
    with pytest.raises(RefusedBundle, match=r"holds \d+.\d MB, its budget is 0.01 MB"):
        load_files(resealed(files, budget={"row_us": 9000.0, "memory_mb": 0.01}), "it")
    with pytest.raises(RefusedBundle, match="impossible value in budget"):
        made(fitted(linear_model.Ridge()), card=replace(CARD, budget=Budget(row_us=1e9)))


def test_a_fresh_process_verifies_and_scores_without_scikit_learn(tmp_path):
    where = made(fitted(ensemble.HistGradientBoostingRegressor(**HGB))).save(tmp_path / "one.shopfloor")
    code = (
        "import sys; from pathlib import Path; from shopfloor.models.bundle import load\n"
        "from shopfloor.models.scorer import score\n"
        f"bundle = load(Path({str(where)!r})); score(bundle, bundle.arrays['golden'])\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('sklearn', 'joblib', 'pickle5', 'pandas')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
