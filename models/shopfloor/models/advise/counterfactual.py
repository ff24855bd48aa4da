"""What would help: the fewest and smallest changes of setpoints that bring a model's interval inside a goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from shopfloor.models.advise.hull import has_hull
from shopfloor.models.advise.search import Search
from shopfloor.models.advise.terms import Change, Control, Found, Goal, NoneFound
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import score
from shopfloor.models.sealing.opened import Bundle
from shopfloor.plant.errors import ShopfloorError

__all__ = ["Change", "Control", "Found", "Goal", "NoneFound", "counterfactual", "narrowed"]


def counterfactual(bundle: Bundle, row: Matrix, controls: Sequence[Control], goal: Goal) -> Found | NoneFound:
    """Search the changes of `controls` that bring the interval of the row [f] inside the goal.

    Raises `ShopfloorError` for a bundle without a hull, or one that tells classes apart.

    >>> from shopfloor.models.advise.examples import ridge
    >>> row = np.array([3.0, 1.0], np.float32)
    >>> a = Control("a", -4.0, 4.0, (0,), step=0.1)
    >>> found = counterfactual(ridge(), row, [a], Goal(high=2.0))
    >>> [(change.tag, change.after < 1.5) for change in found.changes], found.high <= 2.0
    ([('a', True)], True)
    >>> counterfactual(ridge(), row, [a], Goal(high=-20.0)).missed > 0.0
    True
    """
    if not has_hull(bundle.arrays):
        raise ShopfloorError(f"The bundle {bundle.manifest.name} does not tell where it learned: train it again.")
    said = score(bundle, row[None])
    if not goal.missed(said.low, said.high)[0]:
        return Found((), float(said.low[0]), float(said.high[0]), 0)
    return Search(bundle, row, [c for c in (narrowed(bundle, row, c) for c in controls) if c.high > c.low], goal).run()


def narrowed(bundle: Bundle, row: Matrix, control: Control) -> Control:
    """A control within the range of the data; low = high where nothing is known to lie between."""
    first = control.columns[0]
    low = max(control.low, float(bundle.arrays["hull low"][first]))
    high = min(control.high, float(bundle.arrays["hull high"][first]))
    return replace(control, low=low, high=high if np.isfinite(row[first]) and high > low else low)
