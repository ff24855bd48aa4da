"""Who wins among models: by all folds, within the budget, alone or as a mean that a bundle can hold."""

from functools import partial

import numpy as np
import pytest
from shopfloor.models.compile import Calibration, Features
from shopfloor.models.compile import Card as Words
from shopfloor.models.compile import compile as compiled
from shopfloor.models.learn import Roles, train
from shopfloor.models.learn.blend import blended, helping
from shopfloor.models.learn.blueprint import Blueprint
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.data import read
from shopfloor.models.learn.interactions import joined
from shopfloor.models.learn.race import Judge, Runner, affordable, promising
from shopfloor.models.learn.scores import accuracy
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from threadpoolctl import threadpool_limits

INDEPENDENT = Roles(target="kind", task="class", independent=True)
TRUTH = np.arange(600) % 3
ROWS = np.arange(600)
JUDGE = Judge(accuracy, True, TRUTH, ROWS)


def plates(rows=400, seed=0):
    """Three kinds that eight noisy inputs tell apart together: no pair of them says more than the two."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, rows)
    return {
        **{f"input {i}": np.eye(3)[kind][:, i % 3] + random.normal(0, 1.0, rows) for i in range(8)},
        "kind": kind.astype(float),
    }


def few_trees(name, seed, joins=True):
    return Candidate(name, partial(ExtraTreesClassifier, 4, min_samples_leaf=2, random_state=seed), joins=joins)


def answers(wrong, seed):
    """Probabilities that are right but for noise of its own."""
    return np.eye(3)[TRUTH] + np.random.default_rng(seed).normal(0, wrong, (600, 3))


def runner(said, name, seconds=1.0, blueprint=None):
    return Runner(blueprint or Blueprint(), Candidate(name, ExtraTreesClassifier, joins=True), said, 0.0, [seconds])


def test_only_the_surely_worse_leave_the_race():
    good, nearly, bad = answers(0.5, 1), answers(0.51, 2), answers(1.5, 3)
    assert sorted(promising([bad, good, nearly], JUDGE)) == [1, 2]
    few = Judge(accuracy, True, TRUTH[:9], ROWS[:9])
    assert len(promising([bad[:9], good[:9], nearly[:9]], few)) == 3


def test_the_budget_leaves_at_least_two_and_cheap_ones_before_dear_ones():
    dear, cheap = Blueprint(pairs=True), Blueprint()
    ranked = [
        runner(None, "a", 5.0, dear), runner(None, "b", 5.0, dear), runner(None, "c", 5.0, dear),
        runner(None, "d", 1.0, cheap),
    ]  # fmt: skip
    left = partial(affordable, ranked, 4, blueprint_s={dear: 3.0, cheap: 0.0}.__getitem__)
    assert left(left_s=0.0) == ranked[:2]
    assert left(left_s=4 * 14.0) == [ranked[0], ranked[1], ranked[3]]
    assert left(left_s=4 * 19.0) == ranked


def test_a_mean_wins_where_folds_say_so_and_only_of_kinds_that_join():
    best, other = runner(answers(0.6, 1), "boosting"), runner(answers(0.7, 2), "trees")
    assert blended(best, [best, other], ROWS, JUDGE).candidate.name == "mean of boosting and trees"
    assert helping(best, [best, other], ROWS, JUDGE) == [other]
    hopeless = runner(answers(0.6, 1) * 0.9 + 9 * np.eye(3)[(TRUTH + 1) % 3], "trees")
    same = runner(answers(0.7, 2), "boosting, slower")
    elsewhere = runner(answers(0.7, 2), "trees", blueprint=Blueprint(pairs=True))
    for unfit in (hopeless, same, elsewhere):
        assert blended(best, [best, unfit], ROWS, JUDGE) is best
        assert helping(best, [best, unfit], ROWS, JUDGE) == []


def test_a_mean_is_learned_and_sealed_as_it_answers():
    tried = [few_trees("one", 1), few_trees("two", 2)]
    learned = train(plates(), INDEPENDENT, budget_s=20, tried=lambda _: tried)
    assert learned.name in {"mean of one and two", "mean of two and one"}
    assert learned.trials[0].whole == max(trial.whole for trial in learned.trials)
    assert learned.trials[0].whole == pytest.approx(learned.score.value)
    assert {trial.blueprint.words for trial in learned.trials} == {"values as they are"}, "the same features twice"
    table = plates(150, seed=5)
    _, x = learned.features(table)
    unseen = Calibration(x, table["kind"])
    bundle = compiled(learned.model, Features(learned.spec.names), unseen, Words("plates", "Plates")).bundle
    assert bundle.manifest.models == {"value": ["mean of trees"]}
    assert bundle.manifest.format == 3
    np.testing.assert_allclose(bundle.outputs("value", x), learned.model.predict_proba(x), atol=1e-7)
    assert np.mean(learned.predict(table).value == table["kind"]) > 0.6


def test_without_any_budget_two_that_may_be_the_best_run_all_folds():
    tried = [few_trees(name, seed, joins=False) for name, seed in (("one", 1), ("two", 2), ("three", 3))]
    tried.append(Candidate("share", DummyClassifier))
    learned = train(plates(), INDEPENDENT, budget_s=1e-3, tried=lambda _: tried)
    assert [trial.whole is not None for trial in learned.trials] == [True, True]
    assert [words.split(" on ")[0] for words in learned.skipped] == ["three", "share"]


def test_the_search_for_pairs_ends_in_time():
    random = np.random.default_rng(0)
    a, b = random.uniform(1, 3, (2, 400))
    data = read({"a": a, "b": b, "kind": (a * b > 4).astype(float)}, INDEPENDENT)
    with threadpool_limits(limits=1):
        assert [pair[:3] for pair in joined(data)] == [("product", "a", "b")]
        assert joined(data, most_s=0.0) == ()
