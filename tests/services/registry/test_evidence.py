"""Evidence: delayed labels by part and by time, censored ones as intervals, and how sure a difference is."""

import math
from pathlib import Path

import numpy as np
import pytest
from shopfloor.services.registry import Label, Prediction
from shopfloor.services.registry.gate import bounds, losses, student
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


def test_the_bound_errs_as_rarely_as_it_says() -> None:
    """Two versions that are equal: the upper bound lies below 0 in one of twenty comparisons."""
    rng = np.random.default_rng(0)
    wrong = sum((bounds(rng.normal(size=25), 0.95)[1] or 0.0) < 0.0 for _ in range(4000))
    assert 0.035 < wrong / 4000 < 0.065


@pytest.mark.parametrize(("freedom", "expected"), [(3, 2.3534), (5, 2.0150), (30, 1.6973), (1000, 1.6464)])
def test_students_quantile_is_that_of_the_tables(freedom: int, expected: float) -> None:
    assert student(0.95, freedom) == pytest.approx(expected, rel=0.01)


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
