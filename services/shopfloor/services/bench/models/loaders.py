"""Public data sets as tables. Nothing is fetched: what is absent is said."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn import read_table
from shopfloor.plant import ShopfloorError

Columns = dict[str, NDArray[Any]]

_BESIDE: Final = Path("../shared/data")
TEP_VARIABLES: Final = 52
TEP_ONSET: Final = 160


def folder(name: str) -> Path:
    """Where a data set lies: below `SHOPFLOOR_DATA`, or beside the checkout."""
    place = Path(os.environ.get("SHOPFLOOR_DATA") or _BESIDE) / name
    if not place.is_dir():
        raise ShopfloorError(
            f"The data set {name} is not in {place}: set SHOPFLOOR_DATA to a folder that holds it, as"
            " docs/benchmarks/README.md says."
        )
    return place


def digest(files: Sequence[Path]) -> str:
    """The first 16 digits of the SHA-256 over all files, in order."""
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()[:16]


def numbers(file: Path) -> NDArray[np.float64]:
    """A file of numbers between blanks; one that is missing or no such file raises."""
    try:
        return np.loadtxt(file)
    except (OSError, ValueError) as problem:
        raise ShopfloorError(f"{file} is no table of numbers: expected it as its source publishes it.") from problem


def cmapss(place: Path, part: str, subset: str) -> Columns:
    """NASA turbofan engines: 26 columns."""
    found = numbers(place / f"{part}_{subset}.txt")
    names = ("engine", "cycle", "setting 1", "setting 2", "setting 3", *(f"sensor {i}" for i in range(1, 22)))
    return {name: found[:, i] for i, name in enumerate(names)}


def tep(place: Path, name: str) -> Columns:
    """Tennessee Eastman process: 52 variables every three minutes (d00 lies on its side)."""
    found = numbers(place / f"{name}.dat")
    found = found.T if len(found) == TEP_VARIABLES else found
    return {f"variable {i + 1}": found[:, i] for i in range(found.shape[1])}


def tep_faults(place: Path) -> tuple[Columns, Columns]:
    """All 21 faults to learn from, and the rows after the onset to be judged on; a file is a run."""
    learned = [tep(place, f"d{i:02d}") for i in range(1, 22)]
    judged = [{n: v[TEP_ONSET:] for n, v in tep(place, f"d{i:02d}_te").items()} for i in range(1, 22)]
    return _stacked(learned), _stacked(judged)


def _stacked(runs: Sequence[Columns]) -> Columns:
    sizes = [len(run["variable 1"]) for run in runs]
    joined = {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}
    label = np.repeat(np.arange(1, len(runs) + 1), sizes).astype(np.float64)
    sample = np.concatenate([np.arange(n, dtype=float) for n in sizes])
    return {**joined, "fault": label, "run": label, "sample": sample}


def cnc(place: Path) -> Columns:
    """Milling experiments 1 to 18, with the condition of the tool from the list of experiments."""
    listed = read_table(place / "train.csv")
    worn = dict(zip(listed["No"].astype(int).tolist(), listed["tool_condition"].tolist(), strict=True))
    runs = [read_table(place / f"experiment_{i:02d}.csv") for i in range(1, 19)]
    names = [name for name in runs[0] if all(name in run for run in runs)]
    table = {name: np.concatenate([run[name] for run in runs]) for name in names}
    sizes = [len(run[names[0]]) for run in runs]
    table["experiment"] = np.repeat(np.arange(1.0, 19.0), sizes)
    table["row"] = np.concatenate([np.arange(n, dtype=float) for n in sizes])
    table["tool"] = np.repeat(np.array([worn[i] for i in range(1, 19)], dtype=object), sizes)
    return table
