"""The checks that every model passes before it is shown to anyone."""

# ruff: noqa: S101 (a check asserts)
from __future__ import annotations

import numpy as np
from shopfloor.models.bundle import Bundle
from shopfloor.models.reasons import columns, explain, groups
from shopfloor.models.scorer import score


def check_model(bundle: Bundle) -> None:
    """Raise `AssertionError` unless the model keeps what every model promises.

    The interval encloses the value; rows are judged independently; missing values do not raise; probabilities stay
    within 0 and 1; every feature has a reason to be named by; scores have a baseline beside them and a split in words.
    """
    rows = bundle.arrays.get("golden", bundle.arrays["typical"]).astype(np.float32)
    said = score(bundle, rows)
    assert np.all(said.low <= said.value + 1e-9), "the interval lies above the value"
    assert np.all(said.value <= said.high + 1e-9), "the interval lies below the value"
    alone = score(bundle, rows[:1])
    assert alone.value[0] == said.value[0], "a row is judged otherwise in company"
    _check_missing(bundle, rows)
    if bundle.manifest.kind in ("probability", "exceedance"):
        assert np.all((said.low >= 0) & (said.high <= 1)), "a probability lies outside 0 and 1"
    _check_reasons(bundle, rows)
    assert any(m["baseline"] is not None for m in bundle.manifest.metrics), "no score has a baseline beside it"
    assert bundle.manifest.split, "the split is not told"


def _check_missing(bundle: Bundle, rows: np.ndarray) -> None:
    nothing = score(bundle, np.full_like(rows[:2], np.nan))
    assert not np.isnan(nothing.value).any(), "missing values give no number"


def _check_reasons(bundle: Bundle, rows: np.ndarray) -> None:
    features = bundle.manifest.features
    named = sorted(column for group in columns(features, groups(features)) for column in group)
    assert named == list(range(len(features))), "a feature belongs to no group of reasons"
    typical = np.repeat(bundle.arrays["typical"][:1], len(rows), axis=0).astype(np.float32)
    for reasons in explain(bundle, rows, typical):
        assert all(reason.sentence.endswith(".") and reason.tag for reason in reasons), "a reason without a sentence"
