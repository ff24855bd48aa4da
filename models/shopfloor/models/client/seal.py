"""From a fitted estimator to a sealed bundle that a server can judge live, in the process of whoever fitted it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.client.draw import QUIET
from shopfloor.models.client.labelled import Dataset
from shopfloor.models.client.reading import windows
from shopfloor.models.client.spans import Ints
from shopfloor.models.compile import Calibration, CannotCompile, Card, Features, Sealed
from shopfloor.models.compile import compile as compiled
from shopfloor.models.evaluate import Metric, brier, mae, metric
from shopfloor.models.learn import Learned
from shopfloor.models.spec.memory import Floats, Matrix
from shopfloor.models.streaming import StreamSpec
from shopfloor.models.streaming.rows import MOST_GOLDEN_STEPS
from shopfloor.models.unfold import parts
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

Rows = tuple[Matrix, NDArray[Any]]
_GOLDEN: Final = 128
_GOLDEN_VALUES: Final = 1 << 20
_NS: Final = 1_000_000_000


def seal(
    estimator: Any, spec: StreamSpec | None, data: Dataset | Rows, *, name: str, title: str = "", **card: Any
) -> Sealed:
    """Check, compile, calibrate, prove and seal a fitted estimator, or what `shopfloor.models.learn.train` learned.

    `spec` is that of `data` when it is left out. `data` is a `Dataset`, or (x [n, f] float32, truth [n]): rows that the
    estimator has not seen. `card` are fields of `Card`: unit, target, text, coverage… What cannot be sealed raises
    `CannotCompile` with one sentence.
    """
    model, spec = _model(estimator, spec, data)
    rows = _described(data, spec)
    _check_fit(model, spec)
    model, held = _material(model, rows, card.get("seed", 0))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            metrics = [one.to_json() for one in _scores(model, held.x, held.truth, str(card.get("unit", "")))]
            words = Card(name, title or name, **{"metrics": metrics, **held.told, **card})
            calibration = Calibration(held.x, held.truth, held.raw)
            return compiled(model, Features(spec.features.names, spec.to_json()), calibration, words)
    except (ValueError, TypeError) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        gaps = " (rows have gaps: put a SimpleImputer before it, in a pipeline)" if np.isnan(held.x).any() else ""
        raise CannotCompile(f"{type(model).__name__} cannot be sealed: {reason}{gaps}.") from problem


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """Rows [n, f] with their truth [n], raw windows of the first of them, and what they tell the card."""

    x: Matrix
    truth: NDArray[Any] | None
    raw: Floats | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


def _material(model: Any, data: Dataset | Rows, seed: int) -> tuple[Any, _Material]:
    """The model, its classes named as in the data, and what calibrates it."""
    if not len(data[0] if isinstance(data, tuple) else data):
        raise CannotCompile("There are no rows to calibrate with: ask for a longer time, or split at another one.")
    if isinstance(data, tuple):
        return model, _Material(*data)
    order, raw = _golden(data, data.spec)
    rows = data.take(order)
    model, truth = _with_words(model, rows)
    return model, _Material(rows.x, truth, raw, _told(data, seed))


def _model(estimator: Any, spec: StreamSpec | None, data: Dataset | Rows) -> tuple[Any, StreamSpec]:
    """The estimator alone, and the specification of its rows."""
    held = spec or (data.spec if isinstance(data, Dataset) else None)
    if not isinstance(data, Dataset | tuple):
        raise CannotCompile(f"data is a {type(data).__name__}, expected a Dataset or (x, truth): see `dataset(…)`.")
    if held is None:
        raise CannotCompile("Rows alone do not say how they were made: give the stream specification as spec=.")
    if not isinstance(held, StreamSpec):
        raise CannotCompile(f"spec is a {type(held).__name__}, expected a StreamSpec: StreamSpec.of(tags, every=…).")
    if not isinstance(estimator, Learned):
        return estimator, held
    if estimator.abstains:
        raise CannotCompile(f"The training abstains, so nothing is deployed: {estimator.abstains}")
    if estimator.task == "novelty":
        raise CannotCompile("A model of what is usual from `train` has no form as a bundle: fit LedoitWolf on data.x.")
    tags = dict(zip(held.features.inputs, held.tags, strict=True))
    if strange := [one for one in estimator.spec.inputs if one not in tags]:
        raise CannotCompile(f"It was learned from {', '.join(strange)[:200]}, which are no tags of the specification.")
    learned = replace(held, features=estimator.spec, tags=tuple(tags[one] for one in estimator.spec.inputs))
    if estimator.task != "class":
        return estimator.model, learned
    ranks = parts(estimator.model)[-1].classes_
    return _named(estimator.model, [estimator.classes[int(rank)] for rank in ranks]), learned


def _named(model: Any, names: Sequence[str]) -> Any:
    """A copy of a model that gives its classes these names."""
    model = deepcopy(model)
    parts(model)[-1].classes_ = np.array(names)
    return model


def _described(data: Dataset | Rows, spec: StreamSpec) -> Dataset | Rows:
    if isinstance(data, Dataset):
        return data if data.spec == spec else data.under(spec)
    x, truth = data
    return np.asarray(x), np.asarray(truth)


def _told(data: Dataset, seed: int) -> dict[str, Any]:
    """What a data set tells the card: where the rows come from, and what the scores rest on."""
    begin, end = int(data.time.min()), int(data.time.max())
    split = _split(len(data), len(set(data.asset)), begin, end)
    return {"lineage": data.lineage([seed]), "data_start": begin, "data_end": end, "split": split}


def _split(moments: int, assets: int, begin: int, end: int) -> str:
    first, last = (str(np.datetime64(at, "ns").astype("datetime64[m]")) for at in (begin, end))
    return f"{moments} moments of {assets} assets from {first} to {last} UTC, given as not seen before."


def _check_fit(model: Any, spec: StreamSpec) -> None:
    kind, names = type(model).__name__, spec.features.names
    try:
        check_is_fitted(model)
    except NotFittedError as problem:
        raise CannotCompile(f"{kind} is not fitted: call .fit(data.x, data.y) first.") from problem
    except TypeError as problem:
        raise CannotCompile(
            f"{kind} is no estimator of scikit-learn: fit one of those that docs/bundles.md lists."
        ) from problem
    count = getattr(model, "n_features_in_", len(names))
    if count != len(names):
        raise CannotCompile(
            f"{kind} was fitted on {count} features, the specification has {len(names)}: fit on data.x."
        )
    seen = [str(one) for one in getattr(model, "feature_names_in_", names)]
    if differ := [(a, b) for a, b in zip(seen, names, strict=True) if a != b]:
        raise CannotCompile(f"{kind} was fitted on {differ[0][0]!r} where the specification has {differ[0][1]!r}.")


def _with_words(model: Any, data: Dataset) -> tuple[Any, NDArray[Any] | None]:
    """The model and the truth of each row: 0 and 1 become "quiet" and the event; what is unusual needs no truth."""
    last = parts(model)[-1]
    if hasattr(last, "score_samples") or hasattr(last, "mahalanobis"):
        return model, None
    truth, classes = data.y, [str(one) for one in vars(last).get("classes_", [])]
    if truth is data.label or classes not in (["0", "1"], ["0.0", "1.0"]):
        return model, truth
    event = next((str(one) for one in data.label if one != QUIET), "event")
    return _named(model, [QUIET, event]), data.label


def _golden(data: Dataset, spec: StreamSpec) -> tuple[Ints, Floats | None]:
    """Rows whose raw windows are sealed beside them come first: all with as many moments since their memory began."""
    begun = np.array([spec.begin_of(int(at)) for at in data.time], np.int64)
    steps = (data.time - begun) // (spec.every * _NS) + 1
    short = steps[steps <= MOST_GOLDEN_STEPS]
    if not len(short):
        return np.arange(len(data)), None
    length, count = np.unique(short, return_counts=True)
    chosen = int(length[np.argmax(count)])
    rows = np.flatnonzero(steps == chosen)
    rows = rows[: max(min(_GOLDEN, _GOLDEN_VALUES // (chosen * len(spec.tags))), 1)]
    raw = windows(spec, data.held, data.asset[rows].tolist(), data.time[rows], chosen)
    return np.concatenate([rows, np.setdiff1d(np.arange(len(data)), rows)]), raw


def _scores(model: Any, x: Matrix, truth: NDArray[Any] | None, unit: str) -> list[Metric]:
    """How far it is off on the rows that it has not seen, beside the trivial rule on the same rows."""
    if truth is None or len(truth) != len(x):
        return []
    classes: Mapping[str, int] = {str(one): i for i, one in enumerate(getattr(parts(model)[-1], "classes_", []))}
    if not classes:
        right = truth.astype(np.float64)
        usual = np.full(len(right), right.mean())
        return [metric("MAE", mae(np.asarray(model.predict(x), np.float64), right), mae(usual, right), "mean", unit)]
    if len(classes) > 2 or not hasattr(model, "predict_proba") or not {str(one) for one in truth} <= classes.keys():
        return []
    happened = np.array([classes[str(one)] for one in truth], np.float64)
    said = np.asarray(model.predict_proba(x)[:, 1], np.float64)
    return [
        metric("Brier score", brier(said, happened), brier(np.full(len(x), happened.mean()), happened), "base rate")
    ]
