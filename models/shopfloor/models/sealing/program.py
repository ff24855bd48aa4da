"""A model as a chain of few, plain steps: scaling, dense layers, trees. Data, not code; its widths are proved at load.

Step number `i` of the model `value` finds its arrays as `value.i.weight` and so on, its trees in `value.tl`. Everything
before trees is computed in float64, as scikit-learn does for float64 input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.sealing.trees import Forest

Rows = NDArray[Any]
Floats = NDArray[np.float64]
Parts = Mapping[str, NDArray[Any]]
_MOST_WIDTH: Final = 10_000
_MOST_STEPS: Final = 64


def _dense(x: Rows, p: Parts) -> Rows:
    said: Rows = np.einsum("ni,io->no", x, p["weight"]) + p["bias"]
    return said


def _softmax(x: Rows, _: Parts) -> Rows:
    grown = np.exp(x - x.max(axis=1, keepdims=True))
    shares: Rows = grown / grown.sum(axis=1, keepdims=True)
    return shares


def _length(x: Rows, _: Parts) -> Rows:
    root: Rows = np.sqrt(np.einsum("ni,ni->n", x, x))[:, None]
    return root


ROWWISE: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Rows, Parts], Rows]]]] = {
    "subtract": (("by",), lambda x, p: x - p["by"]),
    "add": (("by",), lambda x, p: x + p["by"]),
    "multiply": (("by",), lambda x, p: x * p["by"]),
    "divide": (("by",), lambda x, p: x / p["by"]),
    "fill": (("by",), lambda x, p: np.where(np.isnan(x), p["by"], x)),
    "clip": (("low", "high"), lambda x, p: np.clip(x, p["low"], p["high"])),
    "float32": ((), lambda x, _: x.astype(np.float32)),
    "relu": ((), lambda x, _: np.maximum(x, 0.0)),
    "tanh": ((), lambda x, _: np.tanh(x)),
    "logistic": ((), lambda x, _: 0.5 + 0.5 * np.tanh(0.5 * x)),
    "softmax": ((), _softmax),
}
"""Steps that keep the number of columns: the arrays they need (one number per column), and what they do."""
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: parts for name, (parts, _) in ROWWISE.items()},
    "take": ("columns",),
    "dense": ("weight", "bias"),
    "length": (),
    "trees": (),
}


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: its name, its arrays, and its trees where it is made of trees.

    >>> scale = Step("divide", {"by": np.array([2.0, 4.0])})
    >>> scale(np.array([[2.0, 2.0]])).tolist()
    [[1.0, 0.5]]
    """

    name: str
    parts: Parts
    forest: Forest | None = None

    def __call__(self, x: Rows) -> Rows:
        """Rows [n, width] to rows [n, width of the next step]."""
        match self.name:
            case "trees" if self.forest is not None:
                return self.forest(x)
            case "take":
                return x[:, self.parts["columns"]]
            case "dense":
                return _dense(x, self.parts)
            case "length":
                return _length(x, self.parts)
            case name:
                return ROWWISE[name][1](x, self.parts)

    def width(self, width: int) -> int:
        """Columns that come out when `width` come in; raises `ValueError` when they do not fit."""
        match self.name:
            case "trees" if self.forest is not None:
                _expect(self.forest.features == width, "its trees expect other columns")
                return self.forest.classes
            case "take":
                return _taken(self.parts["columns"], width)
            case "dense":
                return _widened(self.parts, width)
            case "length":
                return 1
            case name:
                _expect(name in ROWWISE, f"the step {name!r} is not known")
                _expect(all(_plain(p, (width,)) for p in self.parts.values()), f"{name} has other columns")
                return width


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The steps of one model."""

    steps: tuple[Step, ...]

    def __call__(self, x: Rows) -> Floats:
        """What the model says of rows of features [n, f]: [n, outputs]; each row for itself."""
        if len(self.steps) > 1:
            x = x.astype(np.float64)
        with np.errstate(all="ignore"):
            for step in self.steps:
                x = step(x)
        return x.astype(np.float64, copy=False)


def program(steps: Iterable[Step]) -> Program:
    """A model of steps that fit each other; raises `ValueError` when there are none or too many."""
    held = tuple(islice(steps, _MOST_STEPS + 1))
    _expect(0 < len(held) <= _MOST_STEPS, "it has no steps, or too many")
    return Program(held)


def _taken(columns: Rows, width: int) -> int:
    _expect(columns.ndim == 1 and columns.dtype == np.int64 and 0 < len(columns) <= _MOST_WIDTH, "it takes no columns")
    _expect(bool(((columns >= 0) & (columns < width)).all()), "it takes a column that does not exist")
    return len(columns)


def _widened(parts: Parts, width: int) -> int:
    weight, bias = parts["weight"], parts["bias"]
    _expect(weight.ndim == 2 and 0 < weight.shape[1] <= _MOST_WIDTH, "a layer has no weights")
    _expect(_plain(weight, (width, weight.shape[1])), f"a layer expects {weight.shape[0]} columns, not {width}")
    _expect(_plain(bias, (weight.shape[1],)), "a layer has a bias of another width")
    return int(weight.shape[1])


def _plain(array: Rows, shape: tuple[int, ...]) -> bool:
    return array.dtype == np.float64 and array.shape == shape and bool(np.isfinite(array).all())


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
