"""Copies stay in one fold, probabilities keep their word, and no run is known by its begin."""

import numpy as np
import pytest
from shopfloor.models.learn import Roles, train
from shopfloor.models.learn.blueprint import blueprints
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.card import card
from shopfloor.models.learn.data import read
from shopfloor.models.learn.leaks import leaks
from shopfloor.models.learn.probability import Probability, Temperature, honest, reliability
from shopfloor.models.learn.split import choose
from shopfloor.models.spec import FeatureSpec
from sklearn.ensemble import ExtraTreesClassifier


def copied(rows=300, seed=0):
    """Independent rows of which every third is there twice."""
    random = np.random.default_rng(seed)
    table = {"a": random.normal(size=rows), "b": random.normal(size=rows)}
    table["bad"] = (table["a"] + random.normal(size=rows) > 0).astype(float)
    return {name: np.concatenate([values, values[::3]]) for name, values in table.items()}


@pytest.mark.parametrize("target", ["bad", "b"])
def test_rows_that_are_there_twice_are_never_on_both_sides(target):
    roles = Roles(target=target, independent=True)
    data = read(copied(), roles)
    split = choose(data, roles)
    for learned, scored in split.folds:
        assert not {*data.values[learned, 0]} & {*data.values[scored, 0]}
        assert len(scored) > 50
    assert split.blocks == 300
    assert [one.sentence.partition("; ")[2] for one in leaks(data) if one.kind == "duplicates"] == [
        "they stay in one fold."
    ]


def test_inputs_of_few_values_are_cases_of_their_own():
    table = {"a": np.arange(400.0) % 2, "b": np.arange(400.0) % 5, "bad": np.arange(400.0) % 7 < 3}
    roles = Roles(target="bad", independent=True)
    assert choose(read(table, roles), roles).blocks == 400


def test_an_asset_that_is_mostly_a_copy_shares_the_fold_of_the_other():
    random = np.random.default_rng(0)
    asset, value = np.repeat(np.arange(10.0), 40), random.normal(size=400)
    value[360:] = value[:40]
    value[395:] = 9.0
    table = {"asset": asset, "t": np.tile(np.arange(40.0), 10), "x": value, "y": random.normal(size=400)}
    roles = Roles(target="y", asset="asset", time="t")
    data = read(table, roles)
    split = choose(data, roles)
    assert split.blocks == 9
    for _, scored in split.folds:
        assert {0, 9} <= {*data.group[scored]} or not {0, 9} & {*data.group[scored]}
    assert "1 copies of other groups stay in one fold" in leaks(data)[-1].sentence


def runs(each=1, rows=60, seed=0):
    """Three faults, `each` runs of each."""
    random = np.random.default_rng(seed)
    run = np.repeat(np.arange(3.0 * each), rows)
    fault = run % 3
    return {
        "run": run, "t": np.tile(np.arange(float(rows)), 3 * each), "fault": fault,
        "x": fault + random.normal(0, 0.8, len(run)), "y": random.normal(size=len(run)),
    }  # fmt: skip


@pytest.mark.parametrize(("each", "told"), [(1, False), (2, True)])
def test_what_is_measured_from_the_begin_is_left_out_where_a_class_lives_in_one_run(each, told):
    roles = Roles(target="fault", task="class", run="run", time="t", age=True)
    data = read(runs(each), roles)
    spec = blueprints(data, roles)[0].fit(data, np.arange(len(data)))
    assert ("x drift" in spec.names, "x mean" in spec.names, "age" in spec.names) == (told, told, told)
    assert "x slow" in spec.names
    assert len(spec.names) == len(spec.sources)
    assert FeatureSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("rows", [1500, 12_000])
def test_probabilities_become_true_and_keep_the_order(rows):
    random = np.random.default_rng(0)
    said = np.sort(random.uniform(0.01, 0.99, rows))
    truth = (random.uniform(size=rows) < said**2).astype(float)
    curve = Probability.of(said, truth)
    assert np.all(np.diff(curve(said)) > 0)
    assert np.abs(curve(said) - said**2).max() < 0.08
    assert np.all((curve(np.array([0.0, 1.0])) >= 0) & (curve(np.array([0.0, 1.0])) <= 1))


def test_a_model_that_is_worse_than_chance_gets_no_falling_curve():
    random = np.random.default_rng(1)
    said = random.uniform(size=400)
    curve = Probability.of(said, (random.uniform(size=400) < 1.0 - said).astype(float))
    assert np.all(np.diff(curve(np.linspace(0, 1, 50))) >= -1e-12)


def boastful(rows=3000, seed=0):
    """Probabilities of three classes that are far too sure of themselves, and what came."""
    random = np.random.default_rng(seed)
    score = random.normal(size=(rows, 3))
    true = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    truth = (random.uniform(size=(rows, 1)) > np.cumsum(true, axis=1)).sum(axis=1).astype(float)
    return np.exp(3 * score) / np.exp(3 * score).sum(axis=1, keepdims=True), truth


def test_a_temperature_makes_classes_honest_without_changing_the_best():
    said, truth = boastful()
    assert Temperature.of(said, truth).value == pytest.approx(3.0, rel=0.25)
    told = honest(said, truth, np.array_split(np.arange(len(truth)), 5))
    np.testing.assert_allclose(told.sum(axis=1), 1.0)
    np.testing.assert_array_equal(told.argmax(axis=1), said.argmax(axis=1))
    before, after = reliability(said, truth)[2], reliability(told, truth)[2]
    assert before > 0.15
    assert after < 0.05


def test_classes_are_told_calibrated_and_the_card_shows_how_well():
    quick = [Candidate("trees", lambda: ExtraTreesClassifier(15, max_depth=2, random_state=0))]
    table = runs(8, 20)
    learned = train(table, Roles(target="fault", task="class", run="run", time="t"), tried=lambda _: quick)
    said = learned.predict(table).probability
    np.testing.assert_allclose(said.sum(axis=1), 1.0)
    raw, told = (reliability(one, learned.evidence.truth)[2] for one in (learned.evidence.said, learned.evidence.told))
    assert told < raw
    page = card(learned, "Faults")
    assert f"as the model says it (error {raw:.3f})" in page
    assert f"calibrated (error {told:.3f})" in page
