"""One call from a fitted scikit-learn estimator to a sealed bundle, in the process of whoever fitted it.

The estimator and the compiled model must answer the same before anything is sealed, and the server asks again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.advise.hull import hull
from shopfloor.models.bundle import Budget, Bundle, Lineage, Manifest, load_files, sealed
from shopfloor.models.conformal import Probabilities, Residuals, arrays
from shopfloor.models.lineage import lineage
from shopfloor.models.reference import reference
from shopfloor.models.sealing.folder import write
from shopfloor.models.sealing.golden import TOLERANCE
from shopfloor.models.sealing.program import FORESTS, Program, Step, parts_of, program
from shopfloor.models.sealing.trees import Forest
from shopfloor.models.unfold import CannotCompile, Unfolded, parts, unfold

Matrix = NDArray[np.float32]
_GOLDEN: Final = 128


@dataclass(frozen=True, slots=True)
class Features:
    """What the columns are: their names, and the feature spec that makes them, as JSON."""

    names: tuple[str, ...]
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Rows the estimator has not seen: features [n, f] float32 as the feature spec emits them, and the truth [n].

    A model of what is normal needs no truth. `windows` are the raw windows [g, window, tags] of the first g rows.
    """

    x: Matrix
    y: NDArray[Any] | None = None
    windows: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """The words on a model, and what it promises. `data_start` and `data_end` are UTC ns.

    `false_alarms` is the share of calibration rows above the threshold of a model of what is normal. `settings` may
    name the levels at which people shall `act` or `watch` (and `act_below`, `watch_below`), and `alarms_per_day` that
    a healthy asset may raise.
    """

    name: str
    title: str
    unit: str = ""
    target: str = ""
    asset_type: str = ""
    split: str = ""
    text: str = ""
    metrics: Sequence[Mapping[str, Any]] = ()
    coverage: float = 0.9
    false_alarms: float = 0.01
    data_start: int = 0
    data_end: int = 0
    trained_at: int | None = None
    cpu_s: float = 0.0
    seed: int = 0
    budget: Budget = field(default_factory=Budget)
    lineage: Lineage | None = None
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Sealed:
    """The files of a bundle that was just compiled, and the bundle itself, already proved."""

    files: Mapping[str, bytes]
    bundle: Bundle

    @property
    def sha(self) -> str:
        """The bundle's identity."""
        return self.bundle.manifest.sha

    def save(self, path: Path | str) -> Path:
        """Write a folder, or one file when `path` ends in `.shopfloor`."""
        return write(Path(path), self.files)


def compile(estimator: Any, features: Features, calibration: Calibration, card: Card) -> Sealed:  # noqa: A001
    """Compile, calibrate, describe and seal; raises `CannotCompile` when the compiled model answers otherwise.

    >>> from sklearn.linear_model import Ridge
    >>> x = np.random.default_rng(0).normal(size=(80, 2)).astype(np.float32)
    >>> model = Ridge().fit(x[:40], x[:40, 0])
    >>> made = compile(model, Features(("a", "b")), Calibration(x[40:], x[40:, 0]), Card("ridge", "Example"))
    >>> made.bundle.manifest.kind, list(made.files)
    ('regression', ['manifest.json', 'arrays.npz'])
    """
    x = _rows(calibration.x, features)
    unfolded = unfold(estimator)
    said = _proved(estimator, unfolded, x)
    kind, classes = _kind(estimator)
    settings, learned = _calibrated(kind, said, calibration.y, classes, card)
    windows = calibration.windows[:_GOLDEN] if calibration.windows is not None else None
    golden = (
        x[: len(windows)] if windows is not None else x[np.linspace(0, len(x) - 1, min(_GOLDEN, len(x))).astype(int)]
    )
    held: dict[str, NDArray[Any]] = {
        **{f"value.{key}": values for key, values in unfolded.arrays.items()},
        **learned,
        **reference(x),
        **hull(x),
        "golden": golden,
        "typical": _typical(x),
    }
    if windows is not None:
        held["golden.window"] = np.asarray(windows, np.float64)
    manifest = _manifest(features, calibration, card, kind, {**_told(card), **settings}, classes)
    added = [name for step in unfolded.names for name in FORESTS.get(step, ())]
    trees = {f"value{name}": held for name, held in zip(added, unfolded.forests, strict=True)}
    files = sealed(manifest, trees, held, {"value": unfolded.names})
    return Sealed(files, load_files(files, card.name, features.names))


def _rows(x: Any, features: Features) -> Matrix:
    rows = np.asarray(x)
    if rows.ndim != 2 or rows.shape[1] != len(features.names) or not len(rows):
        raise CannotCompile(
            f"The calibration rows are {rows.shape}: expected are rows of {len(features.names)} features."
        )
    if rows.dtype != np.float32:
        raise CannotCompile(
            f"The calibration rows are {rows.dtype}: a feature spec emits float32; convert before fitting."
        )
    return rows


def _proved(estimator: Any, unfolded: Unfolded, x: Matrix) -> NDArray[np.float64]:
    """What the compiled model says of the rows, after it was compared with the estimator."""
    said = _compiled(unfolded, x.shape[1])(x)
    truth = np.asarray(_asked(estimator, x.astype(np.float64)), np.float64).reshape(len(x), -1)
    truth = truth if said.shape[1] == truth.shape[1] else truth[:, -1:]
    off = np.max(np.abs(said - truth)) / max(float(np.std(truth)), 1e-9)
    if not off <= TOLERANCE:
        raise CannotCompile(f"The compiled {type(estimator).__name__} differs from the fitted one by {off:.2g} sd.")
    if said.shape[1] > 1 and not hasattr(parts(estimator)[-1], "classes_"):
        raise CannotCompile(f"{type(estimator).__name__} says {said.shape[1]} numbers for a row: expected is one.")
    return said


def _compiled(unfolded: Unfolded, features: int) -> Program:
    steps = []
    for i, name in enumerate(unfolded.names):
        held = {part: unfolded.arrays[f"{i}.{part}"] for part in parts_of(name)}
        forests = [Forest(trees, features, 1, 0) for trees in unfolded.forests] if name in FORESTS else []
        steps.append(Step(name, held, tuple(forests)))
    return program(steps)


def _asked(estimator: Any, x: NDArray[np.float64]) -> Any:
    """What the estimator itself says: probabilities, else decisions, else numbers; how unusual, of novelty models."""
    last = parts(estimator)[-1]
    if hasattr(last, "mahalanobis"):
        return last.mahalanobis(estimator[:-1].transform(x) if last is not estimator else x)
    if hasattr(last, "score_samples"):
        return -estimator.score_samples(x)
    for method in ("predict_proba", "decision_function", "predict"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(x)
    raise CannotCompile(f"{type(estimator).__name__} has no predict method.")


def _kind(estimator: Any) -> tuple[str, list[str]]:
    last = parts(estimator)[-1]
    if hasattr(last, "score_samples") or hasattr(last, "mahalanobis"):
        return "novelty", []
    names = [str(name) for name in getattr(last, "classes_", [])]
    return ("regression" if not names else "classes" if len(names) > 2 else "probability"), names


def _calibrated(
    kind: str, said: NDArray[np.float64], y: NDArray[Any] | None, classes: Sequence[str], card: Card
) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """The settings and arrays of a kind, from rows that the estimator has not seen."""
    value = said[:, -1]
    if kind == "novelty":
        return {"threshold": float(np.quantile(value, 1.0 - card.false_alarms))}, {}
    if y is None or len(y) != len(said):
        raise CannotCompile("The calibration has no truth for each row: give rows that the estimator has not seen.")
    if kind == "regression":
        return {}, dict(arrays(Residuals.of(value, _numbers(y), np.ones(len(value)))))
    place = {name: i for i, name in enumerate(classes)}
    if unknown := {str(name) for name in y} - place.keys():
        raise CannotCompile(f"The calibration holds classes that the model has not seen: {', '.join(sorted(unknown))}.")
    truth = np.array([place[str(name)] for name in y])
    if kind == "probability":
        return {}, dict(arrays(Probabilities.of(value, truth == 1)))
    own = np.sort(said[np.arange(len(said)), truth])
    rank = int(np.floor((len(own) + 1) * (1.0 - card.coverage)))
    return {"level": float(own[rank - 1]) if rank else float(said.min())}, {}


def _numbers(y: NDArray[Any]) -> NDArray[np.float64]:
    truth = np.asarray(y, np.float64)
    if not np.isfinite(truth).all():
        raise CannotCompile("The truth of the calibration rows has gaps: leave such rows out.")
    return truth


def _told(card: Card) -> dict[str, float]:
    if wrong := [name for name, value in card.settings.items() if not np.isfinite(value)]:
        raise CannotCompile(f"The setting {wrong[0]} is {card.settings[wrong[0]]}: expected is a finite number.")
    return {name: float(value) for name, value in card.settings.items()}


def _typical(x: Matrix) -> Matrix:
    known = ~np.isnan(x).all(axis=0)
    row = np.zeros((1, x.shape[1]), np.float32)
    row[0, known] = np.nanmedian(x[:, known], axis=0)
    return row


def _manifest(
    features: Features, calibration: Calibration, card: Card, kind: str, settings: dict[str, float], classes: list[str]
) -> Manifest:
    rows = [calibration.x, *([np.asarray(calibration.y, str)] if calibration.y is not None else [])]
    return Manifest(
        name=card.name, target=card.target or card.name, title=card.title, asset_type=card.asset_type, kind=kind,
        unit=card.unit, features=list(features.names), coverage=card.coverage,
        trained_at=time.time_ns() if card.trained_at is None else card.trained_at, data_start=card.data_start,
        data_end=card.data_end, rows=len(calibration.x), cpu_s=card.cpu_s, seed=card.seed, split=card.split,
        state="ready", sentence="", metrics=[dict(metric) for metric in card.metrics], settings=settings,
        classes=classes, spec=dict(features.spec),
        lineage=card.lineage or lineage("calibration rows", rows, seeds=[card.seed]),
        budget=card.budget, card=card.text,
    )  # fmt: skip


__all__ = ["Calibration", "CannotCompile", "Card", "Features", "Sealed", "compile"]
