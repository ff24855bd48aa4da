"""The training service on small synthetic tables whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from shopfloor.models.bundle import tree_predict
from shopfloor.models.learn import LearnError, Roles
from shopfloor.models.learn import train as learn
from shopfloor.models.learn.blueprint import Blueprint, blueprints, features_of
from shopfloor.models.learn.calibrate import Intervals
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.card import card
from shopfloor.models.learn.data import read
from shopfloor.models.learn.indices import views
from shopfloor.models.learn.scores import Score
from shopfloor.models.learn.search import Search
from shopfloor.models.learn.split import choose
from shopfloor.models.learn.train import leaky
from shopfloor.models.unfold import unfold
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def quick(data):
    """Plain and small models: what is tested is what surrounds them."""
    classes = data.task == "class"
    boosted = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    plain = LogisticRegression if classes else Ridge
    options = {"max_iter": 20, "learning_rate": 0.3, "max_leaf_nodes": 7, "early_stopping": False, "random_state": 0}
    return [
        Candidate("plain", lambda: make_pipeline(SimpleImputer(), StandardScaler(), plain())),
        Candidate("boosted", lambda: boosted(**options)),
    ]


def train(table, roles):
    return learn(table, roles, budget_s=30, tried=quick)


def wearing(assets=30, seed=0, informative=True):
    """Assets that run until they fail: two sensors drift with the share of their life; each asset has its offsets."""
    random = np.random.default_rng(seed)
    parts = []
    for asset in range(assets):
        life = random.integers(40, 80)
        share = np.arange(life) / life
        drift = share**2 if informative else np.zeros(life)
        offset = random.normal(0, 3, 2)
        a, b = (offset[i] + (1.0, -1.5)[i] * drift + random.normal(0, 0.1, life) for i in range(2))
        parts.append(np.stack([np.full(life, asset), np.arange(life), a, b]))
    asset, cycle, a, b = np.concatenate(parts, axis=1)
    return {"asset": asset, "cycle": cycle, "a": a, "b": b}


def independent(rows=900, seed=0):
    """Failures where the product of two inputs is large; a third input is noise."""
    random = np.random.default_rng(seed)
    speed, torque, noise = random.uniform(1, 3, (3, rows))
    return {"speed": speed, "torque": torque, "noise": noise, "failed": (speed * torque > 6.0).astype(float)}


LIFE = Roles(task="life", asset="asset", time="cycle", cap=40)


@pytest.fixture(scope="module")
def life():
    return train(wearing(), LIFE)


def test_remaining_life_beats_the_mean_and_random_rows_are_shown_as_a_leak(life):
    assert life.score.beats
    assert life.abstains is None
    assert "grouped by asset" in life.split
    assert life.score.random < life.score.value


def test_random_rows_that_claim_far_more_are_a_leak():
    said = {"name": "RMSE", "low": 0.0, "high": 9.0, "baseline": 9.0, "rule": "mean", "gain": 1.0, "higher": False}
    assert leaky(Score(value=9.0, random=3.0, **said))
    assert not leaky(Score(value=9.0, random=8.5, **said))
    assert leaky(Score(**{**said, "higher": True}, value=0.75, random=0.99))


def test_intervals_cover_assets_that_were_never_seen(life):
    table = wearing(40, seed=9)
    last = np.maximum.reduceat(table["cycle"], np.flatnonzero(table["cycle"] == 0))
    truth = np.minimum(last[table["asset"].astype(int)] - table["cycle"], 40)
    said = life.predict(table)
    inside = (said.low <= truth) & (truth <= said.high)
    assert 0.8 < inside.mean() < 0.99
    assert np.all(said.low <= said.value)
    assert np.all(said.value <= said.high)


def test_intervals_are_as_wide_as_each_stretch_of_answers_needs():
    """A skewed error that grows with the answer: wide and lopsided where it is large, and covered there too."""
    random = np.random.default_rng(0)
    block, said = np.repeat(np.arange(200), 20), random.uniform(0, 100, 4000)
    truth = said + random.exponential(0.1 + 0.2 * np.maximum(said - 50, 0))
    found = Intervals.of(said, truth, block, 0.9, -np.inf, np.inf)
    low, high = found.around(np.array([20.0, 95.0]))
    assert high[0] < 21
    assert high[1] > 110
    np.testing.assert_array_equal(low, [20, 95])
    low, high = found.around(said)
    for stretch in (said < 40, said > 80):
        inside = (low[stretch] <= truth[stretch]) & (truth[stretch] <= high[stretch])
        assert 0.92 < inside.mean() < 0.98


def test_intervals_are_no_wider_than_their_number_of_assets_asks():
    """Fifty assets in each stretch, many times over: 90 % of new rows are covered, hardly more."""
    random, inside = np.random.default_rng(0), []
    for _ in range(40):
        said, new = random.uniform(0, 100, (2, 600))
        found = Intervals.of(said, said + random.normal(size=600), np.arange(600), 0.9, -np.inf, np.inf)
        truth = new + random.normal(size=600)
        low, high = found.around(new)
        inside.append(((low <= truth) & (truth <= high)).mean())
    assert 0.895 < np.mean(inside) < 0.92


def test_a_mean_of_models_looks_at_health_indices_and_at_how_inputs_rise():
    table = wearing(12)
    table["c"] = table["a"] + np.random.default_rng(5).normal(size=len(table["a"]))
    data = read(table, LIFE)
    blueprint = next(one for one in blueprints(data, LIFE) if one.views)
    spec = blueprint.fit(data, np.arange(len(data)))
    seen = [{spec.names[i] for i in view} for view in views(spec)]
    assert not seen[0] & {"a rise", "b rise", "c rise"}
    assert "health index middle" in seen[0]
    beside = [{"a rise", "b rise", "c rise"}, {"a rise", "c rise"}, {"b rise"}]
    assert [view - seen[0] for view in seen[1:]] == beside
    plain, boosted = quick(data)
    x = features_of(spec, data)
    search = Search(data, choose(data, LIFE), 30.0, lambda _, __: None)
    trial, answers = search.best([blueprint], [plain, replace(boosted, mean=True)])
    assert trial.words == "boosted on memory + health indices beside inputs"
    assert len(search.trials) == 1
    model = answers.kept[0].model
    (trees,) = unfold(model).forests
    assert trees.num_tree == 4 * 20
    np.testing.assert_allclose(tree_predict(trees, x.astype(np.float64)), model.predict(x), rtol=0, atol=1e-9)


def test_health_indices_stand_for_many_noisy_inputs():
    """Ten noisy sensors that follow one wear: their sum follows the remaining life closer than any of them does."""
    table = wearing(40)
    random, rows = np.random.default_rng(3), len(table["cycle"])
    life = np.repeat(np.bincount(table["asset"].astype(int)), np.bincount(table["asset"].astype(int)))
    wear = (table["cycle"] / life) ** 2
    noisy = {f"noisy {i}": wear + random.normal(0, 0.5, rows) for i in range(10)}
    data = read({"asset": table["asset"], "cycle": table["cycle"], **noisy}, LIFE)
    spec = Blueprint(remember=True, alone=True).fit(data, np.arange(rows // 2))
    assert spec.unseen == data.inputs
    assert spec.remembered == ("health index", "health index below the cap", "variation 1", "variation 2")
    index = features_of(spec, data)[rows // 2 :, spec.names.index("health index middle")]
    plain = features_of(Blueprint(remember=True).fit(data, np.arange(rows)), data)[rows // 2 :, 10:20]
    target = data.target[rows // 2 :]
    alone = max(abs(np.corrcoef(one, target)[0, 1]) for one in plain.T)
    assert np.corrcoef(index, target)[0, 1] > alone + 0.02


def test_predictions_come_back_in_the_order_of_the_table(life):
    table = wearing(5, seed=4)
    order = np.random.default_rng(0).permutation(len(table["cycle"]))
    mixed = {name: values[order] for name, values in table.items()}
    np.testing.assert_array_equal(life.predict(mixed).value, life.predict(table).value[order])


def test_nothing_to_learn_abstains():
    table = {**wearing(informative=False), "target": np.random.default_rng(1).normal(size=len(wearing()["a"]))}
    noise = train(table, Roles(target="target", asset="asset", time="cycle"))
    assert noise.abstains is not None
    assert "trivial rule" in noise.abstains


def test_too_few_groups_abstain_whatever_the_score():
    learned = train(wearing(8), LIFE)
    assert learned.score.beats
    assert "8 groups" in learned.abstains
    assert learned.abstains in learned.verdict()


def test_an_interaction_is_found_and_named():
    learned = train(independent(), Roles(target="failed", independent=True))
    assert ("product", "speed", "torque") in [pair[:3] for pair in learned.spec.pairs]
    assert learned.alarm.false_alarms <= 0.011
    assert learned.alarm.f1 > 0.9
    said = learned.predict(independent(seed=5))
    assert np.mean(said.value == independent(seed=5)["failed"]) > 0.95
    np.testing.assert_allclose(said.probability.sum(axis=1), 1.0)


def test_leaks_are_named_and_dropped_on_request():
    table = independent()
    late = (table["failed"] == 1) & (np.arange(900) % 3 == 0)
    table |= {"flag": late.astype(float), "row": np.arange(900.0), "copy": table["failed"] * 2.0 + 1.0}
    roles = {"target": "failed", "independent": True}
    kept = train(table, Roles(**roles))
    assert {(one.kind, one.column) for one in kept.findings} == {("counter", "row"), ("flag", "flag"), ("flag", "copy")}
    assert "flag" in kept.spec.inputs
    dropped = train(table, Roles(**roles, drop_leaks=True))
    assert set(dropped.spec.inputs) == {"speed", "torque", "noise"}


def test_a_copy_of_the_target_from_another_row_is_found():
    random = np.random.default_rng(0)
    target = random.normal(size=600)
    table = {"later": np.roll(target, 2), "load": random.normal(size=600), "t": np.arange(600.0), "target": target}
    found = train(table, Roles(target="target", time="t"))
    assert [(one.kind, one.column) for one in found.findings] == [("copy", "later")]
    assert "blocks of time" in found.split


def steady(rows=900, seed=0):
    random = np.random.default_rng(seed)
    base = random.normal(size=(rows, 2))
    return {"t": np.arange(float(rows)), "a": base[:, 0], "b": base[:, 0] + 0.3 * base[:, 1], "c": base[:, 1]}


def test_novelty_keeps_its_rate_and_names_what_broke():
    learned = train(steady(), Roles(time="t", healthy=(0, 900)))
    assert learned.abstains is None
    assert learned.predict(steady(seed=7)).alarm.mean() < 0.03
    broken = steady(seed=8)
    broken["b"] = broken["b"] + np.where(np.arange(900) > 300, 1.5, 0.0)
    alarm = learned.predict(broken).alarm
    assert alarm[:300].mean() < 0.03
    assert alarm[350:].mean() > 0.9
    assert learned.reasons(broken, 600)[0][0] in ("a", "b")


def test_regimes_are_found_in_the_settings():
    random = np.random.default_rng(0)
    table = wearing(24)
    mode = random.integers(0, 3, len(table["a"])).astype(float)
    table |= {"mode": 10 * mode + random.normal(0, 0.01, len(mode)), "a": table["a"] + 100 * mode}
    learned = train(table, Roles(task="life", asset="asset", time="cycle", cap=40, settings=("mode",)))
    assert len(learned.spec.regimes) == 3
    np.testing.assert_allclose([centre[0] for centre in learned.spec.regimes], [0, 10, 20], atol=0.1)


def test_the_same_table_gives_the_same_model():
    first, second = (train(wearing(22), LIFE) for _ in range(2))
    assert first.spec.sha == second.spec.sha
    np.testing.assert_array_equal(first.predict(wearing(4)).value, second.predict(wearing(4)).value)


def test_the_card_is_one_file_that_tells_the_verdict(life):
    page = card(life, "Wear of <pumps>")
    assert life.verdict() in page
    assert "Wear of &lt;pumps&gt;" in page
    assert page.count("<svg") == 3
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        ({"target": "faild", "independent": True}, "Did you mean 'failed'"),
        ({"target": "failed"}, "name an asset, a run or a time"),
        ({}, "Nothing says what to learn"),
        ({"task": "life"}, "Remaining life needs an asset"),
        ({"task": "guess"}, "Task 'guess' is not known"),
        ({"healthy": (0, 50), "task": "novelty"}, "expected at least 200"),
        ({"target": "failed", "ignore": ("speed", "torque", "noise")}, "No column is left"),
    ],
)
def test_bad_roles_are_answered_in_one_sentence(roles, sentence):
    with pytest.raises(LearnError, match=sentence):
        train(independent(300), Roles(**roles))
