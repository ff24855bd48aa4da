"""A bundle asked in tensors: what it wants, what it gives, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bundle import Bundle, Manifest
from shopfloor.models.scorer import likely, score
from shopfloor.services.inference.refusal import InferenceRefused
from shopfloor.services.inference.tensors import Array

PLATFORM: Final = "shopfloor_bundle"
FEATURES: Final = "features"
MOST_ROWS: Final = 20_000
Matrix = NDArray[np.float32]


def metadata(manifest: Manifest, versions: Sequence[int]) -> dict[str, Any]:
    """What the protocol says of a model; `parameters` name the features in their order."""
    m = manifest
    return {
        "name": m.name,
        "versions": [str(number) for number in versions],
        "platform": PLATFORM,
        "inputs": [{"name": FEATURES, "datatype": "FP32", "shape": [-1, len(m.features)]}],
        "outputs": [{"name": name, "datatype": kind, "shape": shape} for name, kind, shape in _outputs(m)],
        "parameters": {**told(m), "title": m.title, "features": m.features, "classes": m.classes},
    }


def told(manifest: Manifest) -> dict[str, Any]:
    """What an answer says beside its tensors."""
    m = manifest
    return {"bundle": m.sha, "kind": m.kind, "unit": m.unit, "coverage": m.coverage}


def answers(bundle: Bundle, tensors: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
    """The outputs of rows, by name, in the order in which they were asked for (none: all of them)."""
    m = bundle.manifest
    known = [name for name, _, _ in _outputs(m)]
    if unknown := [name for name in wanted if name not in known]:
        raise InferenceRefused(f"{m.name} has no output {unknown[0]!r:.80}: it has {', '.join(known)}.")
    if m.state != "ready":
        raise InferenceRefused(f"{m.name} abstains: {m.sentence}", 503)
    said = _said(bundle, rows(m, tensors))
    return {name: said[name] for name in dict.fromkeys(wanted or known)}


def rows(manifest: Manifest, tensors: Mapping[str, Array]) -> Matrix:
    """Features [n, f] float32: of the one tensor `features`, or of one tensor [n] for each feature by its name."""
    names = manifest.features
    found = _of_matrix(manifest, tensors[FEATURES]) if list(tensors) == [FEATURES] else _of_columns(manifest, tensors)
    if not 1 <= len(found) <= MOST_ROWS:
        raise InferenceRefused(f"The request has {len(found)} rows: from 1 to {MOST_ROWS} are answered at once.")
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(found, np.float32)
    if np.isinf(x).any():
        row, column = np.argwhere(np.isinf(x))[0].tolist()
        raise InferenceRefused(
            f"The feature {names[column]!r:.80} of row {row} is infinite or too large for FP32: send NaN (in JSON null)"
            " for what is not known."
        )
    return x


def _of_matrix(manifest: Manifest, tensor: Array) -> Array:
    wide = len(manifest.features)
    matrix = tensor[:, None] if tensor.ndim == 1 and wide == 1 else tensor
    if matrix.ndim != 2 or matrix.shape[1] != wide:
        raise InferenceRefused(
            f"The input {FEATURES!r} has the shape {list(tensor.shape)}: {manifest.name} needs [n, {wide}], in the"
            " order of the features in its metadata."
        )
    return _numbers(FEATURES, matrix)


def _of_columns(manifest: Manifest, tensors: Mapping[str, Array]) -> Array:
    names = manifest.features
    missing = [name for name in names if name not in tensors]
    odd = [name for name in tensors if name not in names]
    if missing or odd:
        what = f"lacks {', '.join(map(repr, missing[:3]))}" if missing else f"has {odd[0]!r:.80}, which is no feature"
        raise InferenceRefused(
            f"The request {what}: {manifest.name} needs one input {FEATURES!r} [n, {len(names)}], or each feature by"
            " its name."
        )
    return _stacked({name: _numbers(name, tensors[name]) for name in names})


def _stacked(columns: Mapping[str, Array]) -> Array:
    flat = {
        name: column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column for name, column in columns.items()
    }
    wide = [name for name, column in flat.items() if column.ndim != 1]
    if wide or len({len(column) for column in flat.values()}) != 1:
        shapes = ", ".join(f"{name} {list(column.shape)}" for name, column in list(flat.items())[:4])
        raise InferenceRefused(f"Inputs by their names are [n] or [n, 1], all of one length: here are {shapes:.200}.")
    return np.column_stack(list(flat.values()))


def _numbers(name: str, tensor: Array) -> Array:
    """Texts that are numbers become numbers; an empty one is not known."""
    if tensor.dtype != object:
        return tensor
    try:
        return np.array([float(text or "nan") for text in tensor.ravel()]).reshape(tensor.shape)
    except ValueError as problem:
        raise InferenceRefused(
            f"The input {name!r:.80} holds a text that is no number ({str(problem)[:80]}): features are numbers."
        ) from None


def _outputs(m: Manifest) -> list[tuple[str, str, list[int]]]:
    if m.kind == "classes":
        wide = [-1, len(m.classes)]
        return [("class", "BYTES", [-1]), ("scores", "FP64", wide), ("likely", "BOOL", wide)]
    shares = [("probabilities", "FP64", [-1, 2])] if m.classes else []
    return [*((name, "FP64", [-1]) for name in ("value", "low", "high")), *shares]


def _said(bundle: Bundle, x: Matrix) -> dict[str, Array]:
    m = bundle.manifest
    if m.kind == "classes":
        found = likely(bundle, x)
        names = np.array(m.classes, object)
        return {"class": names[found.score.argmax(axis=1)], "scores": found.score, "likely": found.likely}
    said = score(bundle, x)
    value = {"value": said.value, "low": said.low, "high": said.high}
    return {**value, "probabilities": np.column_stack([1.0 - said.value, said.value])} if m.classes else value
