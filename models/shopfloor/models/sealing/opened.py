"""A bundle in memory, and how its files become one: every hash, every name, every width is checked on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.sealing.arrays import from_npz
from shopfloor.models.sealing.canonical import sha256
from shopfloor.models.sealing.folder import MANIFEST, Files
from shopfloor.models.sealing.manifest import Manifest, read_manifest
from shopfloor.models.sealing.program import FORESTS, Program, Step, parts_of, program
from shopfloor.models.sealing.refused import RefusedBundle
from shopfloor.models.sealing.trees import Forest, read_forest

ARRAYS: Final = "arrays.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A loaded model: its manifest, its arrays, its programs, and the bytes they hold."""

    manifest: Manifest
    arrays: Mapping[str, NDArray[Any]]
    programs: Mapping[str, Program] = field(default_factory=dict)
    size: int = 0

    def outputs(self, name: str, x: NDArray[Any]) -> NDArray[np.float64]:
        """All that the model `name` says of each row of features [n, f]: [n, outputs]."""
        if not len(x):
            return np.empty((0, 1))
        return self.programs[name](x)

    def predict(self, name: str, x: NDArray[Any]) -> NDArray[np.float64]:
        """The number the model `name` says of each row [n, f]; of probabilities that of the last class: [n]."""
        return np.ascontiguousarray(self.outputs(name, x)[:, -1])


def opened(files: Files, name: str) -> Bundle:
    """Open the files of a bundle after proving that they are what was sealed; raises `RefusedBundle`."""
    manifest = read_manifest(files.get(MANIFEST, b""), name)
    _check_files(manifest, files, name)
    arrays = _arrays(files[ARRAYS], name)
    programs = {model: _program(manifest, model, files, arrays, name) for model in manifest.models}
    return Bundle(manifest, arrays, programs, sum(map(len, files.values())))


def _check_files(manifest: Manifest, files: Files, name: str) -> None:
    wanted = {ARRAYS} | {file for model, steps in manifest.models.items() for file in _tree_files(model, steps)}
    held = set(files) - {MANIFEST}
    if held != wanted or set(manifest.files) != wanted:
        odd = ", ".join(sorted(held ^ wanted | set(manifest.files) ^ wanted))
        raise RefusedBundle(f"The bundle {name} lacks files or holds others than its models need: {odd:.200}.")
    for file, sha in manifest.files.items():
        if sha256(files[file]) != sha:
            raise RefusedBundle(f"The file {file} of the bundle {name} was changed after sealing: train again.")


def _tree_files(model: str, steps: Iterable[str]) -> list[str]:
    return [f"{model}{added}.tl" for step in steps for added in FORESTS.get(step, ())]


def _arrays(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    try:
        return from_npz(data)
    except ValueError as problem:
        raise RefusedBundle(f"The arrays of the bundle {name} cannot be read ({problem}): train again.") from None


def _program(m: Manifest, model: str, files: Files, arrays: Mapping[str, NDArray[Any]], name: str) -> Program:
    try:
        return program(_steps(m, model, files, arrays))
    except ValueError as problem:
        raise RefusedBundle(f"The model {model} of the bundle {name} is unsound: {problem}; train again.") from None


def _steps(m: Manifest, model: str, files: Files, arrays: Mapping[str, NDArray[Any]]) -> Iterator[Step]:
    """The steps of a model, each proved to fit the one before it."""
    width = len(m.features)
    for i, step_name in enumerate(m.models[model]):
        parts = {part: _part(arrays, f"{model}.{i}.{part}") for part in parts_of(step_name)}
        step = Step(step_name, parts, tuple(_forest(files[file], width) for file in _tree_files(model, [step_name])))
        width = step.width(width)
        yield step


def _part(arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    if key not in arrays:
        raise ValueError(f"its array {key} is missing")
    return arrays[key]


def _forest(data: bytes, width: int) -> Forest:
    try:
        return read_forest(data, width)
    except ValueError as problem:
        raise ValueError(f"its trees {problem}") from None
