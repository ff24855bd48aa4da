"""Sealed bundles: how a model travels from the process that trained it to the one that serves it.

A bundle is a folder: `manifest.json` (what it is, its scores, the sha256 of every other file), `<name>.tl` (trees, as
treelite writes them) and `arrays.npz` (calibration, typical values, golden rows). Nothing in it can run code.
`load` checks the hashes, the topology of every tree and the golden rows before it hands out a model; treelite itself
would follow a child index out of its tree, or in a circle.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import treelite
from numpy.typing import NDArray
from shopfloor.models.features import Matrix
from shopfloor.plant.errors import ShopfloorError
from treelite import gtil

FORMAT: Final = 1
_LARGEST: Final = 64 * 1024 * 1024
_TOLERANCE: Final = 1e-6


class RefusedBundle(ShopfloorError):  # noqa: N818 (what happened to it)
    """A bundle that must not be used: changed, damaged, or made for another feature code."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself."""

    name: str
    target: str
    title: str
    asset_type: str
    kind: str  # regression, exceedance, probability, distance
    unit: str
    features: list[str]
    coverage: float
    trained_at: int  # UTC ns
    data_start: int
    data_end: int
    rows: int
    cpu_s: float
    seed: int
    split: str
    state: str  # "ready" or "abstains"
    sentence: str
    metrics: list[dict[str, Any]]
    settings: dict[str, float] = field(default_factory=dict)
    assets: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A loaded model: its manifest, its trees and its arrays."""

    manifest: Manifest
    trees: Mapping[str, treelite.Model]
    arrays: Mapping[str, NDArray[Any]]

    def predict(self, name: str, x: Matrix) -> NDArray[np.float64]:
        """What the trees `name` say of each row of features [n, f]: [n]."""
        return tree_predict(self.trees[name], x)


def tree_predict(model: treelite.Model, x: Matrix) -> NDArray[np.float64]:
    """One number per row, on one thread."""
    if not len(x):
        return np.empty(0)
    said: NDArray[np.float64] = gtil.predict(model, np.ascontiguousarray(x), nthread=1)
    return said.reshape(len(x), -1)[:, -1].astype(np.float64)


def seal(folder: Path, manifest: Manifest, trees: Mapping[str, treelite.Model], arrays: Mapping[str, Any]) -> Path:
    """Write a bundle to `folder`, in place of the one that was there."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, model in trees.items():
        (fresh / f"{name}.tl").write_bytes(model.serialize_bytes())
    np.savez(fresh / "arrays.npz", **arrays)
    files = {path.name: _sha(path.read_bytes()) for path in sorted(fresh.iterdir())}
    content = {**asdict(manifest), "files": files}
    (fresh / "manifest.json").write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return folder


def load(folder: Path, features: tuple[str, ...] | None = None) -> Bundle:
    """Read, check and open a bundle; anything wrong with it raises `RefusedBundle`."""
    manifest = _manifest(folder)
    if features is not None and tuple(manifest.features) != features:
        raise RefusedBundle(f"The bundle {folder.name} was made for other features: train it again.")
    content = {name: _checked(folder, name, sha) for name, sha in manifest.files.items()}
    arrays = _arrays(folder, content.pop("arrays.npz", b""))
    trees = {name.removesuffix(".tl"): _tree(folder, data, len(manifest.features)) for name, data in content.items()}
    bundle = Bundle(manifest, trees, arrays)
    _check_golden(folder, bundle)
    return bundle


def _manifest(folder: Path) -> Manifest:
    try:
        content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise RefusedBundle(f"The bundle {folder.name} has no readable manifest ({problem}): train again.") from problem
    known = {f.name for f in fields(Manifest)}
    if not isinstance(content, dict) or set(content) != known or content["format"] != FORMAT:
        raise RefusedBundle(f"The manifest of the bundle {folder.name} is not of format {FORMAT}: train again.")
    if not isinstance(content["files"], dict) or not isinstance(content["features"], list):
        raise RefusedBundle(f"The manifest of the bundle {folder.name} lists no files or features: train again.")
    return Manifest(**content)


def _checked(folder: Path, name: str, sha: str) -> bytes:
    if name != Path(name).name or not name.endswith((".tl", ".npz")):
        raise RefusedBundle(
            f"The bundle {folder.name} names the file {name!r}: only .tl and .npz inside it are allowed."
        )
    try:
        path = folder / name
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
    except OSError as problem:
        raise RefusedBundle(f"The bundle {folder.name} lacks its file {name} ({problem}): train again.") from problem
    if _sha(data) != sha:
        raise RefusedBundle(f"The file {name} of the bundle {folder.name} was changed after sealing: train again.")
    return data


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _arrays(folder: Path, data: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError) as problem:
        raise RefusedBundle(
            f"The arrays of the bundle {folder.name} cannot be read ({problem}): train again."
        ) from problem


def _tree(folder: Path, data: bytes, features: int) -> treelite.Model:
    try:
        model = treelite.Model.deserialize_bytes(data)
    except treelite.TreeliteError as problem:
        raise RefusedBundle(
            f"The trees of the bundle {folder.name} cannot be read ({problem}): train again."
        ) from problem
    check_topology(model, features, folder.name)
    return model


def check_topology(model: treelite.Model, features: int, name: str) -> None:
    """Prove that scoring ends and stays in bounds: children lie behind their parent and inside the tree."""
    if model.num_feature != features:
        raise RefusedBundle(f"The trees of {name} expect {model.num_feature} features: {features} were expected.")
    for number in range(model.num_tree):
        problem = _flaw(model.get_tree_accessor(number), features)
        if problem:
            raise RefusedBundle(f"Tree {number} of {name} {problem}: train again.")


def _flaw(tree: Any, features: int) -> str:
    left, right = tree.get_field("cleft"), tree.get_field("cright")
    split, threshold, leaf = tree.get_field("split_index"), tree.get_field("threshold"), tree.get_field("leaf_value")
    count = len(left)
    if not count or any(len(column) != count for column in (right, split, threshold, leaf)):
        return "has columns of several lengths"
    inner = (left != -1) | (right != -1)
    at = np.arange(count)[inner]
    for child in (left[inner], right[inner]):
        if np.any(child <= at) or np.any(child >= count):
            return "has a child before its parent or outside the tree"
    if np.any(split[inner] < 0) or np.any(split[inner] >= features):
        return "splits on a feature that does not exist"
    if np.any(np.isnan(threshold[inner])) or not np.all(np.isfinite(leaf[~inner])):
        return "holds a threshold or leaf that is no number"
    return ""


def _check_golden(folder: Path, bundle: Bundle) -> None:
    """The sealed rows must give the sealed answers."""
    for name in bundle.trees:
        rows, answers = bundle.arrays.get("golden"), bundle.arrays.get(f"golden {name}")
        if rows is None or answers is None or rows.shape != (len(answers), len(bundle.manifest.features)):
            raise RefusedBundle(f"The bundle {folder.name} has no golden rows for {name}: train again.")
        off = np.abs(bundle.predict(name, rows.astype(np.float32)) - answers)
        if not np.all(off <= _TOLERANCE * max(float(np.std(answers)), 1e-9)):
            raise RefusedBundle(
                f"The trees {name} of the bundle {folder.name} answer otherwise than sealed: train again."
            )
