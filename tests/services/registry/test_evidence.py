"""Evidence: delayed labels by part and by time, censored ones as intervals, and how sure a difference is."""

import math
from pathlib import Path

import numpy as np
import pytest
from shopfloor.services.registry import Label, Prediction
from shopfloor.services.registry.anytime import bounds, most_likely_at_most
from shopfloor.services.registry.gate import losses
from small_registry import EVERYWHERE, HOUR, MACHINE, opened, scored, submitted, true


def said(version, window, value, part="", live=False):  # type: ignore[no-untyped-def]
    return Prediction(
        version.name, version.number, version.sha, MACHINE, window, live, value, value - 1, value + 1, 9.0, part
    )


def test_labels_join_by_part_or_by_time_whenever_they_come(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2)
        scores = registry.scores
        scores.label([Label("life", MACHINE, 5.0, 5.0, 900, start=150, end=250)])
        scores.write([said(one, w, 4.0, f"p{w}", live=True) for w in (100, 200, 300)])
        scores.write([said(two, w, 5.5, f"p{w}") for w in (100, 200, 300)])
        scores.label([Label("life", MACHINE, 6.0, 6.0, 800, part="p300")])
        rows = scores.labelled("life", 2, 1, EVERYWHERE)
        assert rows.window_end.tolist() == [300, 200], "in the order in which the truth came"
        assert rows.truth_low.tolist() == [6.0, 5.0]
        assert rows.against.tolist() == [4.0, 4.0]
        assert len(scores.labelled("life", 2, 1, "delta/frames/line-2")) == 0
        assert len(scores.labelled("life", 2, 1, EVERYWHERE, since=250)) == 1


def test_a_censored_truth_is_an_interval_and_the_truth_replaces_it(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        _, two = submitted(registry, tmp_path, 2)
        registry.scores.write([said(two, 1, 40.0, "p"), said(two, 2, 10.0, "q")])
        registry.scores.label([Label("life", MACHINE, 30.0, math.inf, 5, part=part) for part in "pq"])
        evidence = registry.compared(two, None, EVERYWHERE)
        assert (evidence.windows, evidence.exact, evidence.censored, evidence.loss) == (2, 0, 2, 10.0)
        assert evidence.coverage is None, "only what is certain counts as covered or not"
        registry.scores.label([Label("life", MACHINE, 41.0, 41.0, 9, part="p")])
        evidence = registry.compared(two, None, EVERYWHERE)
        assert (evidence.exact, evidence.censored, evidence.coverage) == (1, 1, 1.0)


def test_a_prediction_is_kept_once_under_one_id(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2)
        registry.scores.write([said(one, 7, 1.0), said(one, 7, 2.0), said(two, 7, 3.0)])
        assert said(one, 7, 1.0).id == said(one, 7, 2.0).id != said(two, 7, 1.0).id
        assert registry.scores.health("life", 1, EVERYWHERE)[0] == 1


def test_failed_scores_are_counted_not_judged(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, _ = submitted(registry, tmp_path, 2)
        registry.scores.write([said(one, w, math.nan if w % 4 == 0 else 1.0, f"p{w}") for w in range(100)])
        registry.scores.label([Label("life", MACHINE, 1.0, 1.0, 1, part=f"p{w}") for w in range(100)])
        evidence = registry.compared(one, None, EVERYWHERE)
        assert (evidence.errors, evidence.windows) == (0.25, 75)


def test_windows_of_one_hour_tell_one_story(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2)
        for version, value in ((one, 3.0), (two, 1.0)):
            registry.scores.write([said(version, w * HOUR // 60, value, f"p{w}") for w in range(120)])
        registry.scores.label([Label("life", MACHINE, 1.0, 1.0, w, part=f"p{w}") for w in range(120)])
        evidence = registry.compared(two, 1, EVERYWHERE)
        assert (evidence.windows, evidence.stories, evidence.difference) == (120, 2, -2.0)


LOOKS = range(20, 401, 20)
EQUAL = {
    "normal": lambda rng: rng.normal(size=400),
    "heavy tails": lambda rng: rng.standard_cauchy(400),
    "absolute errors": lambda rng: np.abs(rng.normal(size=400)) - np.abs(rng.normal(size=400)),
    "rare and large": lambda rng: rng.normal(0.0, 0.01, 400) + (rng.random(400) < 0.05) * rng.normal(0.0, 1.0, 400),
}


def promoted_at(differences: np.ndarray) -> int:
    """After how many stories a look first says that the new version is better; 0 when none does."""
    uppers = ((n, bounds(differences[:n], 0.95)[1]) for n in LOOKS)
    return next((n for n, upper in uppers if upper is not None and upper < 0.0), 0)


@pytest.mark.parametrize("differences", EQUAL.values(), ids=EQUAL)
def test_twenty_looks_promote_an_equal_version_no_more_often_than_one_may(differences) -> None:  # type: ignore[no-untyped-def]
    """5 % may be promoted, however often somebody looks; a bound for one look would promote a quarter of them."""
    rng = np.random.default_rng(0)
    assert sum(promoted_at(differences(rng)) > 0 for _ in range(60)) <= 0.05 * 60


def test_a_better_version_is_found_with_about_twice_the_stories_of_a_single_look() -> None:
    rng = np.random.default_rng(1)
    needed = [promoted_at(rng.normal(-0.3, 1.0, 400)) or 400 for _ in range(40)]
    one_look = (1.645 + 0.842) ** 2 / 0.3**2
    assert np.quantile(needed, 0.8) < 3.0 * one_look, "a single look at 69 stories would find 80 % of them"


def test_a_bound_of_a_share_holds_at_every_look() -> None:
    rng = np.random.default_rng(2)
    days = rng.random((200, 400)) < 0.1
    missed = [any(most_likely_at_most(int(one[:n].sum()), n, 0.95) < 0.1 for n in LOOKS) for one in days]
    assert np.mean(missed) <= 0.05


def test_losses_of_probabilities_are_squares() -> None:
    truth = np.array([1.0, 0.0])
    assert losses("probability", np.array([0.8, 0.5]), truth, truth).tolist() == pytest.approx([0.04, 0.25])


def test_the_loss_of_the_better_version_is_found_on_its_scope_only(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2)
        scored(registry, one, 2.0, n=400, live=True)
        scored(registry, two, 1.0, n=400, seed=2)
        true(registry, 400)
        line = registry.evidence("life", 2, "delta/frames/line-1")
        assert line.windows == 100
        assert line.against == 1
