"""A model as a chain of few, plain steps: scaling, dense layers, trees. Data, not code; its widths are proved at load.

Step number `i` of the model `value` finds its arrays as `value.i.weight` and so on, its trees in `value.tl`; the step
"mean of trees" is two forests, the second in `value-2.tl`. Everything before trees is computed in float64, as
scikit-learn does for float64 input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.sealing.curves import Parts, Rows, product_width, products, spline_width, splines
from shopfloor.models.sealing.trees import Forest

Floats = NDArray[np.float64]
MOST_WIDTH: Final = 10_000
_MOST_STEPS: Final = 64


class Kind(NamedTuple):
    """A kind of step: the arrays it needs, what it does, and how many columns it makes of so many."""

    parts: tuple[str, ...]
    apply: Callable[[Rows, Parts], Rows]
    width: Callable[[Parts, int], int]


def _same(parts: Parts, width: int) -> int:
    """One finite number for each column."""
    _expect(all(_plain(part, (width,)) for part in parts.values()), "a step has other columns")
    return width


def _dense(x: Rows, p: Parts) -> Rows:
    # A matrix product by BLAS rounds a row otherwise in other company, and so do columns that lie one after the other.
    said: Rows = np.einsum("ni,io->no", np.ascontiguousarray(x), p["weight"]) + p["bias"]
    return said


def _dense_width(parts: Parts, width: int) -> int:
    weight, bias = parts["weight"], parts["bias"]
    _expect(weight.ndim == 2 and 0 < weight.shape[1] <= MOST_WIDTH, "a layer has no weights")
    _expect(_plain(weight, (width, weight.shape[1])), f"a layer expects {weight.shape[0]} columns, not {width}")
    _expect(_plain(bias, (weight.shape[1],)), "a layer has a bias of another width")
    return int(weight.shape[1])


def _take_width(parts: Parts, width: int) -> int:
    columns = parts["columns"]
    _expect(columns.ndim == 1 and columns.dtype == np.int64 and 0 < len(columns) <= MOST_WIDTH, "it takes no columns")
    _expect(bool(((columns >= 0) & (columns < width)).all()), "it takes a column that does not exist")
    return len(columns)


def _softmax(x: Rows, _: Parts) -> Rows:
    grown = np.exp(x - x.max(axis=1, keepdims=True))
    shares: Rows = grown / grown.sum(axis=1, keepdims=True)
    return shares


def _length(x: Rows, _: Parts) -> Rows:
    root: Rows = np.sqrt(np.sum(np.ascontiguousarray(x * x), axis=1))[:, None]
    return root


STEPS: Final = {
    "subtract": Kind(("by",), lambda x, p: x - p["by"], _same),
    "add": Kind(("by",), lambda x, p: x + p["by"], _same),
    "multiply": Kind(("by",), lambda x, p: x * p["by"], _same),
    "divide": Kind(("by",), lambda x, p: x / p["by"], _same),
    "fill": Kind(("by",), lambda x, p: np.where(np.isnan(x), p["by"], x), _same),
    "clip": Kind(("low", "high"), lambda x, p: np.clip(x, p["low"], p["high"]), _same),
    "float32": Kind((), lambda x, _: x.astype(np.float32), _same),
    "square": Kind((), lambda x, _: x * x, _same),
    "relu": Kind((), lambda x, _: np.maximum(x, 0.0), _same),
    "tanh": Kind((), lambda x, _: np.tanh(x), _same),
    "logistic": Kind((), lambda x, _: 0.5 + 0.5 * np.tanh(0.5 * x), _same),
    "softmax": Kind((), _softmax, _same),
    "take": Kind(("columns",), lambda x, p: x[:, p["columns"]], _take_width),
    "dense": Kind(("weight", "bias"), _dense, _dense_width),
    "splines": Kind(("knots", "weights"), splines, partial(spline_width, most=MOST_WIDTH)),
    "products": Kind(("powers",), products, partial(product_width, most=MOST_WIDTH)),
    "length": Kind((), _length, lambda _parts, _width: 1),
}
"""Every kind of step but those of trees."""
FORESTS: Final = {"trees": ("",), "mean of trees": ("", "-2")}
"""What is added to a model's name for the file of each forest of a step."""


def parts_of(name: str) -> tuple[str, ...]:
    """The arrays that a step needs; raises `ValueError` for a step that is not known."""
    _expect(name in STEPS or name in FORESTS, f"the step {name[:20]!r} is not known")
    return STEPS[name].parts if name in STEPS else ()


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step: its name, its arrays, and its forests where it is made of trees: what it says is their mean.

    >>> scale = Step("divide", {"by": np.array([2.0, 4.0])})
    >>> scale(np.array([[2.0, 2.0]])).tolist()
    [[1.0, 0.5]]
    """

    name: str
    parts: Parts
    forests: tuple[Forest, ...] = ()

    def __call__(self, x: Rows) -> Rows:
        """Rows [n, width] to rows [n, width of the next step]."""
        return _mean([forest(x) for forest in self.forests]) if self.forests else STEPS[self.name].apply(x, self.parts)

    def width(self, width: int) -> int:
        """Columns that come out when `width` come in; raises `ValueError` when they do not fit."""
        if not self.forests:
            return STEPS[self.name].width(self.parts, width)
        _expect(all(forest.features == width for forest in self.forests), "its trees expect other columns")
        classes = {forest.classes for forest in self.forests}
        _expect(len(classes) == 1 or classes == {1, 2}, "its forests tell different classes apart")
        return min(classes)


def _mean(said: list[Rows]) -> Rows:
    """The mean of what forests say; of two classes some say the last probability only: then that of all."""
    if len(said) == 1:
        return said[0]
    least = min(one.shape[1] for one in said)
    mean: Rows = np.mean([one[:, -least:] for one in said], axis=0)
    return mean


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The steps of one model."""

    steps: tuple[Step, ...]

    def __call__(self, x: Rows) -> Floats:
        """What the model says of rows of features [n, f]: [n, outputs]; each row for itself."""
        if len(self.steps) > 1 or not self.steps[0].forests:
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


def _plain(array: Rows, shape: tuple[int, ...]) -> bool:
    return array.dtype == np.float64 and array.shape == shape and bool(np.isfinite(array).all())


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
