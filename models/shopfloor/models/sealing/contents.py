"""The arrays that a bundle must hold, and no others: calibration, typical and golden rows, drift reference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.sealing.opened import Bundle
from shopfloor.models.sealing.program import parts_of

MOST_GOLDEN: Final = 256
_RESIDUALS: Final = ("residuals",)
_PROBABILITIES: Final = ("score", "low", "high")
_DISTANCE: Final = ("columns", "centre", "scale", "turn")
_CALIBRATION: Final = {
    "regression": _RESIDUALS,
    "exceedance": _RESIDUALS + _PROBABILITIES,
    "probability": _PROBABILITIES,
    "distance": _DISTANCE,
    "classes": (),
    "novelty": (),
}
_SETTINGS: Final = {
    "regression": (),
    "exceedance": ("limit",),
    "probability": (),
    "distance": ("threshold", "wobble"),
    "classes": ("level",),
    "novelty": ("threshold",),
}
_HULL: Final = ("hull low", "hull high", "hull centre", "hull scale", "hull precision")
_OPTIONAL: Final = {"golden.window", "drift edges", "drift shares", *_HULL}


def check_contents(bundle: Bundle) -> None:
    """Raise `ValueError` unless every array is there, in the shape that scoring relies on, and no other is."""
    kind = bundle.manifest.kind
    wanted = {"typical", "golden", "golden scores", *_CALIBRATION[kind], *_of_programs(bundle)}
    held = set(bundle.arrays)
    _expect(wanted <= held <= wanted | _OPTIONAL, f"other arrays than its models need: {_few(held ^ wanted)}")
    for setting in (*_SETTINGS[kind], *(("least_spread",) if "spread" in bundle.programs else ())):
        _expect(setting in bundle.manifest.settings, f"no setting {setting}")
    models = set(bundle.programs)
    _expect(
        models <= {"value", "spread"} and (kind == "distance" or "value" in models), f"other models: {_few(models)}"
    )
    _check_positive(bundle, ("least_spread", "threshold"))
    _check_rows(bundle)
    _check_calibration(bundle)
    _check_reference(bundle)
    _check_hull(bundle)


def _of_programs(bundle: Bundle) -> Iterable[str]:
    for model, steps in bundle.manifest.models.items():
        yield f"golden {model}"
        yield from (f"{model}.{i}.{part}" for i, step in enumerate(steps) for part in parts_of(step))


def _check_positive(bundle: Bundle, names: Iterable[str]) -> None:
    for name in names:
        _expect(bundle.manifest.settings.get(name, 1.0) > 0.0, f"a setting {name} that is not above 0")


def _check_rows(bundle: Bundle) -> None:
    """Typical and golden rows; features may be missing in both, answers may not."""
    width = len(bundle.manifest.features)
    typical, golden = bundle.arrays["typical"], bundle.arrays["golden"]
    for name, rows in (("typical", typical), ("golden", golden)):
        _expect(rows.ndim == 2 and rows.shape[1] == width and rows.dtype == np.float32, f"no {name} rows of features")
        _expect(not bool(np.isinf(rows).any()), f"infinite numbers in its {name} rows")
    _expect(len(typical) >= max(len(bundle.manifest.assets), 1), "no typical row for each asset")
    _expect(0 < len(golden) <= MOST_GOLDEN, f"{len(golden)} golden rows where 1 to {MOST_GOLDEN} are allowed")
    for name, answers in bundle.arrays.items():
        if name.startswith("golden "):
            _expect(answers.ndim == 2 and _finite(answers), f"no finite numbers in {name}")
            _expect(len(answers) == len(golden), f"not one answer for each golden row in {name}")


def _check_calibration(bundle: Bundle) -> None:
    arrays = {name: bundle.arrays[name] for name in _CALIBRATION[bundle.manifest.kind]}
    for name, values in arrays.items():
        one_dimension = values.ndim == (2 if name == "turn" else 1)
        _expect(one_dimension and len(values) > 0 and (name == "columns" or _finite(values)), f"no numbers in {name}")
        if name in ("residuals", *_PROBABILITIES):
            _expect(bool((np.diff(values) >= 0).all()), f"{name} that do not rise")
    if "score" in arrays:
        low, high = arrays["low"], arrays["high"]
        _expect(len(low) == len(high) == len(arrays["score"]), "probabilities of several lengths")
        _expect(bool(((low >= 0) & (low <= high) & (high <= 1)).all()), "probabilities outside 0 and 1")
    if "turn" in arrays:
        _check_distance(arrays, len(bundle.manifest.features))


def _check_distance(arrays: dict[str, NDArray[Any]], features: int) -> None:
    columns, count = arrays["columns"], len(arrays["columns"])
    _expect(columns.dtype == np.int64 and bool(((columns >= 0) & (columns < features)).all()), "columns that are none")
    _expect(len(arrays["centre"]) == len(arrays["scale"]) == count, "a centre and scale of other columns")
    _expect(arrays["turn"].shape == (count, count) and bool((arrays["scale"] > 0).all()), "no axes for its distance")


def _check_reference(bundle: Bundle) -> None:
    edges, share = (bundle.arrays.get(name) for name in ("drift edges", "drift shares"))
    if edges is None and share is None:
        return
    _expect(edges is not None and share is not None and _finite(edges) and _finite(share), "half a drift reference")
    assert edges is not None  # noqa: S101 (said above)
    assert share is not None  # noqa: S101
    width = len(bundle.manifest.features)
    fits = edges.ndim == share.ndim == 2 and len(edges) == len(share) == width and share.shape[1] == edges.shape[1] + 1
    _expect(fits and edges.shape[1] > 0, "a drift reference of another shape than its features")
    _expect(bool((np.diff(edges, axis=1) >= 0).all() and (share >= 0).all()), "a drift reference that does not rise")


def _check_hull(bundle: Bundle) -> None:
    held = [bundle.arrays[name] for name in _HULL if name in bundle.arrays]
    if not held:
        return
    _expect(len(held) == len(_HULL) and all(map(_finite, held)), "half a hull")
    low, high, _, scale, precision = held
    width = len(bundle.manifest.features)
    _expect(all(each.shape == (width,) for each in held[:4]) and precision.shape == (width, width), "a hull of others")
    _expect(bool((low <= high).all() and (scale > 0).all()), "a hull without an inside")
    _expect(bool((precision == precision.T).all() and _is_positive(precision)), "a hull without a distance")


def _is_positive(matrix: NDArray[Any]) -> bool:
    """Whether a symmetric matrix is positive definite, so that every part of it can be solved."""
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def _finite(values: NDArray[Any]) -> bool:
    return values.dtype == np.float64 and bool(np.isfinite(values).all())


def _few(names: set[str]) -> str:
    return ", ".join(sorted(names))[:200]


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
