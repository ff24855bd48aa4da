"""Sealed bundles: how a model travels from the process that trained it to the one that serves it.

A bundle is a folder, or one `.shopfloor` file with the same files in it: `manifest.json` (what it is, where it comes
from, the sha256 of every other file), `<model>.tl` (trees, as treelite writes them) and `arrays.npz` (layers,
calibration, typical values, drift reference, golden rows). Nothing in it can run code. `load` proves what it says
before it hands out a model: hashes, names, the topology of every tree, widths, budget, golden answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import treelite
from numpy.typing import NDArray
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import judged
from shopfloor.models.sealing.arrays import to_npz
from shopfloor.models.sealing.contents import check_contents
from shopfloor.models.sealing.folder import MANIFEST, Files, read, write
from shopfloor.models.sealing.golden import Describe, check_budget, check_golden
from shopfloor.models.sealing.manifest import FORMAT, Budget, Lineage, Manifest, signed
from shopfloor.models.sealing.opened import ARRAYS, Bundle, opened
from shopfloor.models.sealing.refused import RefusedBundle
from shopfloor.models.sealing.trees import tree_outputs

__all__ = [
    "FORMAT", "Budget", "Bundle", "Lineage", "Manifest", "RefusedBundle", "export", "load", "load_files", "seal",
    "sealed", "tree_predict", "verify",
]  # fmt: skip
Arrays = Mapping[str, NDArray[Any]]
Steps = Mapping[str, Sequence[str]]


def load(path: Path, features: tuple[str, ...] | None = None, *, describe: Describe | None = None) -> Bundle:
    """Read, prove and open a bundle, a folder or a `.shopfloor` file; anything wrong with it raises `RefusedBundle`.

    `features` are those that the caller will bring; `describe` is the feature spec's function, see `check_golden`.
    """
    return load_files(read(path), path.name, features, describe=describe)


def load_files(
    files: Files, name: str, features: tuple[str, ...] | None = None, *, describe: Describe | None = None
) -> Bundle:
    """As `load`, of files in memory."""
    bundle = opened(files, name)
    if features is not None and tuple(bundle.manifest.features) != features:
        raise RefusedBundle(f"The bundle {name} was made for other features: train it again.")
    try:
        check_contents(bundle)
    except ValueError as problem:
        raise RefusedBundle(f"The bundle {name} holds {problem}: train again.") from None
    try:
        check_budget(bundle)
        check_golden(bundle, describe)
    except ValueError as problem:
        raise RefusedBundle(f"The bundle {name} does not keep its word: {problem}; train again.") from None
    return bundle


def verify(path: Path, *, describe: Describe | None = None) -> Manifest:
    """What a bundle says of itself, after everything about it was proved; raises `RefusedBundle`."""
    return load(path, describe=describe).manifest


def export(source: Path, target: Path) -> Path:
    """Write a proved bundle to another place: one file when `target` ends in `.shopfloor`, else a folder."""
    files = read(source)
    load_files(files, source.name)
    return write(target, files)


def seal(
    path: Path,
    manifest: Manifest,
    trees: Mapping[str, treelite.Model],
    arrays: Mapping[str, Any],
    models: Steps | None = None,
) -> Path:
    """Write a bundle to `path`, in place of the one that was there."""
    return write(path, sealed(manifest, trees, arrays, models))


def sealed(
    manifest: Manifest, trees: Mapping[str, treelite.Model], arrays: Mapping[str, Any], models: Steps | None = None
) -> dict[str, bytes]:
    """The files of a bundle by their names; the same content gives the same bytes.

    `models` names the steps of each model (each has its trees alone when it is left out), `arrays` holds the golden
    rows; what the models and the calibration answer to them is asked and sealed here.
    """
    steps = {name: list(chain) for name, chain in (models or {name: ["trees"] for name in trees}).items()}
    files = {f"{name}.tl": model.serialize_bytes() for name, model in trees.items()}
    complete = replace(manifest, models=steps)
    answers = _answers(complete, files, {name: np.asarray(values) for name, values in arrays.items()})
    files[ARRAYS] = to_npz(answers)
    _, content = signed(complete, files)
    return {MANIFEST: content, **files}


def _answers(manifest: Manifest, files: Files, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays with what the models say of the golden rows."""
    npz = to_npz(arrays)
    _, content = signed(manifest, {**files, ARRAYS: npz})
    bundle = opened({MANIFEST: content, **files, ARRAYS: npz}, manifest.name)
    golden = arrays["golden"]
    said = {f"golden {name}": bundle.outputs(name, golden) for name in bundle.programs}
    return {**arrays, **said, "golden scores": judged(bundle, golden)}


def tree_predict(model: treelite.Model, x: Matrix) -> NDArray[np.float64]:
    """One number per row, on one thread."""
    if not len(x):
        return np.empty(0)
    return np.ascontiguousarray(tree_outputs(model, x)[:, -1])
